"""A thread sends to a channel of capacity 0 from which only it could receive.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, rx = xichan.channel(0, name="hand over")  # opened
tx.send("value")  # waits
print(rx.recv())
