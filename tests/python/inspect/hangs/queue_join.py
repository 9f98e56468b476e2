"""A consumer does not call task_done() for its last item.

kind: channel
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
jobs = xichan.Queue()


def work():
    while jobs.get() is not None:
        jobs.task_done()


thread = threading.Thread(target=work)
thread.start()
for job in ("first", "second", None):
    jobs.put(job)
thread.join()
jobs.join()  # waits
