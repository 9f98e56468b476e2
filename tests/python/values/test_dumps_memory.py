"""Memory of dumps() and loads(): bounds, failing allocations, leaks."""

import sys

import pytest
from support import alive, left_over, rich, same
from support.dump_format import cell, loads_error, with_body
from support.memory import fail_each_allocation, loop_without_leak, run_without_memory

import xichan


def test_small_input_never_decodes_to_a_large_value():
    """Input: a million references to one text of a megabyte."""
    count, size = 1_000_000, 1 << 20
    text = cell(0x0B, size, 16 * (count + 1), mark=1)
    payload = b"x" * size + b"\0" * 16
    value = xichan.loads(with_body(cell(0x11, count, 16) + text + cell(0x23, 0, 16) * (count - 1) + payload))
    assert len(value) == count
    assert all(item is value[0] for item in value)
    # Without the mark, or as so many cells of the same payload, it is none.
    text = cell(0x0B, size, 16 * 4)
    assert "not next in order" in loads_error(with_body(cell(0x11, 3, 16) + text * 3 + payload))
    assert "not marked" in loads_error(with_body(cell(0x11, 3, 16) + text + cell(0x23, 0, 16) * 2 + payload))


def test_objects_are_proportional_to_the_input():
    """The documentation promises at most six bytes of objects per byte of dump."""
    kinds = ["é" * 14, "\u20ac" * 7, "\U0001f600" * 3, "a" * 14, b"x" * 14, "a" * 15, "\u20ac" * 8, b"x" * 15]
    for kind in (*kinds, 2**40, 2**64, 1.5, (None,)):
        dumped = len(xichan.dumps((kind,))) - len(xichan.dumps((None,))) + 16
        made = -(-sys.getsizeof(kind) // 16) * 16 + 8  # as the allocator rounds, and its place in a tuple
        assert made <= 6 * dumped, kind


def test_loads_respects_the_memory_limit():
    data = xichan.dumps(("x" * 100_000,))
    xichan.set_memory_limit(50_000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.loads(data)
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.dumps(("x" * 100_000,))


@pytest.mark.parametrize("name", ["dumps", "loads"])
def test_dumps_survives_each_failing_arena_allocation(name):
    value, data = rich(), xichan.dumps(rich())
    call, expected = {"dumps": (lambda: xichan.dumps(value), data), "loads": (lambda: xichan.loads(data), value)}[name]
    before = alive()

    def nothing_came_of_it():
        assert alive() == before

    assert same(fail_each_allocation(call, nothing_came_of_it), expected)
    assert left_over(before) == {}


def test_dumps_survives_each_failing_python_allocation():
    run_without_memory(
        """
    from support import rich

    tx, rx = xichan.channel(1)
    value = rich()
    data = xichan.dumps(value)

    def refused():
        try:
            xichan.dumps((1, (2, tx)))
        except xichan.NotShareableError:
            return "refused"

    def malformed():
        try:
            xichan.loads(data[:-1])
        except ValueError:
            return "malformed"

    for call in (lambda: xichan.dumps(value), lambda: xichan.loads(data), refused, malformed):
        for n in range(1000):
            done, result = without_memory(n, call)
            if done:
                break
        assert done and n >= 1, n
        assert result in ("refused", "malformed") or same(result, value) or result == data
    del tx, rx, refused, call
    assert left_over(before) == {}
    """,
        timeout=200,
    )


LOOPS = {
    "round trips": "xichan.loads(xichan.dumps((i, 'x' * 100, (b'y' * 1000, 2**100))))",
    "refused values": "for value in (tx,), object(): refused(lambda: xichan.dumps((1, 'x' * 100, value)))",
    "refused input": "for arguments in (data[:-1],), (spoiled,), (): refused(lambda: xichan.loads(*arguments))",
}


@pytest.mark.parametrize("name", LOOPS)
def test_dumps_and_loads_leak_no_memory(name):
    loop_without_leak(
        LOOPS[name],
        """
        data = xichan.dumps((1, 'x' * 100, (b'y' * 1000, 2**100)))
        spoiled = bytearray(data)
        spoiled[16] = 0x30
        """,
        rounds=3000,
    )
