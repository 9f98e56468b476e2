"""A thread waits for a new version of a cell, after the last change.

kind: cell
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
state = xichan.Cell("new", name="state")


def follow():
    while True:
        state.wait(state.version)  # waits


thread = threading.Thread(target=follow)
thread.start()
state.set("old")
thread.join()  # joins
