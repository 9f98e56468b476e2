"""A select over channels to which no thread sends any more.

kind: channel
"""

import threading

from support.hangs import report_when_hung

import xichan

report_when_hung()
orders_tx, orders = xichan.channel(name="orders")  # opened
stops_tx, stops = xichan.channel(name="stops")  # opened


def serve():
    while True:
        case, value = xichan.select([orders, stops])  # waits
        if case is stops:
            return


thread = threading.Thread(target=serve)
thread.start()
orders_tx.send("coffee")
thread.join()  # joins
