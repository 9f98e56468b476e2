"""A barrier for three has two parties.

kind: barrier
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
barrier = xichan.Barrier(3, name="start")
threads = [threading.Thread(target=lambda: barrier.wait()) for _ in range(2)]  # waits
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()  # joins
