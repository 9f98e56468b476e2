"""Signals hit threads blocked in each of the calls: in the main thread, in another thread, in another interpreter.

The handlers run; the call does not return early, and then returns exactly what it waited for.
"""

import os
import signal
import threading
import traceback

from common import assert_released, feed_watchdog, receive_result, size
from support import Call, alive, execute, interpreter, wait_until

import xichan

TEXT = "text that needs a block"
NAME = "signal storm"
PLACES = "main thread", "another thread", "another interpreter"

# For each call: its source, the endpoint and the counter that show that it is blocked, a function that lets it return,
# and the result.
CALLS = {
    "recv": ("rx.recv()", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "recv, timeout": ("rx.recv(1000)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "recv_many": ("rx.recv_many(5)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), [TEXT]),
    "for": ("next(rx)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "send": ("full.send(TEXT)", "full", "waiting_senders", lambda w: w.expect_queued(0), None),
    "send_many": ("full.send_many([TEXT])", "full", "waiting_senders", lambda w: w.expect_queued(0), 1),
    "select": ("xichan.select([other, rx])[1]", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "select, send": ("xichan.select([(full, TEXT)])[1]", "full", "waiting_senders", lambda w: w.expect_queued(0), None),
    "meet, recv": ("met.recv()", "meet", "waiting_receivers", lambda w: w.meet.send(TEXT), TEXT),
    "meet, send": ("meet.send(TEXT)", "meet", "waiting_senders", lambda w: w.expect_rendezvous(TEXT), None),
    "get": ("empty.get()", None, None, lambda w: w.empty.put(TEXT), TEXT),
    "join": ("empty.join()", None, None, lambda w: w.empty.task_done(), None),
    "lookup": ("xichan.lookup(NAME, None)", None, None, lambda w: xichan.publish(NAME, TEXT), TEXT),
    "arecv": ("run(rx.arecv())", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "asend": ("run(full.asend(TEXT))", "full", "waiting_senders", lambda w: w.expect_queued(0), None),
    "aselect": ("run(xichan.aselect([other, rx]))[1]", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
}

SOURCE = f"""
import threading, xichan
TEXT, NAME = {TEXT!r}, {NAME!r}

def run(awaitable):
    import asyncio

    async def main():
        return await awaitable

    return asyncio.run(main())

ready.send(threading.get_ident())
result = %s
results.send((type(result).__name__, tuple(result) if isinstance(result, list) else result))
over.recv()  # keeps the thread alive while signals are sent to it
"""


class Targets:
    """The channels and queues that the calls block on."""

    def __init__(self, name):
        self.tx, self.rx = xichan.channel(1)
        self.full, self.filled = xichan.channel(1)
        self.full.send(0)
        self.keep, self.other = xichan.channel(1)
        self.meet, self.met = xichan.channel(0)
        self.empty = xichan.Queue()
        self.ready, self.begun = xichan.channel(1)
        self.results, self.reported = xichan.channel(1)
        self.end, self.over = xichan.channel(1)
        if name == "join":
            self.empty.put(0)
            self.empty.get()

    def shared(self):
        names = "rx full other meet met empty ready results over".split()
        return {name: getattr(self, name) for name in names}

    def expect_queued(self, expected):
        assert self.filled.recv() == expected

    def expect_rendezvous(self, expected):
        assert self.met.recv() == expected

    def check(self, name):
        if self.full.stats().sent == 2:
            self.expect_queued(TEXT)
            self.full.send(0)
        assert (len(self.rx), len(self.filled), len(self.other), self.empty.qsize()) == (0, 1, 0, 0), name
        for end in (self.tx, self.full, self.keep, self.meet):
            found = end.stats()
            assert found.waiting_senders == found.waiting_receivers == 0, (name, found)
        if name == "lookup":
            xichan.unpublish(NAME)


class Storm:
    """Sends signals to the process and to one thread as fast as possible."""

    def __init__(self):
        self.handled = 0
        signal.signal(signal.SIGUSR1, self.handle)

    def handle(self, number, frame):
        self.handled += 1

    def hit(self, ident, number):
        for _ in range(number):
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.pthread_kill(ident, signal.SIGUSR1)
        before = self.handled

        def one_more():
            # Repeat the signal: an event loop that is about to sleep no longer checks for earlier signals.
            signal.pthread_kill(ident, signal.SIGUSR1)
            return self.handled > before

        wait_until(one_more)


def hit_call(targets, name, storm, number, running):
    """Send signals to a blocked call, let it return, and check its result. Runs in another thread than the call."""
    _, end, counter, release, expected = CALLS[name]
    ident = receive_result(targets.begun, running)
    storm.hit(ident, number // 10)  # while it enters the call
    if end is not None:
        wait_until(lambda: getattr(getattr(targets, end).stats(), counter) == 1)
    storm.hit(ident, number)
    assert not len(targets.reported), f"{name} returned early"
    release(targets)
    storm.hit(ident, number // 10)  # while it returns
    kind, result = receive_result(targets.reported, running)
    targets.end.send(None)
    assert (kind, result) == (
        type(expected).__name__,
        tuple(expected) if isinstance(expected, list) else expected,
    ), (name, kind, result)


def hit_main_thread(*arguments):
    """Run hit_call against the main thread. Exits on failure, because the main thread would block indefinitely."""
    try:
        hit_call(*arguments, [])
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def run(place, name, storm, number):
    targets = Targets(name)
    source = SOURCE % CALLS[name][0]
    if place == "main thread":
        beside = Call(hit_main_thread, targets, name, storm, number)
        exec(source, {**targets.shared()})
        while beside.is_alive():
            beside.join(0.001)  # handles the remaining signals
        beside.result()
    elif place == "another thread":
        call = Call(exec, source, {**targets.shared()})
        hit_call(targets, name, storm, number, [call])
        call.result()
    else:
        with interpreter(**targets.shared()) as interp:
            call = execute(interp, source)
            hit_call(targets, name, storm, number, [call])
            call.result()
    targets.check(name)


def main():
    number = size()
    assert threading.current_thread() is threading.main_thread()
    before = alive()
    storm = Storm()
    for place in PLACES:
        for name in CALLS:
            run(place, name, storm, number)
            feed_watchdog()
    assert_released(before)
    print(
        f"signal_storm: {len(CALLS)} calls at {len(PLACES)} places, each {2 * number} signals, {storm.handled} handled"
    )


if __name__ == "__main__":
    main()
