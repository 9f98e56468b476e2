"""A thread ends without releasing a lock.

kind: lock
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
lock = xichan.RLock(name="cache")
thread = threading.Thread(target=lock.acquire)
thread.start()
thread.join()
lock.acquire()  # waits
