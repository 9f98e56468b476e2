"""The task that sets an event waits for another one that waits for the event.

kind: event
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()


def wait_for(event):
    event.wait()  # waits


ready = xichan.Event(name="ready")
with xichan.InterpreterPoolExecutor(1) as pool:
    pool.submit(wait_for, ready).result()  # joins
    ready.set()
