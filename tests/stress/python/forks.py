"""Forks under traffic, half of it lent objects: operations on inherited endpoints raise in the child, which releases
inherited views and lends objects of its own, and the parent is unaffected.
"""

import os
import signal
import time
import warnings

from common import assert_released, feed_watchdog, size
from support import Call, alive

import xichan

TEXT = "text that needs a block"
LENT = bytes(range(250)) * 40  # large enough to be sent without a copy


def produce(tx, stop):
    i = 0
    with tx:
        while not stop:
            tx.send((i, TEXT))
            i += 1
    return i


def child(tx, rx, view):
    """Return the exit status: the duration of the operations in units of 10 ms."""
    signal.alarm(30)  # the watchdog is a thread, which the child does not inherit
    start = time.perf_counter()
    for call in (lambda: tx.send(1), rx.recv, rx.recv_nowait, lambda: xichan.select([rx])):
        try:
            call()
        except xichan.ChannelClosed:
            continue
        return 255
    took = time.perf_counter() - start
    one, other = xichan.channel(1)
    receiver = Call(other.recv)
    one.send([TEXT, LENT, view])
    return int(took * 100) if receiver.result() == [TEXT, LENT, LENT] else 254


def main():
    warnings.simplefilter("ignore", DeprecationWarning)
    number = size()
    before = alive()
    tx, rx = xichan.channel(4)
    received, stop = [], []
    slowest = 0
    # No other interpreter: with one, CPython 3.14 crashes in the child.
    pairs = [xichan.channel(2) for _ in range(2)]
    consumers = [Call(lambda rx: sum(1 for _ in rx), rx) for _, rx in pairs]
    producers = [Call(produce, tx, stop) for tx, _ in pairs]
    for i in range(number):
        tx.send(LENT)
        view = rx.recv(copy=False)
        pid = os.fork()
        if not pid:
            status = 253
            try:
                status = child(tx, rx, view)
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert 0 <= status < 200, f"child {i} ended with {status}"
        slowest = max(slowest, status)
        tx.send(i)
        received.append(rx.recv())
        assert view == LENT
        feed_watchdog()
    stop.append(True)
    sent = [call.result() for call in producers]
    assert [call.result() for call in consumers] == sent
    assert received == list(range(number))
    del tx, rx, pairs, producers, consumers, view
    assert xichan.memory_stats().lent_bytes == 0
    assert_released(before)
    print(f"forks: {number} under traffic of {sum(sent)} messages, slowest child's operations under {slowest + 1}0 ms")


if __name__ == "__main__":
    main()
