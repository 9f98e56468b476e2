"""Interpreters close while items they sent are queued: another interpreter receives all of them intact.

Ends after the given number of interpreters, or after ten minutes.
"""

import time

from common import assert_released, feed_watchdog, receive_result, size
from support import alive, execute, interpreter

import xichan

LIMIT = 600  # seconds

SEND = """
for i in range(20):
    tx.send((round, i, "text that needs a block", (b"x" * i, 2**100 + i), tx if i == 7 else None))
"""

RECEIVE = """
items = 0
for number, index, text, (data, large), end in rx:
    assert (number, index) == divmod(items, 20) and text == "text that needs a block"
    assert data == b"x" * index and large == 2**100 + index
    assert (end is not None) == (index == 7)
    del end
    items += 1
results.send(items)
"""


def main():
    rounds = size()
    before = alive()
    start = time.monotonic()
    tx, rx = xichan.channel(64)
    results_tx, results = xichan.channel(1)
    with interpreter(rx=rx, results=results_tx) as reader:
        rx.close()
        reading = execute(reader, RECEIVE)
        number = 0
        while number < rounds and time.monotonic() - start < LIMIT:
            with interpreter(tx=tx, round=number) as interp:
                interp.exec(SEND)
            number += 1
            feed_watchdog()
        tx.close()
        assert receive_result(results, [reading]) == 20 * number
        reading.result()
    del tx, rx, results, results_tx
    assert_released(before)
    print(f"sender_exit: {number} interpreters closed in {time.monotonic() - start:.0f} s, {number * 20} items intact")


if __name__ == "__main__":
    main()
