"""An interpreter acquires the only unit of a semaphore and ends without releasing it.

kind: semaphore
"""

from concurrent import interpreters

from support.hangs import report_when_hung

import xichan

report_when_hung()
units = xichan.Semaphore(1, name="units")
interpreter = interpreters.create()
interpreter.prepare_main(units=units)
interpreter.exec("units.acquire()")
interpreter.close()
units.acquire()  # waits
