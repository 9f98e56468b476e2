"""Two interpreters acquire two locks in different order.

kind: lock
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def transfer(first, second, barrier):
    with first:
        barrier.wait()
        with second:  # waits
            pass


left, right, barrier = xichan.Lock(name="left"), xichan.Lock(name="right"), xichan.Barrier(2)
with xichan.InterpreterPoolExecutor(2) as pool:
    pool.submit(transfer, left, right, barrier)
    pool.submit(transfer, right, left, barrier)  # leaving the block waits
