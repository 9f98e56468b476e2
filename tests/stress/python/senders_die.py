"""Interpreters that close with items queued: all are received intact, in another interpreter.

As many as told, or as ten minutes allow.
"""

import time

from common import checked, progress, settle, size
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
answers.send(items)
"""


def main():
    rounds = size()
    before = alive()
    start = time.monotonic()
    tx, rx = xichan.channel(64)
    answers_tx, answers = xichan.channel(1)
    with interpreter(rx=rx, answers=answers_tx) as reader:
        rx.close()
        reading = execute(reader, RECEIVE)
        number = 0
        while number < rounds and time.monotonic() - start < LIMIT:
            with interpreter(tx=tx, round=number) as interp:
                interp.exec(SEND)
            number += 1
            progress()
        tx.close()
        assert checked(answers, [reading]) == 20 * number
        reading.result()
    del tx, rx, answers, answers_tx
    settle(before)
    print(f"senders_die: {number} interpreters closed in {time.monotonic() - start:.0f} s, {number * 20} items intact")


if __name__ == "__main__":
    main()
