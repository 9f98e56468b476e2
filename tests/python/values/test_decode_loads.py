"""loads() of bytes from anywhere: it makes standard types and listed classes, imports nothing, and stays small."""

import collections
import dataclasses
import datetime
import decimal
import struct
import sys
import tracemalloc
import uuid

import pytest
from support import run_script
from support.dump_format import cell, text, with_body

import xichan

NONE, INTEGER, SHORT_BYTES, TUPLE = 1, 4, 10, 17
LIST, DICT, SET, FROZENSET, RANGE, BYTEARRAY, ARRAY, RECORD = 19, 20, 22, 23, 24, 27, 28, 29
REPEAT = 35


@dataclasses.dataclass
class Order:
    number: int
    lines: list


@dataclasses.dataclass
class Line:
    text: str


def test_standard_types_and_containers_are_loaded():
    value = [
        {"a": (1, {2}), "when": datetime.datetime(2024, 5, 6, tzinfo=datetime.UTC)},
        decimal.Decimal("1.10"), uuid.UUID(int=3),
        range(5), slice(1), 2j, ..., bytearray(b"x"), frozenset({1}), collections.OrderedDict(b=1, a=2),
        collections.deque([1, 2], 5), {n: n for n in range(100)},
    ]  # fmt: skip
    assert repr(xichan.loads(xichan.dumps(value))) == repr(value)


def test_a_dump_keeps_the_identity_of_containers():
    inner = []
    value = [inner, inner]
    value.append(value)
    loaded = xichan.loads(xichan.dumps(value))
    assert loaded[0] is loaded[1] and loaded[2] is loaded


def test_classes_are_made_only_if_listed():
    data = xichan.dumps([Order(1, [Line("a"), Line("b")])])
    order = xichan.loads(data)[0]
    assert type(order) is xichan.RecordView and order.number == 1 and order.lines[1].text == "b"
    order = xichan.loads(data, classes=[Order])[0]
    assert type(order) is Order and [type(line) for line in order.lines] == [xichan.RecordView] * 2
    assert xichan.loads(data, classes={Order, Line}) == [Order(1, [Line("a"), Line("b")])]


def test_builtin_exceptions_are_loaded():
    loaded = xichan.loads(xichan.dumps([ValueError("a", 1), KeyError("b")]))
    assert [type(error) for error in loaded] == [ValueError, KeyError] and loaded[0].args == ("a", 1)


def test_loads_checks_its_arguments():
    data = xichan.dumps(1)
    for wrong in (5, Order, [5], ["Order"]):
        with pytest.raises(TypeError):
            xichan.loads(data, classes=wrong)
    for wrong in ("1", 1.5, True):
        with pytest.raises(TypeError):
            xichan.loads(data, max_bytes=wrong)
    with pytest.raises(ValueError, match="max_bytes"):
        xichan.loads(data, max_bytes=-1)
    with pytest.raises(TypeError):
        xichan.loads(data, [Order])
    assert xichan.loads(data, classes=(), max_bytes=None) == 1


def test_loads_imports_nothing():
    run_script("""
        import sys, dataclasses, types
        module = types.ModuleType("absent_module")
        sys.modules["absent_module"] = module
        cls = module.Absent = dataclasses.make_dataclass("Absent", ["x"], module="absent_module")
        import xichan
        data = xichan.dumps([cls(1), {"k": cls((2,))}])
        del sys.modules["absent_module"]
        xichan.loads(data)
        before = set(sys.modules)
        class Finder:
            def find_spec(self, name, path=None, target=None):
                raise SystemExit(f"imported {name}")
        sys.meta_path.insert(0, Finder())
        loaded = xichan.loads(data)
        assert loaded[0].x == 1 and loaded[1]["k"].x == (2,)
        assert set(sys.modules) == before
        """)


def nested(levels, tag=TUPLE):
    """Containers of two: each the one before it, twice."""
    at, cells = 16, b""
    for level in range(levels):
        inner = cell(tag, 2, at + 32, mark=0) if level + 1 < levels else cell(NONE)
        cells += inner + (cell(REPEAT, 0, at) if level + 1 < levels else cell(NONE))
        at += 32
    marked = bytearray(cells)
    for level in range(levels - 1):
        marked[32 * level + 1] = 1
    return cell(tag, 2, 16), bytes(marked)


def own_key():
    """{T: ...} with T = (T,)."""
    return cell(SET, 1, 16) + cell(TUPLE, 1, 32, mark=1) + cell(REPEAT, 0, 16)


def doubled_key():
    root, cells = nested(100)
    shifted = bytearray(cells)
    for at in range(0, len(shifted), 16):
        tag, mark, length, word = struct.unpack_from("<BB6sQ", shifted, at)
        if tag in (TUPLE, REPEAT):
            struct.pack_into("<BB6sQ", shifted, at, tag, mark, length, word + 16)
    return cell(SET, 1, 16) + cell(TUPLE, 2, 32) + bytes(shifted)


def named(module, name, form, *names):
    """A record without fields of a type, at the start of a body."""
    first = 48 + 64
    parts = text(module) + text(name) + text(form) + cell(TUPLE, len(names), first if names else 0)
    return cell(RECORD, 1 + len(names), 16), parts, b"".join(map(text, names))


def call_of_system():
    record, parts, names = named("os", "system", "make", "value")
    return record + cell(TUPLE, 4, 48) + text("true") + parts + names


HOSTILE = {
    "doubled lists": b"".join(nested(120, LIST)),
    "doubled tuples": b"".join(nested(120)),
    "a key that contains itself": own_key(),
    "a key of 2**100 values": doubled_key(),
    "a list of 2**40": cell(LIST, 2**40, 16) + cell(NONE),
    "a bytearray of 2**40": cell(BYTEARRAY, 1, 16) + cell(15, 2**40, 32),
    "an array of 2**40": cell(ARRAY, 4, 16) + cell(INTEGER) + text("d") + cell(TUPLE, 1, 80) + text("")
    + cell(INTEGER, 0, 2**40),
    "a type of no class": call_of_system(),
    "an unknown number": cell(RECORD, 1, 16) + cell(INTEGER, 0, 99),
    "a decimal of 10**9 digits": cell(RECORD, 2, 16) + cell(INTEGER, 0, 7) + text("1E+999999999"),
    "a date of no calendar": cell(RECORD, 2, 16) + cell(INTEGER, 0, 1)
    + bytes([SHORT_BYTES, 4, 7, 231, 2, 30] + [0] * 10),
    "a list as a key": cell(SET, 1, 16) + cell(LIST, 0, 16),
    "a range of step 0": cell(RANGE, 3, 16) + cell(INTEGER) + cell(INTEGER) + cell(INTEGER),
    "a range that contains itself": cell(RANGE, 3, 16, 1) + cell(REPEAT) + cell(INTEGER) + cell(INTEGER),
    "a namespace of a list": cell(RECORD, 2, 16) + cell(INTEGER, 0, 20) + cell(LIST, 0, 32),
    "a fraction by zero": cell(RECORD, 3, 16) + cell(INTEGER, 0, 8) + cell(INTEGER, 0, 1) + cell(INTEGER),
}  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_dumps_stay_small(body):
    data = with_body(body)
    assert len(data) < 4096
    loaded_modules = set(sys.modules)
    try:
        xichan.loads(data)  # imports what its standard types need
    except ValueError:
        pass
    tracemalloc.start()
    try:
        value = xichan.loads(data)
    except ValueError:
        value = None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 64 * 1024
    assert (
        set(sys.modules) - loaded_modules <= {"fractions", "numbers", "decimal", "_decimal", "xichan._records"}
        or value is None
    )
