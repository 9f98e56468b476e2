"""The Nth allocation fails, for every N until an operation succeeds: MemoryError and nothing else, nothing lost or
twice, nothing left behind. Random values; each round tries every operation.

The allocations are those of the arena; Python's own, from the Nth on; and the Nth of Python's alone. The latter two are
left out where CPython comes without its module _testcapi.
"""

import faulthandler
import pickle
import signal
import warnings

from common import rng, size
from support import alive, ends_in, left_over, random_value, same

import xichan
from xichan import _core

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:
    set_nomemory = None

TEXT = "text that needs a block"
NAME = "out of memory"
MISSING = object()
ENOUGH = 4  # successes in a row: then no allocation is left to fail
KINDS = {
    "bounded": {"capacity": 8},
    "unbounded": {"capacity": None},
    "relaxed": {"capacity": 8, "flavor": "relaxed"},
    "spsc": {"capacity": 8, "flavor": "spsc"},
    "bytes bounded": {"capacity": 8, "max_bytes": 10**9},
}


def progress():
    """Tell the watchdog that the program is alive. It is one without a thread: a thread that begins while CPython's
    allocators are exchanged frees what it was given by half of each.
    """
    signal.alarm(60)


def result_of(coroutine):
    """What a coroutine returns that need not wait."""
    box = [MISSING]

    async def keep():
        box[0] = await coroutine

    try:
        keep().send(None)
    except StopIteration:
        pass
    except MemoryError:
        if box[0] is MISSING:
            raise  # else there was none for the StopIteration, which an event loop does without
    finally:
        coroutine.close()
    assert box[0] is not MISSING, "it waits"
    return box[0]


SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send with time-out": lambda tx, value: tx.send(value, 5),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "select": lambda tx, value: xichan.select([(tx, value)]),
    "asend": lambda tx, value: result_of(tx.asend(value)),
}
ONE = {
    "recv": lambda rx: rx.recv(),
    "recv with time-out": lambda rx: rx.recv(5),
    "recv_nowait": lambda rx: rx.recv_nowait(),
    "recv_nowait, no copy": lambda rx: rx.recv_nowait(copy=False),
    "next": lambda rx: next(rx),
    "select": lambda rx: xichan.select([rx])[1],
    "arecv": lambda rx: result_of(rx.arecv()),
}
MANY = {
    "recv_many": lambda rx: rx.recv_many(5),
    "recv_many, no copy": lambda rx: rx.recv_many(5, copy=False),
    "drain": lambda rx: rx.drain(),
    "arecv_many": lambda rx: result_of(rx.arecv_many(5)),
}


def plain(value):
    """A value that may be made of views, as a plain one."""
    if isinstance(value, (xichan.BytesView, xichan.StrView, xichan.TupleView)):
        return value.value()
    return tuple(map(plain, value)) if type(value) is tuple else value


def alike(got, sent):
    """The same values in the same order; an end counts as any other of its channel."""
    got = tuple(map(plain, got))
    assert [(type(end), end.id) for end in ends_in(got)] == [(type(end), end.id) for end in ends_in(tuple(sent))]
    if not ends_in(got):
        assert same(got, tuple(sent)), (got, sent)


class Operation:
    """One call on a world of its own, and what must hold after it, whether it succeeded or not."""

    def __init__(self, values):
        self.values = values

    def check(self, done, result):
        pass


class Send(Operation):
    def __init__(self, values, send, kind):
        super().__init__(values)
        self.send = send
        self.tx, self.rx = xichan.channel(**kind)

    def call(self):
        self.send(self.tx, self.values[0])

    def check(self, done, result):
        alike(self.rx.drain(), self.values[:1] if done else [])


class SendMany(Send):
    """What was sent is a prefix: all of it after a success."""

    def call(self):
        return self.tx.send_many(self.values)

    def check(self, done, result):
        got = self.rx.drain()
        alike(got, self.values[: len(got)])
        assert not done or len(got) == len(self.values) == result


class Receive(Operation):
    def __init__(self, values, receive, kind):
        super().__init__(values)
        self.receive = receive
        self.tx, self.rx = xichan.channel(**kind)
        for value in values:
            self.tx.send(value)

    def call(self):
        return self.receive(self.rx)

    def check(self, done, result):
        got = [] if not done else result if self.receive in MANY.values() else [result]
        alike(got + self.rx.drain(), self.values)


class RoundTrip(Operation):
    """Something that is made of a value and gives it again."""

    def __init__(self, values, trip):
        super().__init__(values)
        self.trip = trip

    def call(self):
        return self.trip(self.values[0])

    def check(self, done, result):
        if done:
            alike([result], self.values[:1])


class Publish(Operation):
    def call(self):
        xichan.publish(NAME, self.values[0])

    def check(self, done, result):
        if done:
            alike([xichan.lookup(NAME)], self.values[:1])
            xichan.unpublish(NAME)
            return
        try:
            xichan.lookup(NAME)
        except xichan.NotFound:
            return
        raise AssertionError("published in part")


class Lookup(Operation):
    def __init__(self, values):
        super().__init__(values)
        xichan.publish(NAME, values[0])

    def call(self):
        return xichan.lookup(NAME)

    def check(self, done, result):
        if done:
            alike([result], self.values[:1])
        xichan.unpublish(NAME)


class Put(Operation):
    def __init__(self, values):
        super().__init__(values)
        self.queue = xichan.Queue(5)

    def call(self):
        self.queue.put(self.values[0])

    def check(self, done, result):
        assert (self.queue.qsize(), self.queue.unfinished_tasks) == (done, done)
        if done:
            alike([self.queue.get_nowait()], self.values[:1])


class Get(Put):
    def __init__(self, values):
        super().__init__(values)
        self.queue.put(values[0])

    def call(self):
        return self.queue.get()

    def check(self, done, result):
        alike([result if done else self.queue.get_nowait()], self.values[:1])
        assert self.queue.unfinished_tasks == 1


class TaskDone(Get):
    def call(self):
        self.queue.task_done()

    def check(self, done, result):
        assert self.queue.unfinished_tasks == 1 - done, "its lock was given back, and it counted what it told"
        if not done:
            self.queue.task_done()
        self.queue.join()


class Ends(Operation):
    """Calls that make or look at ends: the counts are as before."""

    def __init__(self, values, look):
        super().__init__(values)
        self.look = look
        self.tx, self.rx = xichan.channel(2, name=NAME)

    def call(self):
        return self.look(self.tx, self.rx)

    def check(self, done, result):
        del result  # the end that it made
        found = self.tx.stats()
        assert (found.senders, found.receivers) == (1, 1), found
        self.tx.send(TEXT)
        assert self.rx.recv_nowait() == TEXT


def buffer(value):
    data = xichan.Buffer(1000)
    memoryview(data)[:7] = b"written"
    assert data.freeze(7).value() == b"written"
    return value


TRIPS = {
    "share": lambda value: xichan.share(value).value(),
    "view of shared": lambda value: plain(xichan.share(value).view()),
    "shared in a message": lambda value: over(xichan.share(value)).value(),
    "dumps and loads": lambda value: xichan.loads(xichan.dumps(value)),
    "Buffer": buffer,
    "channel": lambda value: xichan.channel(7) and value,
    "unbounded channel": lambda value: xichan.channel(None) and value,
    "relaxed channel": lambda value: xichan.channel(7, flavor="relaxed") and value,
    "spsc channel": lambda value: xichan.channel(7, flavor="spsc") and value,
    "rendezvous channel": lambda value: xichan.channel(0) and value,
    "named channel": lambda value: xichan.channel(7, name=NAME) and value,
    "Queue": lambda value: xichan.Queue(7) and value,
    "memory_stats": lambda value: xichan.memory_stats() and value,
    "is_shareable": lambda value: xichan.is_shareable(value) and value,
}
LOOKS = {
    "clone": lambda tx, rx: (tx.clone(), rx.clone()) and None,
    "from_id": lambda tx, rx: (xichan.Sender.from_id(tx.id), xichan.Receiver.from_id(rx.id)) and None,
    "Sender.lookup": lambda tx, rx: xichan.Sender.lookup(NAME) and None,
    "lookup": lambda tx, rx: xichan.lookup(NAME) and None,
    "stats": lambda tx, rx: tx.stats() and None,
    "channels": lambda tx, rx: xichan.channels() and None,
    "fileno": lambda tx, rx: rx.fileno() and None,
    "repr": lambda tx, rx: repr(tx) and None,
    "refusal": lambda tx, rx: refused(lambda: tx.send_nowait((1, (TEXT, [])))),
    "empty": lambda tx, rx: refused(rx.recv_nowait),
    "time-out": lambda tx, rx: refused(lambda: rx.recv(1e-6)),
    "select, time-out": lambda tx, rx: refused(lambda: xichan.select([rx], 1e-6)),
}


def over(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


def refused(call):
    try:
        call()
    except xichan.Error as error:
        if isinstance(error, MemoryError):
            raise
        return
    raise AssertionError("not refused")


def operations(values, with_ends):
    """(name, what makes the operation) of each."""
    for kind, arguments in KINDS.items():
        for name, send in SENDS.items():
            yield f"{name}, {kind}", lambda s=send, a=arguments: Send(with_ends, s, a)
        for name, receive in {**ONE, **MANY}.items():
            if "no copy" not in name:
                yield f"{name}, {kind}, ends", lambda r=receive, a=arguments: Receive(with_ends, r, a)
            yield f"{name}, {kind}", lambda r=receive, a=arguments: Receive(values, r, a)
        yield f"send_many, {kind}", lambda a=arguments: SendMany(values, None, a)
    for name, trip in TRIPS.items():
        yield name, lambda t=trip: RoundTrip(values, t)
    for name, look in LOOKS.items():
        yield name, lambda k=look: Ends(values, k)
    for kind in (Publish, Lookup, Put, Get, TaskDone):
        yield kind.__name__, lambda k=kind: k(values)


def fail_arena(n, call):
    _core._fail_after(n)
    try:
        return True, call()
    except MemoryError:
        return False, None
    finally:
        _core._fail_after(-1)


def fail_python(n, call, *stop):
    result = None
    set_nomemory(n, *stop)
    try:
        result = call()
    except MemoryError:
        return False, None
    finally:
        remove_mem_hooks()
    return True, result


WAYS = {"arena": fail_arena}
if set_nomemory:
    WAYS["Python, all"] = fail_python
    WAYS["Python, one"] = lambda n, call: fail_python(n, call, n + 1)


def fail_everywhere(make, fail):
    """Fail each allocation of an operation in turn; how many failed it."""
    failures, n, successes = 0, 0, 0
    while successes < ENOUGH:
        before = alive()
        operation = make()
        done, result = fail(n, operation.call)
        operation.check(done, result)
        del operation, result
        assert left_over(before) == {}, left_over(before)
        failures += not done
        successes = successes + 1 if done else 0
        n += 1
        assert n < 10_000, "it never succeeds"
    return failures


def main():
    rounds = size()
    faulthandler.cancel_dump_traceback_later()
    faulthandler.register(signal.SIGALRM, chain=True)
    progress()
    warnings.simplefilter("ignore", RuntimeWarning)  # of coroutines that could not begin
    tried, failures = 0, dict.fromkeys(WAYS, 0)
    keep = xichan.channel(1)
    pickle.loads(pickle.dumps(keep))  # what is imported late is imported now
    for _ in range(rounds):
        values = [random_value(rng), (TEXT, random_value(rng), b"x" * 100), 2**1000]
        with_ends = [(keep[0], (TEXT, keep[1]))]
        for name, make in operations(values, with_ends):
            operation = make()
            operation.check(True, operation.call())  # once as usual: caches are filled
            del operation
            for way, fail in WAYS.items():
                try:
                    failures[way] += fail_everywhere(make, fail)
                except BaseException:
                    print(f"{name}; {way}; values {values!r}", flush=True)
                    raise
            tried += 1
            progress()
    assert all(failures.values()), failures
    told = ", ".join(f"{way} {n}" for way, n in failures.items())
    print(f"out_of_memory: {tried} operations, failed allocations: {told}")


if __name__ == "__main__":
    main()
