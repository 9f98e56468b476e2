"""Each of two workers waits for the other one to send first.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def play(tables):
    index = xichan.worker().index
    tx, rx = tables[index][0], tables[1 - index][1]
    value = rx.recv()  # waits
    tx.send(value)


tables = (xichan.channel(name="left"), xichan.channel(name="right"))
with xichan.Workers(2, play, tables) as workers:
    for tx, rx in tables:
        tx.close()
        rx.close()
    workers.join()  # joins
