"""Received containers have the same types and values, and one object in the message arrives as one object."""

import contextlib
import gc
import math
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run_on_small_stack

import xichan

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20), st.binary(max_size=20),
    st.complex_numbers(allow_nan=False),
)  # fmt: skip
KEYS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.frozensets(inner, max_size=3)),
    max_leaves=5,
)
VALUES = st.recursive(
    st.one_of(LEAVES, st.binary(max_size=9).map(bytearray), st.just(...)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
        st.builds(slice, inner, inner, inner),
    ),
    max_leaves=25,
)


def deliver(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


def same(one, other):
    """Compare exactly: types, the order of dicts, the bits of floats."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, slice):
        return same((one.start, one.stop, one.step), (other.start, other.stop, other.step))
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and one == other
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@given(VALUES)
def test_containers_arrive_unchanged(value):
    assert same(deliver(value), value)
    assert same(deliver([(value,), value])[0][0], value)


@pytest.mark.parametrize(
    "value",
    [
        [], {}, set(), frozenset(), (), bytearray(), bytearray(b"x" * 5), bytearray(b"x" * 5000),
        range(0), range(5, 1, -2),
        range(10**30, 10**31, 10**29), slice(None), slice(1, "a", [2]), ..., complex(-0.0, math.inf), [[]], [{}],
        {1: {}}, {(1, 2): [3], frozenset({4}): {5}}, {"a": 1, "b" * 40: 2, "\xe9": 3, "\u20ac": 4, "\U0001f600": 5},
        {n: str(n) for n in range(1000)}, set(range(1000)), {1.5, None, True, b"", "", (), frozenset()},
        {float("inf"): 1}, list(range(1000)), [[1, [2, [3, {4: (5, [6])}]]]],
    ],
)  # fmt: skip
def test_values_arrive_unchanged(value):
    assert same(deliver(value), value)
    assert same(deliver({"in": [value]}), {"in": [value]})


@pytest.mark.skipif(sys.version_info < (3, 15), reason="has no frozendict")
def test_frozendicts_arrive_unchanged():
    value = frozendict({"a": 1, (2, 3): [4], frozendict({5: 6}): None})  # noqa: F821
    received = deliver([value, value])
    assert type(received[0]) is frozendict  # noqa: F821
    assert received[0] == value and list(received[0].items()) == list(value.items())
    assert received[0] is received[1] and hash(deliver(frozendict(a=1))) == hash(frozendict(a=1))  # noqa: F821


def test_one_container_arrives_as_one_object():
    for inner in ([1], {1: 2}, {3}, bytearray(b"4"), frozenset({5}), (6, [7]), [], {}, set(), bytearray(), slice([8])):
        received = deliver([inner, (inner, {"k": inner}), inner])
        assert received[0] is received[1][0] is received[1][1]["k"] is received[2], inner
    one, other = deliver([[], []])
    assert one is not other


def test_containers_that_contain_themselves_arrive_so():
    items = [1]
    items += [items, (items,)]
    received = deliver(items)
    assert received[1] is received and received[2][0] is received
    entries = {"list": []}
    entries["self"] = entries
    entries["list"].append(entries)
    received = deliver(entries)
    assert received["self"] is received and received["list"][0] is received
    cycle = ([],)
    cycle[0].append(cycle)
    received = deliver(cycle)
    assert received[0][0] is received
    part = slice([], None)
    part.start.append(part)
    received = deliver(part)
    assert received.start[0] is received


def test_an_equal_key_becomes_one_str():
    rows = deliver([{"name": 1, "a key of more than 14 letters": 2} for _ in range(3)])
    keys = [list(row) for row in rows]
    assert keys[0][0] is keys[1][0] is keys[2][0] is next(iter(deliver({"name": 5})))


def test_a_thousand_keys_of_one_length_arrive_unchanged():
    names = [f"{n:04}" for n in range(5000)]
    for _ in range(2):
        assert list(deliver(dict.fromkeys(names))) == names


def test_nested_containers_need_no_stack():
    def nest(depth, wrap):
        value = wrap(None)
        for _ in range(depth):
            value = wrap(value)
        return value

    def check():
        for wrap in (
            lambda value: [value],
            lambda value: {"k": value},
            lambda value: (value,),
            lambda value: [(value,)],
        ):
            received, depth = deliver(nest(50_000, wrap)), 0
            while received is not None:
                received = next(iter(received.values() if isinstance(received, dict) else received))
                depth += 1
            assert depth in (50_001, 100_002)

    run_on_small_stack(check)


def test_many_references_to_one_container_cost_one_object():
    inner = ["x"]
    for _ in range(60):
        inner = [inner, inner]  # 2**60 leaves if it were written out
    received = deliver(inner)
    for _ in range(60):
        assert received[0] is received[1]
        received = received[0]
    assert received == ["x"]


def test_keys_that_python_cannot_hash_are_refused():
    deep = ()
    for _ in range(1500):
        deep = (deep, deep)
    small = ()
    for _ in range(500):
        small = (small,)
    assert deliver({small: 1}) == {small: 1}
    tx, rx = xichan.channel(2)
    with contextlib.suppress(ValueError, RecursionError):  # hashing it here takes time, or overflows the stack
        key = frozenset([((),)])
        for _ in range(1200):
            key = frozenset([key])
        tx.send({key})
        tx.send("next")
        with pytest.raises(xichan.DecodeError, match="nested too deeply") as caught:
            rx.recv()
        assert caught.value.record is None
        assert rx.recv() == "next"


def test_received_containers_are_known_to_the_collector():
    received = deliver([[1], {"a": [2]}, {3}, (4, [5])])
    for container in (received, received[0], received[1], received[1]["a"], received[3]):
        assert gc.is_tracked(container)
    received.append(received)
    received = None
    gc.collect()


def test_many_memory_failures_lose_nothing():
    value = [{"a": [1, (2, {3})], "b" * 20: bytearray(b"4")}, slice([1]), range(10**20), frozenset({(5,)})]
    testcapi = pytest.importorskip("_testcapi")
    tx, rx = xichan.channel(1)
    tx.send(value)
    failures = 0
    while True:
        testcapi.set_nomemory(failures + 1, failures + 2)
        try:
            received = rx.recv_nowait()
        except MemoryError:
            failures += 1
            continue
        finally:
            testcapi.remove_mem_hooks()
        break
    assert failures > 3 and received == value
