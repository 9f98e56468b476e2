"""The producer notified before the consumer waited.

kind: condition
"""

import xichan
from support.hangs import report_when_hung

report_when_hung()
changed = xichan.Condition(name="changed")
with changed:
    changed.notify_all()
with changed:
    changed.wait()  # waits
