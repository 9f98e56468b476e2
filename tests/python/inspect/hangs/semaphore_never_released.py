"""An error skips the release of a semaphore.

kind: semaphore
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
slots = xichan.Semaphore(2, name="slots")


def use(value):
    slots.acquire()  # waits
    if value < 2:
        return value  # without release()
    slots.release()
    return value


print([use(value) for value in range(3)])
