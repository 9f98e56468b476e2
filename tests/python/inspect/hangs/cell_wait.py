"""A thread waits for a new version of a cell, after the last change.

kind: cell
"""

import threading

import xichan
from support.hangs import report_when_hung

report_when_hung()
state = xichan.Cell("new", name="state")


def follow():
    while True:
        state.wait(state.version)  # waits


thread = threading.Thread(target=follow)
thread.start()
state.set("old")
thread.join()  # joins
