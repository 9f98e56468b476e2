"""Dataclasses, named tuples and enum members arrive unchanged."""

import enum
import sys
import threading
import types
from dataclasses import make_dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from support import record_strategies, run_script
from support import record_types as t
from support.record_samples import objects
from support.reference_records import Encoder, alike, round_trip

import xichan
from xichan import _records


@pytest.mark.parametrize("name", objects())
def test_object_arrives_as_it_was(name):
    value = objects()[name]
    back = round_trip(value)
    assert alike(value, back) and back == value and repr(back) == repr(value)
    if isinstance(value, enum.Enum):
        assert back is value


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(record_strategies.values)
def test_any_value_arrives_as_it_was(value):
    assert alike(value, round_trip(value))


@pytest.mark.parametrize("cls", [t.Point, t.Frozen, t.Undecorated, t.Strict])
def test_further_attributes_travel(cls):
    value = cls(1)
    object.__setattr__(value, "more", [value])
    back = round_trip(value)
    assert type(back) is cls and list(vars(back)) == list(vars(value)) and back.more[0] is back


def test_deleted_attribute_stays_absent():
    value = t.Point(1, 2)
    del value.y
    assert vars(round_trip(value)) == {"x": 1}
    slotted = t.Slotted(1)
    del slotted.b
    assert not hasattr(round_trip(slotted), "b")


def test_attributes_of_a_named_tuple_travel():
    value = t.Rich(1)
    value.more = [1]
    back = round_trip(value)
    assert back == value and type(back) is t.Rich and back.more == [1] and back.swapped() == (1, 1)


def test_no_method_of_the_class_runs():
    values = [t.Strict(1), t.Point(1), t.Unusual(1), t.Described("a"), t.Rich(1)]
    t.CALLS.clear()
    round_trip(values)
    assert t.CALLS == []


def test_alias_of_a_generic_class_stays_behind():
    value = t.Generic[int](1)
    assert "__orig_class__" in vars(value)
    assert vars(round_trip(value)) == {"items": 1}


def test_identity_and_cycles_survive():
    shared = t.Point([])
    value = t.Derived(shared, shared)
    value.z = {"self": value, "list": [value, shared.x]}
    back = round_trip(value)
    assert back.x is back.y and back.z["self"] is back and back.z["list"][0] is back
    assert back.z["list"][1] is back.x.x


def test_reference_of_a_class_is_one_object():
    """A message therefore contains it once."""
    for value in (t.Point(1), t.Rich(1), t.DictOverSlots(1, 2, 3), t.Color.RED, t.Mode(9)):
        kind, reference, detail = _records.plan(type(value))
        if kind == _records.REDUCE:
            assert detail(value)[0] is detail(value)[0]
        again = _records.reduce_attributes(value) if hasattr(value, "__dataclass_fields__") else None
        if kind == _records.ATTRIBUTES:
            assert again[0] == reference and again[0] is _records.reduce_attributes(value)[0]


def local_class():
    class Local(t.Point):
        pass

    return Local


UNREACHABLE = {
    "local class": local_class,
    "hidden by another class": lambda: type("Point", (t.Point,), {"__module__": t.__name__}),
    "no such name": lambda: make_dataclass("Missing", ["x"], module=t.__name__),
    "no such module": lambda: make_dataclass("Missing", ["x"], module="no.such.module"),
    "local enum": lambda: enum.Enum("Local", ["A"], module="no_such_module"),
    "local named tuple": lambda: type("Local", (t.Pair,), {}),
    "local exception": lambda: type("Local", (ValueError,), {}),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_class_that_is_not_found_by_its_name_is_refused(name):
    cls = UNREACHABLE[name]()
    count = len(getattr(cls, "__match_args__", "1"))
    value = next(iter(cls)) if isinstance(cls, enum.EnumType) else cls(*(1, 2)[:count])
    with pytest.raises(xichan.NotShareableError, match="top level of a module|must be importable from") as caught:
        Encoder().encode([value])
    assert caught.value.item is value


def test_class_that_was_replaced_is_refused(monkeypatch):
    value = t.Point(1)
    monkeypatch.setattr(t, "Point", t.Frozen)
    with pytest.raises(xichan.NotShareableError):
        Encoder().encode(value)


REFUSED = {
    "plain class": t.Plain,
    "derived from dict": type("Sub", (dict,), {}),
    "dataclass of a dict": make_dataclass("Table", ["x"], bases=(dict,), init=False),
    "derived from str": type("Text", (str,), {}),
    "object": object,
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_objects_are_refused(name):
    kind, _, detail = _records.plan(REFUSED[name])
    assert kind == _records.REFUSED and type(detail(REFUSED[name]())) is str


RENAMED = ("support.record_types", "Pair", "tuple", ("one", "other"))


@pytest.mark.parametrize(
    "reference, error",
    [
        (("no_such_module", "X", "fields", ()), ModuleNotFoundError),
        (("support.record_types", "Missing", "fields", ()), LookupError),
        (("support.record_types", "Outer.Missing", "fields", ()), LookupError),
        (("support.record_types", "CALLS", "fields", ()), LookupError),
        (("support.record_types", "Plain", "fields", ("value",)), LookupError),
        (("support.record_types", "Plain", "enum", ("name",)), LookupError),
        (("support.record_types", "Plain", "tuple", ()), LookupError),
        (("support.record_types", "Plain", "exception", ()), LookupError),
        (("support.record_types", "Plain", "registered", ("encoded",)), LookupError),
        (("support.record_types", "Failure", "exception", ("args",)), LookupError),
        (("support.record_types", "Point", "unheard of", ("x", "y")), LookupError),
        (("support.record_types", "<locals>.Point", "fields", ()), LookupError),
        (RENAMED, LookupError),
    ],
)
def test_type_that_does_not_fit_is_refused(reference, error):
    with pytest.raises(error):
        _records.resolve(reference)


def test_member_that_does_not_exist_is_refused():
    _, _, create, _ = _records.resolve(("support.record_types", "Color", "enum", ("name",)))
    with pytest.raises(KeyError):
        create("GREEN")


def test_slots_that_a_class_lost_are_refused():
    kind, cls, _, _ = _records.resolve(("support.record_types", "Slotted", "fields", ("a", "gone")))
    assert kind == _records.ATTRIBUTES
    with pytest.raises(AttributeError):
        object.__setattr__(object.__new__(cls), "gone", 1)


def test_planning_imports_nothing():
    script = """
        import sys, xichan
        from xichan import _records

        class Plain: ...

        before = set(sys.modules)
        assert _records.plan(Plain)[0] == _records.REFUSED
        assert _records.plan(ValueError)[0] == _records.REDUCE
        new = set(sys.modules) - before
        assert not new & {"dataclasses", "datetime", "decimal", "enum", "logging", "pathlib", "re", "uuid"}
    """
    run_script(script, options=["-S"])


def test_a_module_that_is_being_imported_is_awaited(tmp_path, monkeypatch):
    (tmp_path / "slow_records.py").write_text(
        "import threading, sys\n"
        "started, go = sys.modules['slow_gate'].started, sys.modules['slow_gate'].go\n"
        "started.set()\ngo.wait(30)\nclass Late(ValueError): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    gate = types.ModuleType("slow_gate")
    gate.started, gate.go = threading.Event(), threading.Event()
    monkeypatch.setitem(sys.modules, "slow_gate", gate)
    importing = threading.Thread(target=__import__, args=("slow_records",))
    importing.start()
    assert gate.started.wait(30)
    found = []
    resolving = threading.Thread(target=lambda: found.append(_records.find("slow_records", "Late")))
    resolving.start()
    gate.go.set()
    resolving.join(30)
    importing.join(30)
    assert found and found[0].__name__ == "Late"
    del sys.modules["slow_records"]
