"""Interpreters close while objects that they lent are in queues and in views of other interpreters.

The readers check the contents of each message at once and those of a view that outlives many more senders. Afterwards
nothing is lent, and the process has the memory that it had after the first tenth of the rounds, within 32 MiB.

Ends after the given number of interpreters, or after twenty minutes.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from common import assert_released, feed_watchdog, receive_result, size
from support import alive, execute, interpreter

import xichan

LIMIT = 1200  # seconds
EACH = 6  # messages of one interpreter
READERS = 2

MAKE = """
def make(number):
    size = 9_000 + number * 37 % 40_000
    if number % 3 == 0:
        return number.to_bytes(4, "big") * (size // 4)
    letter = chr(0xe9) if number % 3 == 1 else chr(0x20ac)
    return f"{number} {letter}" * (size // 8)
"""

# The interpreter ends with a reference of its own to the first object, and without one to the others.
SEND = """
first = make(EACH * round)
tx.send(first)
for i in range(1, EACH):
    value = make(EACH * round + i)
    tx.send((EACH * round + i, value) if i % 2 else [EACH * round + i, {"value": value}])
del value
"""

READ = """
held, items = {}, 0
for message in rx.views():
    if len(message) == 2:
        number, value = message
        value = value if number % 2 else value["value"]
    else:
        number, value = int.from_bytes(message[:4], "big"), message
    del message
    assert value == make(number), number
    if number % 5 == 0:
        held[number] = value
    if len(held) == 200:
        for number, value in held.items():
            assert value == make(number), number
        held.clear()
    del value
    items += 1
held.clear()
results.send(items)
"""


def resident():
    xichan.trim()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def lend(tx, number):
    with interpreter(tx=tx, round=number, EACH=EACH) as interp:
        interp.exec(MAKE + SEND)


def main():
    rounds = size()
    before = alive()
    start = time.monotonic()
    tx, rx = xichan.channel(64)
    results_tx, results = xichan.channel(READERS)
    with (
        interpreter(rx=rx, results=results_tx, EACH=EACH) as one,
        interpreter(rx=rx, results=results_tx, EACH=EACH) as other,
    ):
        rx.close()
        readers = [execute(reader, "import xichan\n" + MAKE + READ) for reader in (one, other)]
        number, warm = 0, None
        with ThreadPoolExecutor(2) as pool:
            while number < rounds and time.monotonic() - start < LIMIT:
                list(pool.map(lend, [tx] * 2, [number, number + 1]))
                number += 2
                if warm is None and number >= rounds / 10:
                    warm = resident()
                feed_watchdog()
        tx.close()
        received = sum(receive_result(results, readers) for _ in range(READERS))
        for reader in readers:
            reader.result()
        assert received == EACH * number, (received, number)
    lent = xichan.memory_stats().lent_bytes
    assert lent == 0, lent
    grown = resident() - warm
    assert grown < 32 << 20, f"{grown:,} bytes more than after a tenth of the rounds"
    del tx, rx, results, results_tx
    assert_released(before)
    print(
        f"lent_exit: {number} interpreters closed in {time.monotonic() - start:.0f} s, {received} messages intact, "
        f"nothing lent, resident memory {grown / (1 << 20):+.1f} MiB since the first tenth"
    )


if __name__ == "__main__":
    main()
