"""The Nth allocation fails, for every N until the operation succeeds: it raises only MemoryError, loses and duplicates
nothing, and leaks nothing. Values are random; each round runs every operation.

Three kinds of failure: the Nth allocation of the arena, Python's allocations from the Nth on, and only the Nth of
Python's allocations. The last two need the module _testcapi and are skipped without it.
"""

import faulthandler
import pickle
import signal
import warnings

from common import rng, size
from support import alive, endpoints_in, left_over, random_value, same

import xichan
from xichan import _core

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:
    set_nomemory = None

TEXT = "text that needs a block"
NAME = "out of memory"
MISSING = object()
ENOUGH = 4  # consecutive successes after which no allocation is left to fail
KINDS = {
    "bounded": {"capacity": 8},
    "unbounded": {"capacity": None},
    "relaxed": {"capacity": 8, "flavor": "relaxed"},
    "spsc": {"capacity": 8, "flavor": "spsc"},
    "bytes bounded": {"capacity": 8, "max_bytes": 10**9},
}


def feed_watchdog():
    """Restart the watchdog. It is an alarm signal, not a thread: a thread that starts while CPython's allocators are
    replaced would free memory with a different allocator than it was allocated with.
    """
    signal.alarm(60)


def result_of(coroutine):
    """Return the result of a coroutine that does not block."""
    box = [MISSING]

    async def keep():
        box[0] = await coroutine

    try:
        keep().send(None)
    except StopIteration:
        pass
    except MemoryError:
        if box[0] is MISSING:
            raise  # otherwise only the StopIteration failed, which an event loop does not need
    finally:
        coroutine.close()
    assert box[0] is not MISSING, "the coroutine blocked"
    return box[0]


SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send with timeout": lambda tx, value: tx.send(value, 5),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "select": lambda tx, value: xichan.select([(tx, value)]),
    "asend": lambda tx, value: result_of(tx.asend(value)),
}
ONE = {
    "recv": lambda rx: rx.recv(),
    "recv with timeout": lambda rx: rx.recv(5),
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
    """Convert views in a value to plain values."""
    if isinstance(value, (xichan.BytesView, xichan.StrView, xichan.TupleView)):
        return value.value()
    return tuple(map(plain, value)) if type(value) is tuple else value


def assert_equal_values(got, sent):
    """Assert the same values in the same order; endpoints are equal if they belong to the same channel."""
    got = tuple(map(plain, got))
    assert [(type(end), end.id) for end in endpoints_in(got)] == [
        (type(end), end.id) for end in endpoints_in(tuple(sent))
    ]
    if not endpoints_in(got):
        assert same(got, tuple(sent)), (got, sent)


class Operation:
    """One call with its own channels, and the conditions that hold after it, successful or not."""

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
        assert_equal_values(self.rx.drain(), self.values[:1] if done else [])


class SendMany(Send):
    """A prefix of the values is sent; all of them on success."""

    def call(self):
        return self.tx.send_many(self.values)

    def check(self, done, result):
        got = self.rx.drain()
        assert_equal_values(got, self.values[: len(got)])
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
        assert_equal_values(got + self.rx.drain(), self.values)


class RoundTrip(Operation):
    """A conversion of a value that returns an equal value."""

    def __init__(self, values, trip):
        super().__init__(values)
        self.trip = trip

    def call(self):
        return self.trip(self.values[0])

    def check(self, done, result):
        if done:
            assert_equal_values([result], self.values[:1])


class Publish(Operation):
    def call(self):
        xichan.publish(NAME, self.values[0])

    def check(self, done, result):
        if done:
            assert_equal_values([xichan.lookup(NAME)], self.values[:1])
            xichan.unpublish(NAME)
            return
        try:
            xichan.lookup(NAME)
        except xichan.NotFound:
            return
        raise AssertionError("published although the call failed")


class Lookup(Operation):
    def __init__(self, values):
        super().__init__(values)
        xichan.publish(NAME, values[0])

    def call(self):
        return xichan.lookup(NAME)

    def check(self, done, result):
        if done:
            assert_equal_values([result], self.values[:1])
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
            assert_equal_values([self.queue.get_nowait()], self.values[:1])


class Get(Put):
    def __init__(self, values):
        super().__init__(values)
        self.queue.put(values[0])

    def call(self):
        return self.queue.get()

    def check(self, done, result):
        assert_equal_values([result if done else self.queue.get_nowait()], self.values[:1])
        assert self.queue.unfinished_tasks == 1


class TaskDone(Get):
    def call(self):
        self.queue.task_done()

    def check(self, done, result):
        assert self.queue.unfinished_tasks == 1 - done, "the lock was released, and the count matches the result"
        if not done:
            self.queue.task_done()
        self.queue.join()


class Endpoints(Operation):
    """Calls that create or inspect endpoints: the counts do not change."""

    def __init__(self, values, look):
        super().__init__(values)
        self.look = look
        self.tx, self.rx = xichan.channel(2, name=NAME)

    def call(self):
        return self.look(self.tx, self.rx)

    def check(self, done, result):
        del result  # an endpoint that the call created
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
    "shared in a message": lambda value: through_channel(xichan.share(value)).value(),
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
    "not shareable": lambda tx, rx: assert_raises(lambda: tx.send_nowait((1, (TEXT, object())))),
    "empty": lambda tx, rx: assert_raises(rx.recv_nowait),
    "timeout": lambda tx, rx: assert_raises(lambda: rx.recv(1e-6)),
    "select, timeout": lambda tx, rx: assert_raises(lambda: xichan.select([rx], 1e-6)),
}


def through_channel(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


def assert_raises(call):
    try:
        call()
    except xichan.Error as error:
        if isinstance(error, MemoryError):
            raise
        return
    raise AssertionError("the call did not raise")


def operations(values, with_ends):
    """Yield (name, function that creates the operation)."""
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
        yield name, lambda k=look: Endpoints(values, k)
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
    """Fail each allocation of an operation in turn; return how many failures it reported."""
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
        assert n < 10_000, "the operation never succeeds"
    return failures


def main():
    rounds = size()
    faulthandler.cancel_dump_traceback_later()
    faulthandler.register(signal.SIGALRM, chain=True)
    feed_watchdog()
    warnings.simplefilter("ignore", RuntimeWarning)  # about coroutines that never started
    tried, failures = 0, dict.fromkeys(WAYS, 0)
    keep = xichan.channel(1)
    pickle.loads(pickle.dumps(keep))  # triggers lazy imports
    for _ in range(rounds):
        values = [random_value(rng), (TEXT, random_value(rng), b"x" * 100), 2**1000]
        with_ends = [(keep[0], (TEXT, keep[1]))]
        for name, make in operations(values, with_ends):
            operation = make()
            operation.check(True, operation.call())  # once without failures, to fill caches
            del operation
            for way, fail in WAYS.items():
                try:
                    failures[way] += fail_everywhere(make, fail)
                except BaseException:
                    print(f"{name}; {way}; values {values!r}", flush=True)
                    raise
            tried += 1
            feed_watchdog()
    assert all(failures.values()), failures
    summary = ", ".join(f"{way} {n}" for way, n in failures.items())
    print(f"out_of_memory: {tried} operations, failed allocations: {summary}")


if __name__ == "__main__":
    main()
