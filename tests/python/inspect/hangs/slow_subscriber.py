"""A broadcast waits for a subscriber that does not receive.

kind: broadcast
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, subscribe = xichan.broadcast(2, name="prices")
forgotten = subscribe()
for price in range(10):
    tx.send(price)  # waits
