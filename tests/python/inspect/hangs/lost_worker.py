"""An interpreter fails, but is kept, and so is the Sender in it.

kind: channel
"""

from concurrent import interpreters

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, rx = xichan.channel(name="results")
worker = interpreters.create()
worker.prepare_main(tx=tx)
tx.close()
try:
    worker.exec("raise ValueError('before the first result')")
except interpreters.ExecutionFailed as error:
    print("failed:", error.excinfo.msg)
print(list(rx))  # waits
