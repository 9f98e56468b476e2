"""A million channels nested in one another, and values nested a million deep: create, move and release them at once."""

import gc
import time

from common import assert_released, feed_watchdog, size
from support import Call, alive, same

import xichan


def chain(length):
    tx, rx = xichan.channel(1)
    for _ in range(length):
        outer_tx, outer_rx = xichan.channel(1)
        outer_tx.send((tx, rx))
        tx, rx = outer_tx, outer_rx
    return tx, rx


def release(tx, rx, way):
    if way == "shutdown":
        tx.shutdown(immediate=True)
    elif way == "receive":
        assert len(rx.recv()) == 2
    tx.close()
    rx.close()


def deep(depth):
    value = ("bottom", 0.5)
    for _ in range(depth):
        value = (value, None)
    tx, rx = xichan.channel(1)
    tx.send(value)
    assert same(rx.recv(), value)


def main():
    length = size()
    gc.disable()  # each collection would traverse the whole chain
    before = alive()
    for way in ("close", "shutdown", "receive", "in a thread"):
        tx, rx = chain(length)
        feed_watchdog()
        start = time.perf_counter()
        if way == "in a thread":
            import threading

            threading.stack_size(256 * 1024)
            Call(release, tx, rx, way).result()
        else:
            release(tx, rx, way)
        print(f"chains: {length} channels, {way}: {time.perf_counter() - start:.2f} s")
        del tx, rx
        assert_released(before)
        feed_watchdog()
    Call(deep, length).result()
    assert_released(before)


if __name__ == "__main__":
    main()
