"""loads() of records that name a class: only what sending an object of the class produces becomes an object."""

import collections
import dataclasses
import enum
import sys

import pytest
from support import record_types as t
from support import run_script
from support.dump_format import of_type

import xichan

RAN = []  # what no dump may run
EXCEPTION = ("args", "attributes", "cause", "suppress_context")


class Lenient(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value):
        RAN.append(value)
        return cls.A


class LenientFlag(enum.Flag):
    A = 1
    B = 4

    @classmethod
    def _missing_(cls, value):
        RAN.append(value)
        return cls.A


class Keeping(enum.IntFlag, boundary=enum.KEEP):
    A = 1


class Ejecting(enum.IntFlag, boundary=enum.EJECT):
    A = 1


@dataclasses.dataclass(slots=True)
class Slots:
    x: object = None


class Shadowing(Slots):
    """A property hides the slot of its base."""

    __slots__ = ()

    @property
    def x(self):
        RAN.append("x")

    @x.setter
    def x(self, value):
        RAN.append("x")


class Registered:
    pass


class Empty:
    pass


CLASSES = [
    Lenient, LenientFlag, Keeping, Ejecting, Slots, Shadowing, Registered, Empty, t.Point, t.Slotted, t.FrozenSlotted,
    t.Pair, t.Lean, t.Rich, t.Failure, t.Failures, t.Described, int, type, list, collections.deque, BaseException,
]  # fmt: skip
xichan.register(Registered, lambda value: 1, lambda value: RAN.append(value) or Registered())


@pytest.fixture(autouse=True)
def nothing_runs():
    RAN.clear()
    t.CALLS.clear()
    yield
    assert RAN == t.CALLS == []


def load(cls, form, names, *fields, classes=CLASSES):
    return xichan.loads(of_type(cls.__module__, cls.__qualname__, form, names, *fields), classes=classes)


ACCEPTED = [
    (Lenient, "enum", ("name",), ("A",)),
    (LenientFlag, "enum", ("name",), ("B",)),
    (LenientFlag, "enum", ("bits",), (5,)),
    (LenientFlag, "enum", ("bits",), (0,)),
    (Keeping, "enum", ("bits",), (2**100 + 1,)),
    (Slots, "fields", ("x",), (1,)),
    (Slots, "fields", (), ()),
    (Shadowing, "fields", ("x",), (1,)),
    (t.Point, "fields", ("y", "extra"), (1, 2)),
    (t.FrozenSlotted, "fields", ("_private",), (1,)),
    (t.Pair, "tuple", ("left", "right"), (1, 2)),
    (t.Rich, "tuple", ("left", "right", "more"), (1, 2, 3)),
    (t.Failure, "exception", EXCEPTION, ((1,), {}, None, False)),
    (ValueError, "exception", EXCEPTION, ((1,), {}, None, False)),
]


@pytest.mark.parametrize("cls, form, names, fields", ACCEPTED)
def test_types_that_sending_produces_become_objects(cls, form, names, fields):
    assert type(load(cls, form, names, *fields)) is cls


REFUSED = [
    (Lenient, "enum", ("name",), ("B",)),
    (Lenient, "enum", ("name",), (1,)),
    (Lenient, "enum", ("name",), ("__class__",)),
    (Lenient, "enum", ("bits",), (1,)),
    (Lenient, "enum", ("bits",), ([],)),
    (LenientFlag, "enum", ("bits",), (2,)),
    (LenientFlag, "enum", ("bits",), (-1,)),
    (LenientFlag, "enum", ("bits",), (True,)),
    (LenientFlag, "enum", ("bits",), (2**200,)),
    (LenientFlag, "enum", ("value",), (1,)),
    (Keeping, "enum", ("bits",), (-1,)),
    (Ejecting, "enum", ("bits",), (2,)),
    (Lenient, "fields", ("_value_",), (7,)),
    (Slots, "fields", ("y",), (1,)),
    (Slots, "fields", ("x", "x"), (1, 2)),
    (Slots, "fields", ("__class__",), (1,)),
    (Slots, "fields", ("__dict__",), ({"x": 1},)),
    (Slots, "tuple", ("x",), (1,)),
    (t.Point, "fields", ("x", "x"), (1, 2)),
    (t.Point, "registered", ("encoded",), (1,)),
    (Registered, "fields", ("x",), (1,)),
    (Registered, "registered", ("value",), (1,)),
    (Empty, "fields", (), ()),
    (Empty, "", (), ()),
    (t.Pair, "tuple", ("left",), (1,)),
    (t.Pair, "tuple", ("right", "left"), (1, 2)),
    (t.Lean, "tuple", ("left", "right", "more"), (1, 2, 3)),
    (t.Rich, "tuple", ("left", "right", "more", "more"), (1, 2, 3, 4)),
    (t.Failure, "exception", (), ()),
    (t.Failure, "fields", ("code",), (1,)),
    (t.Failures, "exception", EXCEPTION, ((1,), {}, None, False)),
    (ExceptionGroup, "exception", EXCEPTION, ((1,), {}, None, False)),
    (t.Point, "class", (), ()),
    (t.Point, "class", ("x",), (1,)),
    (t.Point, "default_dict", (), ()),
    (t.Point, "default_dict", ("items", "x"), ({}, 1)),
    (int, "default_dict", ("items",), ({},)),
    (int, "registered", ("encoded",), (1,)),
    (list, "fields", (), ()),
    (type, "class", (), ()),
    (collections.deque, "fields", (), ()),
]


@pytest.mark.parametrize("cls, form, names, fields", REFUSED)
def test_types_that_sending_does_not_produce_arrive_as_views(cls, form, names, fields):
    view = load(cls, form, names, *fields)
    assert type(view) is xichan.RecordView
    inside = load(t.Point, "fields", ("x",), [view, {"key": view}])
    assert (
        type(inside) is t.Point
        and [type(part) for part in (inside.x[0], inside.x[1]["key"])] == [xichan.RecordView] * 2
    )


@pytest.mark.parametrize(
    "name",
    ["ValueError.__base__", "ValueError.__class__", "IOError", "int", "open", "help", "", ".", "\ud800", "a" * 100],
)
def test_only_the_names_of_builtin_exceptions_are_found(name):
    data = of_type("builtins", name, "exception", EXCEPTION, (1,), {}, None, False)
    assert type(xichan.loads(data)) is xichan.RecordView


def test_classes_among_the_arguments_of_an_exception_are_made():
    error = ValueError(t.Point, [t.Pair, 1], (t.Point,))
    loaded = xichan.loads(xichan.dumps([error]), classes=[t.Point, t.Pair])[0]
    assert loaded.args == error.args
    assert [type(item) for item in xichan.loads(xichan.dumps(error), classes=[t.Pair]).args[::2]] == [
        xichan.RecordView, tuple,
    ]  # fmt: skip


def test_classes_elsewhere_arrive_as_views():
    data = of_type("builtins", "int", "class", ())
    alone, nested, among = (xichan.loads(data, classes=[int]) for _ in range(3))
    assert type(alone) is xichan.RecordView
    error = xichan.loads(xichan.dumps(ValueError([[nested]], (among,))), classes=[int])
    assert type(error.args[0][0][0]) is xichan.RecordView and error.args[1] == (int,)
    loaded = xichan.loads(xichan.dumps([alone, (alone,), {1: alone}]), classes=[int])
    assert [type(item) for item in (loaded[0], loaded[1][0], loaded[2][1])] == [xichan.RecordView] * 3
    data = of_type("builtins", "ValueError", "exception", EXCEPTION, (), {"x": (alone,)}, None, False)
    assert type(xichan.loads(data, classes=[int]).x[0]) is xichan.RecordView


def test_a_property_over_a_slot_is_not_run():
    tx, rx = xichan.channel()
    value = Shadowing.__new__(Shadowing)
    Slots.x.__set__(value, 5)
    for _ in range(2):
        tx.send(value)
        received = rx.recv()
        assert type(received) is Shadowing and Slots.x.__get__(received) == 5


def test_no_form_of_a_record_imports_or_runs_anything():
    run_script("""
        import dataclasses, itertools, sys, types
        import xichan
        from support.dump_format import of_type

        module = types.ModuleType("absent_module")
        cls = dataclasses.make_dataclass("Absent", ["x"], module="absent_module")

        class Watching(type):
            def __call__(cls, *args):
                raise SystemExit("called")

        class Watched(metaclass=Watching):
            def __setattr__(self, name, value):
                raise SystemExit("set")

        forms = ["fields", "tuple", "enum", "exception", "registered", "default_dict", "class", "", "x"]
        fields = [((), ()), (("x",), (1,)), (("__class__",), (1,)), (("items",), ({},)), (("encoded",), (1,)),
                  (("args", "attributes", "cause", "suppress_context"), ((), {}, None, False))]
        xichan.loads(of_type("builtins", "ValueError", "exception", fields[-1][0], *fields[-1][1]))
        before = set(sys.modules)
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if not name.startswith("xichan."):
                    raise SystemExit(f"imported {name}")
        sys.meta_path.insert(0, Finder())
        for module, name in [("absent_module", "Absent"), ("os", "system"), ("this", "x"), ("__main__", "Watched")]:
            for form, (names, values) in itertools.product(forms, fields):
                data = of_type(module, name, form, names, *values)
                for classes in ((), [Watched], [cls]):
                    xichan.loads(data, classes=classes)
        assert {name for name in set(sys.modules) - before if not name.startswith("xichan.")} == set()
        """)


def test_a_listed_class_of_main_is_matched_by_name():
    assert sys.modules["__main__"] is not None
    local = dataclasses.make_dataclass("Local", ["x"], module="some.module")
    loaded = xichan.loads(of_type("some.module", "Local", "fields", ("x",), 3), classes=[local])
    assert type(loaded) is local and loaded.x == 3


@pytest.mark.parametrize("fields", [0, 1, 40])
def test_view_of_a_loaded_record_is_dumped_as_it_came(fields):
    data = of_type("some.module", "Absent", "fields", tuple(f"f{i}" for i in range(fields)), *range(fields))
    tx, rx = xichan.channel()
    view = xichan.loads(data)
    tx.send_many([view, xichan.share(view)])
    for value in (view, xichan.share(view), rx.recv(), rx.recv(copy=False)):
        assert xichan.dumps(value) == data
    assert xichan.loads(xichan.dumps([view, view])) == [view, view]
    assert xichan.loads(xichan.dumps({"key": xichan.loads(data)}))["key"] == view
