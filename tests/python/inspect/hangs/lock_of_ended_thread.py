"""A thread ends without releasing a lock.

kind: lock
"""

import threading

import xichan
from support.hangs import report_when_hung

report_when_hung()
lock = xichan.RLock(name="cache")
thread = threading.Thread(target=lock.acquire)
thread.start()
thread.join()
lock.acquire()  # waits
