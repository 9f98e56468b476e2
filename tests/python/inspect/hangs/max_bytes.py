"""A channel that bounds its memory is full of values that no thread receives.

kind: channel
"""

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, rx = xichan.channel(None, max_bytes=100_000, name="pages")  # opened
for _ in range(10):
    tx.send(b"x" * 40_000)  # waits
print(len(rx.drain()))
