"""Memory goes back to the system: after a burst, with its channels, and from threads that block. The limit and the
statistics include rings.

Each test measures a process of its own. The bounds are generous: what Python itself keeps is part of what is measured.
"""

import pytest
from support import run_script

import xichan

MEASURE = """
import gc, os, threading, time
import xichan

MIB = 1 << 20

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

def mappings():
    with open("/proc/self/maps") as file:
        return sum(1 for _ in file)

def burst(tx, rx, values):
    for value in values:
        tx.send(value)
    full = resident()
    for _ in values:
        rx.recv()
    return full

xichan.memory_stats()  # imports what it needs
"""


def measure(script, *arguments):
    run_script(MEASURE + "\n" + script, *arguments, timeout=200)


@pytest.mark.parametrize("size", [200, 2000, 20_000, 100_000, 2_000_000])
def test_memory_of_a_drained_burst_is_returned_by_trim(size):
    measure(
        """
import sys
size = int(sys.argv[1])
count = 60_000_000 // size
tx, rx = xichan.channel(None)
value = bytearray(b"q" * size)  # bytes would be lent
burst(tx, rx, [value] * 10)
xichan.trim()
before = resident()
full = burst(tx, rx, [value] * count)
assert full > before + 50 * MIB, (before, full)
returned = xichan.trim()
assert type(returned) is int and returned > 0
after = resident()
assert after < before * 1.1 + 2 * MIB, (before, full, after)
assert xichan.memory_stats().cached == 0
""",
        str(size),
    )


def test_memory_of_a_drained_burst_is_returned_without_a_call():
    measure("""
tx, rx = xichan.channel(None)
value = b"q" * 200
burst(tx, rx, [value] * 10)
before = resident()
full = burst(tx, rx, [value] * 300_000)
assert full > before + 50 * MIB, (before, full)
after = resident()
assert after < before * 1.1 + 5 * MIB, (before, full, after)
""")


def test_memory_is_returned_while_threads_wait():
    measure("""
tx, rx = xichan.channel(None)
back, done = xichan.channel(None)

def work():
    for value in rx:
        back.send(value)
    back.close()

thread = threading.Thread(target=work)
thread.start()
value = bytearray(b"q" * 100_000)  # bytes would be lent
tx.send(value), done.recv()
before = resident()
for _ in range(200):
    tx.send(value)
for _ in range(200):
    done.recv()
deadline = time.monotonic() + 60
while xichan.memory_stats().cached > 2 * MIB:  # the waiting thread returns it
    assert time.monotonic() < deadline, xichan.memory_stats()
    time.sleep(0.05)
assert resident() < before * 1.1 + 4 * MIB
tx.close()
thread.join()
""")


def test_waiting_thread_returns_memory_that_another_frees_later():
    measure("""
tx, rx = xichan.channel(None)
mine, yours = xichan.channel(None)
thread = threading.Thread(target=rx.recv)
thread.start()
while rx.stats().waiting_receivers == 0:
    time.sleep(0.01)
value = bytearray(b"q" * 100_000)  # bytes would be lent
for _ in range(2):
    for _ in range(200):
        mine.send(value)
    for _ in range(200):
        yours.recv_nowait()
    deadline = time.monotonic() + 60
    while xichan.memory_stats().cached > 2 * MIB:
        assert time.monotonic() < deadline, xichan.memory_stats()
        time.sleep(0.05)
tx.send(None)
thread.join()
""")


@pytest.mark.parametrize("capacity", ["1024", "64", "None", "0", "2**20"])
def test_unused_channels_take_little_memory_and_return_it(capacity):
    measure(
        """
import sys
capacity = eval(sys.argv[1])
count = 20 if capacity == 2**20 else 20_000
kept = [xichan.channel(capacity) for _ in range(100)]
del kept
xichan.trim()
before = resident()
channels = [xichan.channel(capacity) for _ in range(count)]
full = resident()
assert full - before < count * 8192 + 2 * MIB, (full - before) / count
for tx, _ in channels[:100]:
    tx.send_nowait(1) if capacity != 0 else None
del tx, _
channels.clear()
after = resident()
# What is left belongs to Python's own allocator.
assert after < before * 1.1 + 8 * MIB, (before, full, after)
""",
        capacity,
    )


def test_many_large_blocks_take_few_mappings():
    measure("""
before = mappings()
values = [xichan.share(b"q" * 40_000) for _ in range(10_000)]
del values[::2]
assert mappings() < before + 200
values += [xichan.share(b"q" * 90_000) for _ in range(2_000)]
assert mappings() < before + 200
""")


def test_limit_includes_unbounded_channels():
    measure("""
xichan.set_memory_limit(MIB)
tx, rx = xichan.channel(None)
before, sent = resident(), 0
for send in (tx.send, tx.send_nowait, lambda value: tx.send(value, timeout=60)):
    try:
        while True:
            send("short")
            sent += 1
            assert sent < 1_000_000
    except xichan.MemoryLimitExceeded:
        pass
assert len(rx) == sent > 30_000
assert resident() < before + 9 * MIB
assert xichan.memory_stats().rings > MIB
for _ in range(sent):
    assert rx.recv() == "short"
tx.send("there is room again")
assert rx.recv() == "there is room again"
""")


def test_limit_includes_bounded_channels():
    measure("""
xichan.set_memory_limit(MIB)
try:
    xichan.channel(2**20)
except xichan.MemoryLimitExceeded:
    pass
else:
    raise AssertionError("24 MiB under a limit of 1 MiB")
channels = []
try:
    for _ in range(1000):
        channels.append(xichan.channel())
except xichan.MemoryLimitExceeded:
    pass
assert 150 < len(channels) < 300, len(channels)
channels.clear()
gc.collect()
assert xichan.memory_stats().bytes == 0 == xichan.memory_stats().rings
xichan.channel()
""")


def test_memory_stats_count_rings():
    before = xichan.memory_stats().rings
    channel = xichan.channel(1000)
    assert xichan.memory_stats().rings == before + 24_000
    del channel
    assert xichan.memory_stats().rings == before


def test_trim_returns_bytes_and_keeps_values():
    tx, rx = xichan.channel()
    values = [b"x" * 1000, "y" * 100_000, (1, b"z" * 50)]
    for value in values:
        tx.send(value)
    assert xichan.trim() >= 0
    assert [rx.recv() for _ in values] == values
    assert xichan.trim() > 0
    assert xichan.trim() == 0
    with pytest.raises(TypeError):
        xichan.trim(1)
