"""Classes whose objects or attributes are not what their form leads to expect."""

import collections
import enum
import gc
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
