"""Signals rain on threads that are blocked in each of the calls: in the main thread, in another thread, in another
interpreter. The handlers run, the call does not end before what it waits for is there, and then gives just that.
"""

import os
import signal
import threading
import traceback

from common import checked, progress, settle, size
from support import Call, alive, execute, interpreter, wait_until

import xichan

TEXT = "text that needs a block"
NAME = "signals rain"
PLACES = "main thread", "another thread", "another interpreter"

# Of each call: its source, the names of the end that shows that it waits and of the counter there, what makes it end,
# what it gives.
CALLS = {
    "recv": ("rx.recv()", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "recv, time-out": ("rx.recv(1000)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "recv_many": ("rx.recv_many(5)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), [TEXT]),
    "for": ("next(rx)", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "send": ("full.send(TEXT)", "full", "waiting_senders", lambda w: w.emptied(0), None),
    "send_many": ("full.send_many([TEXT])", "full", "waiting_senders", lambda w: w.emptied(0), 1),
    "select": ("xichan.select([other, rx])[1]", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "select, send": ("xichan.select([(full, TEXT)])[1]", "full", "waiting_senders", lambda w: w.emptied(0), None),
    "meet, recv": ("met.recv()", "meet", "waiting_receivers", lambda w: w.meet.send(TEXT), TEXT),
    "meet, send": ("meet.send(TEXT)", "meet", "waiting_senders", lambda w: w.meets(TEXT), None),
    "get": ("empty.get()", None, None, lambda w: w.empty.put(TEXT), TEXT),
    "join": ("empty.join()", None, None, lambda w: w.empty.task_done(), None),
    "lookup": ("xichan.lookup(NAME, None)", None, None, lambda w: xichan.publish(NAME, TEXT), TEXT),
    "arecv": ("run(rx.arecv())", "tx", "waiting_receivers", lambda w: w.tx.send(TEXT), TEXT),
    "asend": ("run(full.asend(TEXT))", "full", "waiting_senders", lambda w: w.emptied(0), None),
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
answer = %s
answers.send((type(answer).__name__, tuple(answer) if isinstance(answer, list) else answer))
over.recv()  # no signal is sent to a thread that has ended
"""


class World:
    """What the calls wait for."""

    def __init__(self, name):
        self.tx, self.rx = xichan.channel(1)
        self.full, self.filled = xichan.channel(1)
        self.full.send(0)
        self.keep, self.other = xichan.channel(1)
        self.meet, self.met = xichan.channel(0)
        self.empty = xichan.Queue()
        self.ready, self.begun = xichan.channel(1)
        self.answers, self.answered = xichan.channel(1)
        self.end, self.over = xichan.channel(1)
        if name == "join":
            self.empty.put(0)
            self.empty.get()

    def shared(self):
        names = "rx full other meet met empty ready answers over".split()
        return {name: getattr(self, name) for name in names}

    def emptied(self, expected):
        assert self.filled.recv() == expected

    def meets(self, expected):
        assert self.met.recv() == expected

    def check(self, name):
        if self.full.stats().sent == 2:
            self.emptied(TEXT)
            self.full.send(0)
        assert (len(self.rx), len(self.filled), len(self.other), self.empty.qsize()) == (0, 1, 0, 0), name
        for end in (self.tx, self.full, self.keep, self.meet):
            found = end.stats()
            assert found.waiting_senders == found.waiting_receivers == 0, (name, found)
        if name == "lookup":
            xichan.unpublish(NAME)


class Rain:
    """Signals to the process and to one thread, as fast as they can be sent."""

    def __init__(self):
        self.handled = 0
        signal.signal(signal.SIGUSR1, self.handle)

    def handle(self, number, frame):
        self.handled += 1

    def fall(self, ident, number):
        for _ in range(number):
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.pthread_kill(ident, signal.SIGUSR1)
        before = self.handled

        def one_more():
            # Again and again: an event loop may be on its way to sleep, where CPython looks for none that came before.
            signal.pthread_kill(ident, signal.SIGUSR1)
            return self.handled > before

        wait_until(one_more)


def rain_on(world, name, rain, number, running):
    """In a thread beside the call, or the main thread; what the call gave must be what it waited for."""
    _, end, counter, release, expected = CALLS[name]
    ident = checked(world.begun, running)
    rain.fall(ident, number // 10)  # on its way into the call
    if end is not None:
        wait_until(lambda: getattr(getattr(world, end).stats(), counter) == 1)
    rain.fall(ident, number)
    assert not len(world.answered), f"{name} ended before its time"
    release(world)
    rain.fall(ident, number // 10)  # on its way out
    kind, answer = checked(world.answered, running)
    world.end.send(None)
    assert (kind, answer) == (
        type(expected).__name__,
        tuple(expected) if isinstance(expected, list) else expected,
    ), (name, kind, answer)


def rain_beside(*arguments):
    """On the main thread, which would wait for ever if this failed."""
    try:
        rain_on(*arguments, [])
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def run(place, name, rain, number):
    world = World(name)
    source = SOURCE % CALLS[name][0]
    if place == "main thread":
        beside = Call(rain_beside, world, name, rain, number)
        exec(source, {**world.shared()})
        while beside.is_alive():
            beside.join(0.001)  # and handle what still comes
        beside.result()
    elif place == "another thread":
        call = Call(exec, source, {**world.shared()})
        rain_on(world, name, rain, number, [call])
        call.result()
    else:
        with interpreter(**world.shared()) as interp:
            call = execute(interp, source)
            rain_on(world, name, rain, number, [call])
            call.result()
    world.check(name)


def main():
    number = size()
    assert threading.current_thread() is threading.main_thread()
    before = alive()
    rain = Rain()
    for place in PLACES:
        for name in CALLS:
            run(place, name, rain, number)
            progress()
    settle(before)
    print(
        f"signals_rain: {len(CALLS)} calls at {len(PLACES)} places, each {2 * number} signals, {rain.handled} handled"
    )


if __name__ == "__main__":
    main()
