"""For programs that hang: a thread that waits until deadlocks() finds something, prints it and ends the process."""

import json
import os
import sys
import threading
import time

import xichan

PATIENCE = 30.0  # seconds until the program is given up


def report_when_hung():
    """Start the thread. The program ends with status 0 if a deadlock is found, else with 3."""
    xichan.deadlocks()  # imports what it needs, which must not happen while the program imports something
    threading.Thread(target=_look, name="looks for deadlocks", daemon=True).start()


def _look():
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = xichan.deadlocks()
        if found:
            print(json.dumps([{"kind": each.kind, "reason": each.reason, "text": str(each)} for each in found]))
            _exit(0)
        time.sleep(0.05)
    print(xichan.inspect(), file=sys.stderr)
    _exit(3)


def _exit(status):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
