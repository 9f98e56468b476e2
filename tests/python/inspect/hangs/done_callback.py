"""The callback of a future waits for a task that waits for the next callback.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def first():
    return 1


def second(rx):
    return rx.recv()  # waits


tx, rx = xichan.channel(name="go")
with xichan.InterpreterPoolExecutor(2) as pool, tx:
    later = pool.submit(second, rx)
    rx.close()
    done = pool.submit(first)
    done.add_done_callback(lambda future: print(later.result()))  # joins
    done.add_done_callback(lambda future: tx.send(future.result()))
    print(later.result())  # joins
