"""Ctrl-C while the main thread is blocked in a call: the call raises KeyboardInterrupt and has received nothing.

Prints the longest time from the signal to the exception. With more than 100 rounds it must be below 100 ms.
"""

import asyncio
import signal
import threading
import time

from common import assert_released, feed_watchdog, size
from support import Call, alive, wait_until

import xichan

TEXT = "text that needs a block"


async def receive(rx):
    await rx.arecv()


KINDS = {
    "recv": lambda w: w.rx.recv(),
    "send": lambda w: w.full.send((TEXT, w.tx)),
    "recv_many": lambda w: w.rx.recv_many(5),
    "for": lambda w: next(w.rx),
    "select": lambda w: xichan.select([w.rx, (w.full, TEXT), w.other]),
    "join": lambda w: w.queue.join(),
    "get": lambda w: w.empty.get(),
    "lookup": lambda w: xichan.lookup("never", None),
    "asyncio": lambda w: asyncio.run(receive(w.rx)),
}


class Targets:
    """The channels and queues that the calls block on."""

    def __init__(self):
        self.tx, self.rx = xichan.channel(1)
        self.full, self.filled = xichan.channel(1)
        self.full.send(0)
        self.keep, self.other = xichan.channel(0)
        self.queue, self.empty = xichan.Queue(), xichan.Queue()
        self.queue.put(TEXT)
        self.joiners = 0

    def is_blocked(self, kind):
        if kind == "join":  # interrupted joiners count until the next wake-up
            return self.queue.stats().waiting_joiners > self.joiners
        end = {"send": self.full, "get": self.empty._parts[0]}.get(kind, self.tx)
        found = end.stats()
        return found.waiting_senders + found.waiting_receivers == 1

    def check(self):
        assert (len(self.rx), len(self.filled), len(self.other), self.queue.qsize()) == (0, 1, 0, 1)
        for end in (self.tx, self.full, self.keep, self.empty._parts[0]):
            found = end.stats()
            assert found.waiting_senders == found.waiting_receivers == 0, found
            assert (found.senders, found.receivers) == (1, 1), found


def interrupt(targets, kind, sent_at):
    if kind == "lookup":
        time.sleep(0.005)  # no counter shows that it is blocked
    else:
        wait_until(lambda: targets.is_blocked(kind))
    time.sleep(0.001)  # usually asleep by now
    sent_at.append(time.perf_counter())
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def main():
    rounds = size()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before = alive()
    slowest = {}
    for kind, call in KINDS.items():
        targets = Targets()
        inside = alive()
        for _ in range(rounds):
            sent_at = []
            targets.joiners = targets.queue.stats().waiting_joiners
            helper = Call(interrupt, targets, kind, sent_at)
            try:
                call(targets)
            except KeyboardInterrupt:
                took = time.perf_counter() - sent_at[0]
            else:
                raise AssertionError(f"{kind} was not interrupted")
            helper.result()
            slowest[kind] = max(slowest.get(kind, 0), took)
            targets.check()
            feed_watchdog()
        targets.queue.task_done()
        targets.queue.join()
        assert_released(inside)
    del targets
    assert_released(before)
    print("ctrl_c:", ", ".join(f"{kind} {took * 1000:.1f} ms" for kind, took in slowest.items()), f"x {rounds}")
    assert rounds <= 100 or max(slowest.values()) < 0.1, "slower than 100 ms"


if __name__ == "__main__":
    main()
