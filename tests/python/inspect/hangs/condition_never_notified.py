"""The producer notified before the consumer waited.

kind: condition
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
changed = xichan.Condition(name="changed")
with changed:
    changed.notify_all()
with changed:
    changed.wait()  # waits
