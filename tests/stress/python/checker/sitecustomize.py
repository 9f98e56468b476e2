"""Looks for deadlocks, again and again, in each process whose PYTHONPATH has this folder. See deadlock_reports.

Reports are appended to the file that XICHAN_DEADLOCK_REPORTS names, one line each, and so is the number of looks.
"""

import atexit
import faulthandler
import json
import os
import sys
import threading
import time


def look_forever(path):
    import xichan

    looks = 0

    def write(**record):
        with open(path, "a") as file:
            file.write(json.dumps({"program": sys.argv, "pid": os.getpid(), **record}) + "\n")

    atexit.register(lambda: write(looks=looks))
    while True:
        for deadlock in xichan.deadlocks():
            write(report=str(deadlock), reason=deadlock.reason)
        looks += 1
        time.sleep(0.01)


def start():
    import _interpreters

    path = os.environ.get("XICHAN_DEADLOCK_REPORTS")
    if path and _interpreters.get_current()[0] == _interpreters.get_main()[0]:
        import xichan

        # Here: the thread must not import while the program imports the same modules.
        xichan.deadlocks()
        xichan.inspect()
        # Its thread would count as live, and no deadlock could be found.
        faulthandler.dump_traceback_later = lambda *args, **kwargs: None
        threading.Thread(target=look_forever, args=(path,), name="looks for deadlocks", daemon=True).start()


start()
