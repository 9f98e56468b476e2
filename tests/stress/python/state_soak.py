"""Values of shared objects are replaced while interpreters read them without a copy; memory does not grow.

The argument is the number of values. Two interpreters replace the values of a Cell, of a Map with max_items and a ttl,
and of a broadcast that drops the oldest; one reads them with copy=False; and one holds a view of each until the end.
"""

import gc
import os
import random
import time

from common import HERE, assert_released, feed_watchdog, size
from support import Call, alive, interpreter

import xichan

WRITERS = 2
SAMPLES = 20  # of resident memory
# Bytes over the last three quarters. What the Map holds varies by megabytes; 75,000 values have 250 MB.
MOST_GROWTH = 8 << 20

PRELUDE = f"import sys; sys.path[:0] = [{HERE!r}]; from common import TESTS; import state_soak"


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def made_values():
    """Return values of all sizes: in a Cell itself, in a block, in a large one, and lent."""
    text = "a text that needs a block"
    return [7, text, text * 40, {"limit": 10, "names": [text, text]}, (1.5, text, b"x" * 3000), b"y" * 20_000, 2**70]


def write(objects, number, seed):
    """Replace this many values."""
    cell, table, count, tx, _, done, _ = objects
    rng, values = random.Random(seed), made_values()
    for i in range(0, number, 3):
        value = values[rng.randrange(len(values))]
        cell.set(value)
        table[rng.randrange(3000)] = value
        tx.send(value)
        count.add()
        if i % 300 == 0:
            done.add(300)


def read(objects):
    """Read with copy=False until the end."""
    cell, table, count, _, subscribe, _, end = objects
    rng = random.Random()
    rx = subscribe()
    kept = []
    while not end.is_set():
        kept.append((cell.get(copy=False), table.get(rng.randrange(3000), copy=False), count.value))
        try:
            kept.append(rx.recv(timeout=0.01, copy=False))
        except (xichan.Lagged, xichan.ChannelTimeout):
            pass
        if len(kept) > 100:
            kept.clear()
            table.snapshot() if rng.random() < 0.01 else None


def hold(objects):
    """Hold views of values that are replaced long since."""
    cell, table, _, _, subscribe, _, end = objects
    views = [cell.get(copy=False), table.get("held", copy=False)]
    rx = subscribe()  # now the others begin
    while len(views) < 3:
        try:
            views.append(rx.recv(timeout=30, copy=False))
        except xichan.Lagged:
            pass
    end.wait()
    assert list(views[0]) == list(views[1]) == ["held"] * 100, views
    assert views[2] is not None


def main():
    number = size()
    before = alive()
    start = time.monotonic()
    print("state_soak: resident memory while values are replaced", flush=True)
    cell, table, end = xichan.Cell(("held",) * 100), xichan.Map(max_items=1000, ttl=5), xichan.Event()
    table.set("held", ("held",) * 100, ttl=float("inf"))
    tx, subscribe = xichan.broadcast(100, overflow="drop_oldest")
    done = xichan.AtomicInt()
    objects = (cell, table, xichan.AtomicInt(), tx, subscribe, done, end)
    contexts = [interpreter(objects=objects) for _ in range(WRITERS + 2)]
    interps = [context.__enter__() for context in contexts]
    for interp in interps:
        interp.exec(PRELUDE)
    reads = [Call(interps[k].exec, f"state_soak.{name}(objects)") for k, name in enumerate(("hold", "read"))]
    while subscribe.subscribers < 2:
        time.sleep(0.001)
    writes = [
        Call(interp.exec, f"state_soak.write(objects, {number // WRITERS}, {k})")
        for k, interp in enumerate(interps[2:])
    ]
    samples, seen, fed = [], 0, start
    while any(call.is_alive() for call in writes):
        if done.value >= number * len(samples) / SAMPLES:
            samples.append(rss())
            print(
                f"    {done.value:>9} values, {time.monotonic() - start:6.1f} s: {samples[-1] >> 10} KiB resident",
                flush=True,
            )
        if done.value > seen and time.monotonic() > fed + 5:
            seen, fed = done.value, time.monotonic()
            feed_watchdog()
        time.sleep(0.01)
    for call in writes:
        call.result()
    samples.append(rss())
    grown = samples[-1] - max(samples[len(samples) // 8 : len(samples) // 4 + 1])
    end.set()
    for call in reads:
        call.result()
    for context in contexts:
        context.__exit__(None, None, None)
    del objects, cell, table, end, tx, subscribe, done
    gc.collect()
    assert_released(before)
    assert grown <= MOST_GROWTH, f"{grown} bytes grown over the last three quarters"
    print(f"state_soak: {number} values, memory grew by {grown} bytes over the last three quarters")


if __name__ == "__main__":
    main()
