"""A task waits for a value of a task that the same pool, of one worker, runs later.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def consume(rx):
    return sum(rx)  # waits


def produce(tx):
    with tx:
        tx.send(1)


tx, rx = xichan.channel(name="numbers")
with xichan.InterpreterPoolExecutor(1) as pool, tx, rx:
    consumer = pool.submit(consume, rx)
    producer = pool.submit(produce, tx)
    tx.close()
    rx.close()
    print(consumer.result())  # joins
