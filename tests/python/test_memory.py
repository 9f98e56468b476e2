"""The arena's limit and its statistics."""

import pytest
from support import alive

import xichan

BIG = b"x" * 10_000


def test_statistics_are_items_and_attributes():
    stats = xichan.memory_stats()
    assert set(stats) == {"blocks", "bytes", "high_water", "limit", "cached", "classes"}
    for name, value in stats.items():
        assert stats[name] == getattr(stats, name) == value
    assert dict(stats) == stats and isinstance(stats, xichan.Stats)
    assert repr(stats).startswith("Stats(blocks=")
    with pytest.raises(AttributeError, match="no_such_thing"):
        stats.no_such_thing  # noqa: B018
    with pytest.raises(KeyError):
        stats["no_such_thing"]


def test_statistics_follow_what_is_queued():
    tx, rx = xichan.channel()
    before = xichan.memory_stats()
    tx.send(1)
    tx.send("short")
    assert xichan.memory_stats() == before, "what fits a cell costs nothing"
    tx.send(BIG)
    tx.send((BIG, "x" * 1000))
    full = xichan.memory_stats()
    assert full.blocks == before.blocks + 2
    assert 21_000 <= full.bytes - before.bytes < 22_000
    assert full.high_water >= full.bytes
    for _ in range(4):
        rx.recv()
    after = xichan.memory_stats()
    assert (after.blocks, after.bytes) == (before.blocks, before.bytes)
    assert after.high_water >= full.bytes
    assert before.limit is None


def test_over_the_limit_nothing_waits_and_nothing_is_lost():
    tx, rx = xichan.channel()
    xichan.set_memory_limit(alive()["bytes"] + 55_000)
    assert xichan.memory_stats().limit == alive()["bytes"] + 55_000
    sent = 0
    with pytest.raises(xichan.ArenaFull):
        while True:
            tx.send((sent, BIG))
            sent += 1
    assert sent == 5 and len(rx) == 5
    before = alive()
    for refused in (lambda: tx.send((0, BIG)), lambda: tx.send_nowait((0, BIG)), lambda: tx.send((0, BIG), timeout=9)):
        with pytest.raises(MemoryError):
            refused()
    assert alive() == before
    tx.send("what fits a cell goes on")
    assert rx.recv() == (0, BIG)
    tx.send((sent, BIG))  # there is room again
    assert [rx.recv() for _ in range(6)] == [(i, BIG) for i in range(1, 5)] + ["what fits a cell goes on", (5, BIG)]
    xichan.set_memory_limit(0)
    with pytest.raises(xichan.ArenaFull):
        tx.send(BIG)
    assert xichan.is_shareable(BIG), "looking needs no memory"
    xichan.set_memory_limit(None)
    tx.send(BIG)
    assert rx.recv() == BIG


@pytest.mark.parametrize("limit", [0, 1, 2**32, 2**63, 2**64 - 2])
def test_limits_that_are_taken(limit):
    xichan.set_memory_limit(limit)
    assert xichan.memory_stats().limit == limit


@pytest.mark.parametrize(
    "limit, error",
    [(-1, ValueError), (2**64, ValueError), (10**100, ValueError), (-(2**63), ValueError), (1.0, TypeError),
     (True, TypeError), ("1", TypeError), ((), TypeError)],
    ids=repr,
)  # fmt: skip
def test_limits_that_are_refused(limit, error):
    xichan.set_memory_limit(1000)
    with pytest.raises(error):
        xichan.set_memory_limit(limit)
    assert xichan.memory_stats().limit == 1000
