"""A million channels queued in one another, and values a million tuples deep: made, moved and released at once."""

import gc
import time

from common import progress, settle, size
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
    gc.disable()  # it would walk all of it again and again
    before = alive()
    for way in ("close", "shutdown", "receive", "in a thread"):
        tx, rx = chain(length)
        progress()
        start = time.perf_counter()
        if way == "in a thread":
            import threading

            threading.stack_size(256 * 1024)
            Call(release, tx, rx, way).result()
        else:
            release(tx, rx, way)
        print(f"chains: {length} channels, {way}: {time.perf_counter() - start:.2f} s")
        del tx, rx
        settle(before)
        progress()
    Call(deep, length).result()
    settle(before)


if __name__ == "__main__":
    main()
