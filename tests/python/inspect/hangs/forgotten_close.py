"""The main thread keeps a Sender open while it joins the thread that receives until the channel is finished.

kind: channel
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
tx, rx = xichan.channel(name="rows")  # opened


def collect(found):
    for row in rx:  # waits
        found.append(row)


found = []
thread = threading.Thread(target=collect, args=(found,))
thread.start()
for number in range(3):
    tx.send(number)
thread.join()  # joins
