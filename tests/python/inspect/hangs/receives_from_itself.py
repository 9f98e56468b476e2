"""A thread receives from a channel to which only it could send.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, rx = xichan.channel(name="own")  # opened
print(rx.recv())  # waits
tx.send("too late")
