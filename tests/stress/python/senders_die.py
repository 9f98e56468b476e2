"""Interpreters close with items queued: each item is received intact, in another interpreter."""

from common import progress, settle, size
from support import alive, execute, interpreter

import xichan

SOURCE = """
for i in range(20):
    tx.send((round, i, "text that needs a block", (b"x" * i, 2**100 + i), tx if i == 7 else None))
"""


def main():
    rounds = size(10_000)
    before = alive()
    tx, rx = xichan.channel(64)
    with interpreter(rx=rx) as reader:
        rx.close()
        reading = execute(
            reader,
            f"""
            for round in range({rounds}):
                for i in range(20):
                    number, index, text, (data, large), end = rx.recv()
                    assert (number, index) == (round, i) and text == "text that needs a block"
                    assert data == b"x" * i and large == 2**100 + i
                    assert (end is not None) == (i == 7)
        """,
        )
        for number in range(rounds):
            with interpreter(tx=tx, round=number) as interp:
                interp.exec(SOURCE)
            progress()
        reading.result()
    del tx, rx
    settle(before)
    print(f"senders_die: {rounds} interpreters closed, {rounds * 20} items intact")


if __name__ == "__main__":
    main()
