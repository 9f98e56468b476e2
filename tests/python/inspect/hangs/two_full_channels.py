"""Two threads fill each other's channels before they receive.

kind: channel
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
there_tx, there_rx = xichan.channel(2, name="there")  # opened
back_tx, back_rx = xichan.channel(2, name="back")  # opened


def left():
    for number in range(10):
        there_tx.send(number)  # waits
    back_rx.recv()


def right():
    for number in range(10):
        back_tx.send(number)  # waits
    there_rx.recv()


threads = [threading.Thread(target=left), threading.Thread(target=right)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()  # joins
