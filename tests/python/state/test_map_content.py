"""Map: keys and values by their content, bounds on keys, and entries that cannot be decoded."""

import dataclasses
import enum
import functools
import math
import time
from concurrent import interpreters
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from support import PATIENCE

import xichan


def shared_pairs(depth):
    value = 1
    for _ in range(depth):
        value = (value, value)
    return value


def nested(depth):
    value = ()
    for _ in range(depth):
        value = (value,)
    return value


class IntKey(enum.IntEnum):
    X = 1


@dataclasses.dataclass
class Unhashable:
    x: int


@dataclasses.dataclass(frozen=True)
class Pair:
    x: object
    y: object


class Undecodable:
    def __init__(self, x):
        self.x = x


def refuse(x):
    raise ValueError("refused")


xichan.register(Undecodable, lambda value: value.x, refuse)


def test_compare_and_set_of_deeply_nested_values():
    table = xichan.Map()
    for depth in (1000, 100_000):
        table["key"] = nested(depth)
        assert not table.compare_and_set("key", nested(depth - 1), 1)
        assert table.compare_and_set("key", nested(depth), 1)


def test_compare_and_set_of_values_with_shared_parts():
    table = xichan.Map()
    table["key"] = shared_pairs(200)
    assert table.compare_and_set("key", shared_pairs(200), 1)


@pytest.mark.parametrize(
    "value, expected, equal",
    [
        ([1, {"a": 2.0}], [True, {"a": 2}], True),
        ([1], [1.5], False),
        ([1], (1,), False),
        ([math.nan], [math.nan], True),
        ({math.nan: 1, "a": 2}, {"a": 2, math.nan: 1}, True),
        ({1: "a", (2, 3): "b"}, {(2, 3.0): "b", True: "a"}, True),
        ({1: "a"}, {1: "b"}, False),
        (frozenset({frozenset({1}), frozenset({2})}), frozenset({frozenset({2.0}), frozenset({1})}), True),
        ("text" * 100, "text" * 100, True),
        (2**70, float(2**70), True),
        (None, 0, False),
    ],
)
def test_compare_and_set_compares_numbers_as_python(value, expected, equal):
    table = xichan.Map()
    table["key"] = value
    assert table.compare_and_set("key", expected, "new") is equal
    assert (table["key"] == "new") is equal


@pytest.mark.parametrize("method", ["get", "set", "contains", "pop", "add", "delete"])
def test_keys_with_too_many_parts_are_refused(method):
    table = xichan.Map()
    calls = {
        "get": table.get,
        "set": lambda key: table.set(key, 1),
        "contains": lambda key: key in table,
        "pop": lambda key: table.pop(key, None),
        "add": table.add,
        "delete": table.__delitem__,
    }
    for key in (tuple(range(1000)), shared_pairs(30), frozenset(range(2000)), ("k" * 1000,) * 900):
        with pytest.raises(ValueError, match="1000 parts"):
            calls[method](key)
    assert len(table) == 0


def test_largest_keys_are_found_by_equal_ones():
    table = xichan.Map()
    keys = [
        tuple(range(999)),
        shared_pairs(8),
        frozenset(range(999)),
        frozenset(frozenset({i}) for i in range(499)),
        ("k" * 300,) * 2,
        frozenset({(i, frozenset({i, (i,)})) for i in range(150)}),
    ]
    for number, key in enumerate(keys):
        table[key] = number
    equals = [
        tuple(float(i) for i in range(999)),
        shared_pairs(8),
        frozenset(float(i) for i in reversed(range(999))),
        frozenset(frozenset({float(i)}) for i in reversed(range(499))),
        ("k" * 300, "".join(["k"] * 300)),
        frozenset({(i, frozenset({i, (float(i),)})) for i in reversed(range(150))}),
    ]
    assert [table.get(key) for key in equals] == list(range(len(keys)))
    assert frozenset(frozenset({i}) for i in range(498)) not in table
    assert frozenset({(i, frozenset({i, (i + 1,)})) for i in range(150)}) not in table


@pytest.mark.parametrize("make", [lambda x: (x,), lambda x: frozenset({x}), lambda x: Pair(x, 1), lambda x: complex(x)])
def test_nan_in_a_key_equals_itself(make):
    table = xichan.Map()
    key = make(math.nan)
    for _ in range(3):
        table.add(key)
    assert len(table) == 1 and table.get(key) == 3 and table.wait(key, PATIENCE) == 3
    del table[key]
    assert len(table) == 0


@pytest.mark.parametrize("key", [(Unhashable(1),), (SimpleNamespace(a=1),), (1, [2]), ((1, {}),)])
def test_keys_that_python_cannot_hash_are_refused(key):
    table = xichan.Map()
    with pytest.raises(TypeError):
        table[key] = 1
    assert len(table) == 0 and list(table) == []


def test_iteration_lists_keys_that_are_equal_in_python():
    table = xichan.Map()
    keys = [Decimal("1"), Decimal("1.0"), 1, complex(1, 0), Fraction(1), IntKey.X]
    for number, key in enumerate(keys):
        table[key] = number
    assert len(table) == len(list(table)) == len(list(table.keys())) == len(list(table.items())) == len(keys)
    assert sorted(table.values()) == list(range(len(keys)))
    assert sorted(value for _, value in table.items()) == list(range(len(keys)))
    for key in list(table):
        del table[key]
    assert len(table) == 0


def test_views_show_the_map_and_are_sets():
    table = xichan.Map()
    table.update(a=1, b=2)
    keys, values, items = table.keys(), table.values(), table.items()
    assert keys == {"a", "b"} and keys & {"a", "c"} == {"a"} and len(values) == 2
    assert items == {("a", 1), ("b", 2)} and ("a", 1) in items and ("a", 2) not in items and 2 in values
    del table["a"]
    assert list(keys) == ["b"] and list(values) == [2] and list(items) == [("b", 2)]


def test_undecodable_value_stays():
    table = xichan.Map()
    table["bad"] = Undecodable(1)
    for call in (lambda: table.pop("bad"), table.popitem, table.snapshot, lambda: list(table.items())):
        with pytest.raises(xichan.DecodeError):
            call()
        assert "bad" in table
    assert list(table) == list(table.keys()) == ["bad"]
    table["good"] = 1
    del table["bad"]
    assert table.snapshot() == {"good": 1}
    cell = xichan.Cell(Undecodable(1))
    with pytest.raises(xichan.DecodeError):
        cell.swap(2)
    assert cell.version == 1


@pytest.mark.parametrize("kind", ["pop", "popitem", "swap"])
def test_memory_error_loses_no_value(kind):
    testcapi = pytest.importorskip("_testcapi")
    big, failed = ["large" * 20_000], 0
    for failing in range(60):
        table, cell = xichan.Map(), xichan.Cell(big)
        table["key"] = big
        call = {
            "pop": functools.partial(table.pop, "key"),
            "popitem": table.popitem,
            "swap": functools.partial(cell.swap, 5),
        }[kind]
        raised = False
        testcapi.set_nomemory(failing, failing + 1)
        try:
            call()
        except MemoryError:
            raised = True
        finally:
            testcapi.remove_mem_hooks()
        if raised:
            failed += 1
            assert "key" in table and cell.version == 1
    assert failed > 0


def test_failed_allocation_does_not_make_keys_differ():
    keys = [xichan.Cell(Pair((1, 2, 3), (1, 2, 3))).get(copy=False) for _ in range(3)]
    table = xichan.Map()
    table[keys[0]] = 1
    fail_after = xichan._core._fail_after
    for failing in range(20):
        fail_after(failing)
        try:
            assert table.get(keys[1], "absent") == 1
        except (MemoryError, xichan.MemoryLimitExceeded):
            pass
        finally:
            fail_after(-1)
    table[keys[2]] = 2
    assert len(table) == 1


@pytest.mark.parametrize("kind", ["view", "nested view", "shared"])
def test_max_bytes_counts_memory_that_entries_keep_alive(kind):
    table = xichan.Map(max_bytes=1_000_000)
    for number in range(20):
        view = xichan.Cell(bytes([number]) * 400_000).get(copy=False)
        shared = xichan.share(bytes([number]) * 400_000)
        table[number] = {"view": view, "nested view": [view, view], "shared": shared}[kind]
        assert table.stats().bytes <= 1_000_000
    assert len(table) == 2
    with pytest.raises(ValueError, match="max_bytes"):
        table["large"] = [xichan.Cell(b"x" * 1_000_000).get(copy=False)]


@pytest.mark.parametrize("call", [lambda t: t.set("a", 1), lambda t: t.add("a"), lambda t: t.setdefault("a", 1)])
def test_entry_over_max_bytes_raises_value_error(call):
    with pytest.raises(ValueError, match="max_bytes"):
        call(xichan.Map(max_bytes=10))


def test_add_that_overflows_raises_overflow_error():
    table = xichan.Map()
    table["key"] = 2**63 - 1
    with pytest.raises(OverflowError):
        table.add("key")
    assert table["key"] == 2**63 - 1


@pytest.mark.parametrize("look", [len, lambda table: table.stats().items])
def test_looking_at_the_size_releases_expired_entries(look):
    table = xichan.Map()
    for number in range(100):
        table.set(number, "large" * 100, ttl=0.01)
    table["kept"] = 1
    full = table.stats().bytes
    time.sleep(0.02)
    assert look(table) == 1
    assert table.stats().bytes < full / 20 and table.stats().expired >= 90


def test_eviction_ends_while_readers_mark_all_entries():
    table = xichan.Map(max_items=200, name="evicts")
    for number in range(200):
        table[number] = number
    stop = xichan.Event(name="evicts stop")
    interpreter = interpreters.create()
    thread = interpreter.call_in_thread(
        exec,
        """
import xichan
table, stop = xichan.Map.lookup("evicts"), xichan.Event.lookup("evicts stop")
while not stop.is_set():
    for number in range(200):
        table.get(number)
""",
    )
    for number in range(200, 3000):
        table[number] = number
        assert len(table) <= 200
    stop.set()
    thread.join()
    interpreter.close()
