"""Map: one mapping for all interpreters. See also test_map_model.py for generated programs."""

import collections.abc
import datetime
import math
import threading
import time
import uuid
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath

import pytest
from support import PATIENCE, execute, interpreter, run_loop, wait_until
from support.record_types import Frozen, Point

import xichan

KEYS = {
    "None": None,
    "bool": True,
    "int": 5,
    "large int": 2**100,
    "float": 2.5,
    "nan": math.nan,
    "short str": "a",
    "long str": "k" * 50,
    "wide str": "\u20ac" * 40,
    "short bytes": b"a",
    "long bytes": b"k" * 50,
    "empty tuple": (),
    "tuple": ("a", 1, b"c" * 30),
    "nested tuple": ("a", (1, (2, ("b" * 40,)))),
    "frozenset": frozenset({1, "a", (2, 3)}),
    "Ellipsis": ...,
    "complex": 1 + 2j,
    "range": range(3),
    "datetime": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "Decimal": Decimal("1.5"),
    "UUID": uuid.UUID(int=7),
    "Fraction": Fraction(1, 3),
    "path": PurePosixPath("a/b"),
}


@pytest.fixture
def table(request):
    yield xichan.Map()
    del request.node.funcargs["table"]  # pytest holds on to it for longer than the check that nothing is left


@pytest.mark.parametrize("kind", KEYS)
def test_key_of_each_kind_finds_its_value(table, kind):
    table[KEYS[kind]] = kind
    assert table[KEYS[kind]] == table.get(KEYS[kind]) == kind
    assert KEYS[kind] in table
    assert len(table) == 1
    [found] = table
    assert type(found) is type(KEYS[kind]) and (found == KEYS[kind] or found != found)
    assert table.pop(KEYS[kind]) == kind
    assert len(table) == 0


def test_keys_of_all_kinds_are_different_keys(table):
    for kind, key in KEYS.items():
        table[key] = kind
    assert len(table) == len(KEYS)
    assert {kind: table[key] for kind, key in KEYS.items()} == {kind: kind for kind in KEYS}


def test_equal_numbers_are_one_key_as_in_a_dict(table):
    table[1] = "a"
    assert table[1.0] == table[True] == "a"
    table[("x", (1, 2.0))] = "b"
    assert table[("x", (1.0, 2))] == "b"
    assert len(table) == 2


def test_equal_sets_are_one_key_in_any_order(table):
    table[frozenset(range(100))] = 1
    assert table[frozenset(reversed(range(100)))] == 1


@pytest.mark.parametrize("letter", ["a", "\xe9", "\u20ac", b"a"])
def test_short_key_is_found_by_a_slice_of_a_long_view(table, letter):
    long = xichan.share(letter * 40).view()
    for length in range(20):
        table[letter * length] = length
        assert table[long[:length]] == table[letter * length] == length
    assert len(table) == 20


def test_view_is_the_key_that_it_shows(table):
    table[("a", "b" * 30)] = 1
    assert table[xichan.share(("a", "b" * 30)).view()] == 1


def test_frozen_dataclass_is_a_key(table):
    table[Frozen("a", (1, 2))] = 1
    assert table[Frozen("a", (1, 2))] == 1
    assert Frozen("a", (1, 3)) not in table
    with pytest.raises(TypeError, match="unhashable"):
        table[Point(1, 2)] = 1


@pytest.mark.parametrize(
    "make_key",
    [list, dict, set, bytearray, collections.deque, lambda: ([1],), lambda: xichan.Cell(1)],
    ids=["list", "dict", "set", "bytearray", "deque", "list in a tuple", "Cell"],
)
def test_key_that_is_not_hashable_by_content_raises_type_error(table, make_key):
    key = make_key()
    for call in (
        lambda: table.set(key, 1),
        lambda: table.get(key),
        lambda: table[key],
        lambda: key in table,
        lambda: table.pop(key),
        lambda: table.add(key),
        lambda: table.wait(key, 0),
        lambda: table.get_many([key]),
    ):
        with pytest.raises(TypeError, match="hash"):
            call()
    assert len(table) == 0


def test_is_a_mutable_mapping(table):
    assert isinstance(table, collections.abc.MutableMapping)
    table.update({"a": 1}, b=2)
    table.update([("c", 3)])
    assert dict(table) == {"a": 1, "b": 2, "c": 3} == dict(table.items())
    assert sorted(table) == sorted(table.keys()) == ["a", "b", "c"]
    assert sorted(table.values()) == [1, 2, 3]
    del table["a"]
    assert dict([table.popitem(), table.popitem()]) == {"b": 2, "c": 3}
    assert list(table) == []


def test_missing_key_raises_key_error_with_the_key(table):
    for call in (lambda: table["k"], lambda: table.pop("k"), lambda: table.update_with("k", str)):
        with pytest.raises(KeyError) as caught:
            call()
        assert caught.value.args == ("k",)
    with pytest.raises(KeyError):
        del table["k"]
    with pytest.raises(KeyError):
        table.popitem()
    assert (table.get("k"), table.get("k", 3), table.pop("k", 4)) == (None, 3, 4)


def test_setdefault_stores_once(table):
    assert (table.setdefault("a", [1]), table.setdefault("a", 2), table["a"]) == ([1], [1], [1])
    assert (table.setdefault("b"), table["b"]) == (None, None)


def test_add_starts_at_zero_and_adds_ints_and_floats(table):
    assert [table.add("n"), table.add("n", 4), table.add("n", -7)] == [1, 5, -2]
    assert table.add("f", 0.5) == 0.5
    assert table.add("f", 1) == 1.5


def test_add_refuses_text_and_overflow(table):
    table["s"] = "text"
    with pytest.raises(TypeError, match="int or float"):
        table.add("s")
    with pytest.raises(TypeError):
        table.add("n", "1")
    table["n"] = 2**63 - 1
    with pytest.raises(OverflowError):
        table.add("n")
    with pytest.raises(OverflowError):
        table.add("n", 2**70)
    assert (table["s"], table["n"]) == ("text", 2**63 - 1)


def test_compare_and_set_compares_by_content(table):
    table["k"] = {"a": [1, 2]}
    assert not table.compare_and_set("k", {"a": [1, 3]}, 1)
    assert table.compare_and_set("k", {"a": [1, 2]}, 1)
    assert table.compare_and_set("k", 1.0, None)
    assert table.compare_and_set("k", None, 2)
    assert not table.compare_and_set("absent", None, 2)
    assert dict(table) == {"k": 2}


def test_update_with_calls_again_if_the_entry_changed(table):
    table["k"] = 1
    seen = []

    def function(value):
        seen.append(value)
        if len(seen) == 1:
            table["k"] = 10
        return value + 1

    assert table.update_with("k", function) == 11
    assert (seen, table["k"]) == ([1, 10], 11)
    assert table.update_with("new", lambda value: [*value, 1], []) == [1]


def test_update_with_leaves_the_entry_if_the_function_raises(table):
    table["k"] = [1]
    with pytest.raises(ZeroDivisionError):
        table.update_with("k", lambda value: 1 / 0)
    with pytest.raises(xichan.NotShareableError):
        table.update_with("k", lambda value: lambda: 0)
    assert table["k"] == [1]


def test_empty_map_is_false(table):
    assert not table
    table["key"] = None
    assert table
    del table["key"]
    assert not table


def test_get_many_and_set_many(table):
    table.set_many({"a": 1, "b": [2]})
    table.set_many([("c", 3)])
    assert table.get_many(["a", "b", "x", "c"]) == {"a": 1, "b": [2], "c": 3}
    assert isinstance(table.get_many(["t"], copy=False), dict)


def test_get_without_copy_returns_a_view(table):
    table["k"] = ("a" * 100, tuple(range(50)))
    assert isinstance(table.get("k", copy=False), xichan.TupleView)
    assert table.get("k", copy=False) == table["k"]


def test_entry_expires_after_its_ttl():
    table = xichan.Map(ttl=0.05)
    start = time.monotonic()
    table["a"] = 1
    table.set("b", 2, ttl=math.inf)
    table.add("c")
    wait_until(lambda: "a" not in table and "c" not in table)
    assert time.monotonic() - start >= 0.05
    assert (len(table), dict(table), table.get("a")) == (1, {"b": 2}, None)
    assert not table.compare_and_set("a", 1, 2)
    assert table.setdefault("a", 5) == 5


def test_add_keeps_the_time_at_which_an_entry_expires(table):
    table.add("k", ttl=0.2)
    for _ in range(20):
        table.add("k", ttl=1000)
    wait_until(lambda: "k" not in table)
    assert table.add("k") == 1


def test_memory_of_expired_entries_is_released_by_writes():
    table = xichan.Map(ttl=0.01)
    for i in range(1000):
        table[i] = "x" * 100
    wait_until(lambda: len(table) == 0)
    for i in range(3000):
        table.set(("other", i % 10), i, ttl=100)
    assert table.stats().bytes < 100_000
    assert table.stats().expired == 1000


def test_max_items_evicts_what_was_not_read():
    table = xichan.Map(max_items=100)
    for i in range(1000):
        table[i] = i
        table.get(0)
    assert len(table) == 100
    assert 0 in table
    assert 999 in table
    assert table.stats().evicted == 900


def test_max_bytes_bounds_keys_and_values():
    table = xichan.Map(max_bytes=100_000)
    for i in range(1000):
        table["k" * 100, i] = "v" * 1000
        assert table.stats().bytes <= 100_000
    assert len(table) > 50
    with pytest.raises(ValueError, match="max_bytes"):
        table["large"] = b"x" * 100_000
    assert ("k" * 100, 999) in table


def test_writes_over_the_memory_limit_raise_and_change_nothing(table):
    table["k"] = 1
    xichan.set_memory_limit(xichan.memory_stats().bytes + 100_000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        table["k"] = b"x" * 1_000_000
    with pytest.raises(xichan.MemoryLimitExceeded):
        for i in range(100_000):
            table[i] = "v" * 100
    assert table["k"] == 1
    xichan.set_memory_limit(None)
    table["k"] = 2
    assert table["k"] == 2


@pytest.mark.parametrize("n", range(40))
def test_failed_allocation_changes_nothing(table, n):
    table["k" * 30] = "old" * 30
    before = dict(table)
    xichan._core._fail_after(n)
    try:
        table["k" * 30] = "new" * 30
        table[("t", "other" * 20)] = [1, "text" * 10]
        table.update_with("k" * 30, lambda value: value + "x")
        for i in range(20):
            table[i] = i
    except MemoryError:
        pass
    finally:
        xichan._core._fail_after(-1)
    assert table["k" * 30] in (before["k" * 30], "new" * 30, "new" * 30 + "x")
    table["after"] = 1
    assert len(table) == len(list(table))


def test_wait_returns_once_the_key_is_present(table):
    table["there"] = "now"
    assert table.wait("there", 0) == "now"
    threading.Timer(0.05, lambda: table.set("late", [1])).start()
    assert table.wait("late", PATIENCE) == [1]
    with pytest.raises(xichan.ChannelTimeout):
        table.wait("never", 0.01)


def test_watch_yields_the_newest_values_and_none_twice(table):
    async def main():
        import asyncio

        table["k"] = 0
        seen = []

        async def follow():
            async for value in table.watch("k"):
                seen.append(value)
                if value == 20:
                    return

        task = asyncio.create_task(follow())
        for i in range(1, 21):
            table["k"] = i
            if i % 5 == 0:
                await asyncio.sleep(0.001)
        await task
        assert seen == sorted(set(seen))
        assert (seen[-1], seen[0]) == (20, 0) or seen[-1] == 20

    run_loop(main())


def test_snapshot_is_a_copy(table):
    table["a"] = [1]
    copy = table.snapshot()
    copy["a"].append(2)
    table["b"] = 2
    assert copy == {"a": [1, 2]}
    assert table["a"] == [1]


def test_iteration_does_not_see_changes(table):
    for i in range(100):
        table[i] = i
    for key in table:
        del table[key]
        table["new", key] = 1
    assert len(table) == 100


def test_clear_removes_everything_also_what_was_stored_before_growth(table):
    for i in range(10_000):
        table[i] = i
    table.clear()
    assert (len(table), list(table), table.get(5)) == (0, [], None)
    for i in range(100):
        table[i] = -i
    assert all(table[i] == -i for i in range(100))


def test_grows_and_shrinks(table):
    for _ in range(3):
        for i in range(20_000):
            table[i] = i
        assert len(table) == 20_000
        for i in range(0, 20_000, 2):
            del table[i]
        assert all((i in table) == i % 2 for i in range(20_000))
        for i in range(1, 20_000, 2):
            del table[i]
        assert len(table) == 0


def test_churn_of_new_keys_keeps_its_memory(table):
    for i in range(1000):
        table[i] = i
    before = None
    for i in range(60_000):
        table[i + 1000] = i
        del table[i]
        if i == 20_000:
            before = xichan.memory_stats().rings
    assert xichan.memory_stats().rings <= before * 2
    assert len(table) == 1000


def test_values_replaced_in_a_callback_of_the_same_map(table):
    """A value whose reduction uses the Map that it is stored in."""

    class Odd:
        def __reduce__(self):
            table["inside"] = table.get("inside", 0) + 1
            return (int, (7,))

    with pytest.raises(xichan.NotShareableError):
        table["k"] = Odd()
    assert dict(table) == {} or table["inside"] >= 1


def test_options_must_be_sensible():
    for options in ({"max_items": 0}, {"max_bytes": 0}, {"ttl": 0}, {"ttl": -1}, {"ttl": math.nan}):
        with pytest.raises(ValueError, match=next(iter(options))):
            xichan.Map(**options)
    for options in ({"max_items": "1"}, {"max_bytes": 1.5}, {"ttl": "1"}, {"name": 1}):
        with pytest.raises(TypeError):
            xichan.Map(**options)


def test_stats_name_the_bounds_and_count_reads():
    table = xichan.Map(max_items=5, ttl=10)
    table["a"] = 1
    table.get("a")
    table.get("b")
    found = table.stats()
    assert (found.items, found.max_items, found.max_bytes, found.ttl) == (1, 5, None, 10)
    assert (found.hits, found.misses, found.evicted, found.expired) == (1, 1, 0, 0)


def work(table, seed, rounds):
    import random

    generator = random.Random(seed)
    for i in range(rounds):
        key = generator.randrange(100)
        table.add(("count", key))
        table["value", key] = (key, "v" * generator.randrange(60))
        found = table.get(("value", generator.randrange(100)))
        assert found is None or found[1] == "v" * len(found[1])
        table.update_with("all", lambda n: n + 1, 0)
        if i % 5 == 0:
            table.pop(("value", generator.randrange(100)), None)
        if i % 50 == 0:
            assert all(value[0] == name[1] for name, value in table.items() if name[0] == "value")
    return rounds


@pytest.mark.parametrize("bounded", [False, True])
def test_four_interpreters_lose_no_update(bounded):
    table = xichan.Map(max_items=100_000) if bounded else xichan.Map()
    with xichan.InterpreterPoolExecutor(4) as pool:
        rounds = sum(future.result(120) for future in [pool.submit(work, table, seed, 1500) for seed in range(4)])
    assert table["all"] == rounds
    assert sum(value for name, value in table.items() if name[0] == "count") == rounds


def test_popitem_finds_an_entry_of_a_map_that_is_never_empty(table):
    """Another interpreter stores the next key before it removes the last one."""
    table[0] = 0
    stop = xichan.Event()
    with interpreter(table=table, stop=stop) as interp:
        call = execute(
            interp,
            """
            while not stop.is_set():
                for key in range(16):
                    table[(key + 1) % 16] = 0
                    table.pop(key, None)
            """,
        )
        try:
            for _ in range(100_000):
                key, value = table.popitem()
                table[key] = value
        finally:
            stop.set()
            call.result()
