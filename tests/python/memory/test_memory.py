"""The arena's limit and its statistics."""

import dataclasses

import pytest
from support import alive, run_script

import xichan

BIG = b"x" * 10_000


def test_memory_stats_returns_a_frozen_record():
    stats = xichan.memory_stats()
    names = [field.name for field in dataclasses.fields(stats)]
    assert names == ["blocks", "bytes", "high_water", "limit", "cached", "rings", "lent_bytes", "classes"]
    for name in names:
        value = getattr(stats, name)
        assert type(value) is {"classes": tuple}.get(name, int) or (name == "limit" and value is None)
        with pytest.raises(AttributeError):
            setattr(stats, name, value)
    assert type(stats) is xichan.MemoryStats and stats == dataclasses.replace(stats)
    assert repr(stats).startswith("MemoryStats(blocks=")
    assert all(type(record) is xichan.MemoryClass for record in stats.classes)
    with pytest.raises(AttributeError, match="no_such_thing"):
        stats.no_such_thing  # noqa: B018
    with pytest.raises(TypeError):
        stats["blocks"]


def test_memory_stats_follow_queued_values():
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


def test_over_the_limit_sends_fail_at_once_and_lose_nothing():
    tx, rx = xichan.channel()
    xichan.set_memory_limit(alive()["bytes"] + 55_000)
    assert xichan.memory_stats().limit == alive()["bytes"] + 55_000
    sent = 0
    with pytest.raises(xichan.MemoryLimitExceeded):
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
    with pytest.raises(xichan.MemoryLimitExceeded):
        tx.send(BIG)
    assert xichan.is_shareable(BIG), "looking needs no memory"
    xichan.set_memory_limit(None)
    tx.send(BIG)
    assert rx.recv() == BIG


@pytest.mark.parametrize("limit", [0, 1, 2**32, 2**63, 2**64 - 2])
def test_valid_limits_are_accepted(limit):
    xichan.set_memory_limit(limit)
    assert xichan.memory_stats().limit == limit


@pytest.mark.parametrize(
    "limit, error",
    [(-1, ValueError), (2**64, ValueError), (10**100, ValueError), (-(2**63), ValueError), (1.0, TypeError),
     (True, TypeError), ("1", TypeError), ((), TypeError)],
    ids=repr,
)  # fmt: skip
def test_invalid_limits_are_rejected(limit, error):
    xichan.set_memory_limit(1000)
    with pytest.raises(error):
        xichan.set_memory_limit(limit)
    assert xichan.memory_stats().limit == 1000


def test_classes_count_live_and_cached_blocks():
    def classes():
        return {record.size: (record.alive, record.cached) for record in xichan.memory_stats().classes}

    tx, rx = xichan.channel()
    xichan.set_memory_limit(None)  # releases what this thread has cached
    before = classes()
    tx.send(bytearray(BIG))  # bytes would be lent
    tx.send(bytearray(100_000))
    (size,) = [n for n in classes() if n is not None and n >= len(BIG) and classes()[n][0] > before.get(n, (0, 0))[0]]
    assert len(BIG) < size < len(BIG) * 17 / 16 + 100
    assert classes()[None][0] == before.get(None, (0, 0))[0] + 1, "one larger than any class"
    kept = xichan.memory_stats().cached
    rx.recv()
    rx.recv()
    assert classes()[size][1] == before.get(size, (0, 0))[1] + 1
    assert xichan.memory_stats().cached >= kept + size + 100_000
    xichan.set_memory_limit(None)
    assert xichan.memory_stats().cached <= kept
    assert [record.size for record in xichan.memory_stats().classes if record.size is None] in ([], [None])


def test_memory_of_the_process_stays_within_a_tenth_of_the_limit():
    run_script("""
    import os, threading
    import xichan

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    LIMIT = 64 << 20
    xichan.set_memory_limit(LIMIT)
    tx, rx = xichan.channel(capacity=None)

    def fill(value):
        sent = 0
        try:
            while True:
                tx.send(value)
                sent += 1
        except xichan.MemoryLimitExceeded:
            return sent

    def drain(count):
        for _ in range(count):
            rx.recv()

    # The segments of the queue, the memory that Python keeps, and the modules imported on first use.
    fill(b"x" * 5000), rx.drain(), xichan.memory_stats()
    before = resident()
    for size in (1 << 20, 100_000, 10_000, 3000, 40_000, 1 << 20, 500):
        value = b"x" * size
        count = fill(value)
        assert xichan.memory_stats().bytes + size + 100 > LIMIT - 200
        grown = resident() - before
        assert grown <= LIMIT * 1.1, (size, grown)
        thread = threading.Thread(target=drain, args=(count,))  # freed on another thread
        thread.start()
        thread.join()
        assert xichan.memory_stats().bytes == 0 and len(rx) == 0
        assert xichan.memory_stats().cached <= LIMIT / 32 + 2 * LIMIT / 256
    assert fill(b"x" * 10_000) > LIMIT / 10_200, "it recovers"
    """)
