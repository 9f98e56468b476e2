"""Two threads acquire two locks in different order.

kind: lock
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
accounts, log = xichan.RLock(name="accounts"), xichan.RLock(name="log")
both = threading.Barrier(2)


def book():
    with accounts:
        both.wait()
        with log:  # waits
            pass


def archive():
    with log:
        both.wait()
        with accounts:  # waits
            pass


threads = [threading.Thread(target=book, name="book"), threading.Thread(target=archive, name="archive")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()  # joins
