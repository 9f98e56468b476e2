"""Generated values through a channel and back, bit for bit, while the memory stays where it is."""

import os
import random

from common import progress, settle, size
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
            progress()
    grown = rss() - base
    del tx, rx
    settle(before)
    assert grown <= 256 * 1024, f"{grown} bytes grown over the last three quarters"
    print(f"soak: {number} values, seed {seed}, grown by {grown} bytes")


if __name__ == "__main__":
    main()
