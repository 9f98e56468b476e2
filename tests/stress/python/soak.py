"""Random values pass through a channel unchanged, bit for bit, while memory does not grow."""

import os
import random

from common import assert_released, feed_watchdog, size
from support import alive, random_value, same

import xichan


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def main():
    number = size()
    before = alive()
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    tx, rx = xichan.channel(4)
    base = None
    for i in range(number):
        value = random_value(rng)
        tx.send(value)
        assert same(rx.recv(), value), f"seed {seed}, value number {i}: {value!r}"
        if i == number // 4:
            base = rss()
        if i % 20_000 == 0:
            feed_watchdog()
    grown = rss() - base
    del tx, rx
    assert_released(before)
    assert grown <= 256 * 1024, f"{grown} bytes grown over the last three quarters"
    print(f"soak: {number} values, seed {seed}, memory grew by {grown} bytes")


if __name__ == "__main__":
    main()
