"""Classes whose objects or attributes are not what their form leads to expect."""

import collections
import enum
import gc
import itertools
import sys
import types
import weakref
from dataclasses import dataclass, make_dataclass

import pytest
from support import record_types as t

import xichan


class Shelf:
    __slots__ = (*(f"place_{number}" for number in range(100_000)), "last")


class Borrower:
    __slots__ = ()
    __annotations__ = {"last": int}


Borrower = dataclass(init=False)(Borrower)
Borrower.last = Shelf.last  # of objects that are larger


class Rows(tuple):
    __slots__ = ()
    _fields = ("a", "b")


class Guarded(Exception):
    def __getattribute__(self, name):
        raise ZeroDivisionError(name)


class Group(ExceptionGroup):
    message = property(lambda self: 1 / 0)


class Nameless:
    __module__ = []


@pytest.fixture
def ends():
    tx, rx = xichan.channel(10)
    with tx, rx:
        yield tx, rx


@pytest.fixture
def module(monkeypatch):
    module = types.ModuleType("unusual_classes")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_slot_of_another_class_is_not_read(ends):
    tx, rx = ends
    for _ in range(3):  # planned, then read without Python code
        tx.send_nowait(Borrower())
        assert type(rx.recv_nowait()) is Borrower


@pytest.mark.parametrize("items", [(), (1,), (1, 2, 3)], ids=repr)
@pytest.mark.parametrize("cls", [Rows, t.Rich], ids=lambda cls: cls.__name__)
def test_named_tuple_of_another_length_is_refused(ends, cls, items):
    tx, rx = ends
    value = tuple.__new__(cls, items)
    for _ in range(2):
        with pytest.raises(xichan.NotShareableError, match=r"^value\[0\]: .* with more or fewer items than _fields"):
            tx.send_nowait([value])
    assert len(rx) == 0


def test_exceptions_with_methods_that_fail_are_sent(ends):
    tx, rx = ends
    tx.send_nowait([Guarded(1), Group("two", [ValueError(3)])])
    guarded, group = rx.recv_nowait()
    assert type(guarded) is Guarded and BaseException.__dict__["args"].__get__(guarded) == (1,)
    assert type(group) is Group and group.exceptions[0].args == (3,)


def test_class_whose_module_is_not_a_text_is_refused(ends):
    with pytest.raises(xichan.NotShareableError, match="is not shareable"):
        ends[0].send_nowait(Nameless())


def test_arguments_of_an_exception_are_not_copied(ends):
    tx, rx = ends
    wide, deep = [], []
    for _ in range(100):
        wide = [wide, wide]
    for _ in range(100_000):
        deep = [deep]
    around = [[1]]
    around.append(around)
    tx.send_nowait(ValueError(wide, deep, around, around, [int, str]))
    found = rx.recv_nowait().args
    assert found[0][0] is found[0][1]
    assert found[2] is found[3] is found[2][1]
    assert found[4] == [int, str]


def classes(module):
    def named(cls):
        module.Temporary = cls
        return cls

    names = {"__module__": module.__name__, "__qualname__": "Temporary"}
    options = {"module": module.__name__}
    return {
        "dataclass": lambda: named(make_dataclass("Temporary", ["a"], **options))(1),
        "slots": lambda: named(make_dataclass("Temporary", ["a"], slots=True, **options))(1),
        "enum": lambda: named(enum.Enum("Temporary", "A B", qualname="Temporary", **options)).A,
        "exception": lambda: named(type("Temporary", (Exception,), {**names, "__slots__": ("a",)}))(1),
        "named tuple": lambda: named(collections.namedtuple("Temporary", "a", **options))(1),
    }


@pytest.mark.parametrize("kind", ["dataclass", "slots", "enum", "exception", "named tuple"])
def test_sending_keeps_no_class_alive(ends, module, kind):
    value = classes(module)[kind]()
    ends[0].send_nowait(value)
    reference = weakref.ref(type(value))
    del value, module.Temporary
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("kind", ["dataclass", "slots", "enum", "exception", "named tuple", "registered", "in a class"])
def test_object_of_a_class_that_was_replaced_is_refused_after_others_were_sent(ends, module, kind):
    tx, rx = ends
    if kind == "registered":
        module.Temporary = type("Temporary", (), {"__module__": module.__name__})
        xichan.register(module.Temporary, lambda value: 1, lambda value: module.Temporary())
        old = module.Temporary()
    elif kind == "in a class":
        module.Outer = type("Outer", (), {"__module__": module.__name__})
        cls = make_dataclass("Inner", ["a"], namespace={"__qualname__": "Outer.Inner"}, module=module.__name__)
        cls.__qualname__ = "Outer.Inner"
        module.Outer.Inner = cls
        old = cls(1)
    else:
        old = classes(module)[kind]()
    for _ in range(2):
        tx.send_nowait([old, old])
        assert type(rx.recv_nowait()[0]) is type(old)
    place = module.Outer if kind == "in a class" else module
    name = type(old).__name__
    setattr(place, name, make_dataclass(name, ["a", "b"], module=module.__name__))
    for _ in range(2):
        with pytest.raises(xichan.NotShareableError, match="its class must be importable from 'unusual_classes'"):
            tx.send_nowait([1, old])
    setattr(place, name, type(old))
    tx.send_nowait([old])
    assert type(rx.recv_nowait()[0]) is type(old)
    sys.modules[module.__name__] = types.ModuleType(module.__name__)
    with pytest.raises(xichan.NotShareableError, match="importable from"):
        tx.send_nowait(old)
    assert len(rx) == 0


def test_each_class_of_a_message_is_looked_up(ends, module):
    tx, _ = ends
    old = [make_dataclass(name, ["a"], module=module.__name__) for name in ("One", "Two")]
    for cls in old:
        setattr(module, cls.__name__, cls)
    values = [cls(i) for i in range(3) for cls in old]
    tx.send_nowait(values)
    module.Two = make_dataclass("Two", ["a"], module=module.__name__)
    with pytest.raises(xichan.NotShareableError, match="Two") as caught:
        tx.send_nowait(values)
    assert caught.value.path == "value[1]"


def test_class_that_the_getattr_of_its_module_returns_is_sent(ends, module):
    tx, rx = ends
    cls = make_dataclass("Lazy", ["a"], module=module.__name__)
    module.__getattr__ = {"Lazy": cls}.get
    for _ in range(3):
        tx.send_nowait(cls(1))
        assert rx.recv_nowait() == cls(1)


def test_class_in_a_class_that_was_replaced_is_made_as_the_new_one(ends, module):
    tx, rx = ends
    module.Outer = type("Outer", (), {"__module__": module.__name__})
    for _ in range(2):
        inner = make_dataclass("Inner", ["a"], namespace={"__qualname__": "Outer.Inner"}, module=module.__name__)
        inner.__qualname__ = "Outer.Inner"
        module.Outer.Inner = inner
        tx.send_nowait(inner(1))
        assert type(rx.recv_nowait()) is inner


def test_paths_lead_to_the_attributes_of_an_object(ends):
    item = object()
    error = ValueError(1)
    error.place = KeyError([item])
    cause = ValueError(2)
    cause.__cause__ = KeyError({"a": item})
    simple = types.SimpleNamespace(a=types.SimpleNamespace(b={"c": item}))
    for value, path in (
        (error, "value.place.args[0][0]"),
        (cause, "value.__cause__.args[0]['a']"),
        (simple, "value.a.b['c']"),
    ):
        with pytest.raises(xichan.NotShareableError) as raised:
            ends[0].send_nowait(value)
        assert raised.value.path == path and raised.value.item is item
        assert eval(path, {"value": value}) is item


def test_types_with_ever_new_attributes_take_bounded_memory(ends):
    import tracemalloc

    tx, rx = ends

    def send(numbers):
        for number in numbers:
            value = t.Point(1)
            setattr(value, f"attribute_{number}", 1)
            tx.send_nowait(value)
            rx.recv_nowait()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        used = [send(range(first, first + 10_000)) for first in range(0, 40_000, 10_000)]
        # What is kept for each type would grow every time; CPython's table of interned names, now and then.
        assert min(after - before for before, after in itertools.pairwise(used)) < 1_000_000
    finally:
        tracemalloc.stop()
