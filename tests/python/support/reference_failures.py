"""Blocked, interrupted and failing calls that must not leak references. Each function is one round of a loop."""

import contextlib
import signal
import threading

import xichan
from support import QUEUES, Call, wait_for_blocked
from support.reference_operations import TEXT, VALUE, refused
from xichan import _core


def blocked_threads():
    """A blocked call receives a value, loses its channel, or loses its own handle."""
    for options in *QUEUES.values(), {"capacity": 0}:
        tx, rx = xichan.channel(**options)
        call = Call(rx.recv)
        wait_for_blocked(tx, receivers=1)
        tx.send(VALUE)
        call.result()
        call = Call(refused, rx.recv)
        wait_for_blocked(tx, receivers=1)
        tx.shutdown()
        call.result()
    tx, rx = xichan.channel(1)
    tx.send(1)
    call = Call(refused, tx.send, VALUE)
    wait_for_blocked(rx, senders=1)
    tx.close()
    call.result()
    tx, rx = xichan.channel(1)
    call = Call(refused, xichan.select, [rx, rx.clone()])
    wait_for_blocked(rx, receivers=2)
    rx.shutdown()
    call.result()


def failing_endpoints():
    """Endpoints fail with exceptions that can be carried, and with others."""
    for error in OSError(TEXT), OSError(refused), ValueError(threading.Lock()):
        tx, rx = xichan.channel(2)
        tx.send(VALUE)
        tx.close(error=error)
        rx.recv()
        refused(rx.recv)
        refused(next, rx)
        refused(xichan.select, [rx])
        tx, rx = xichan.channel(1, overflow="drop_oldest")
        tx.send_many([VALUE, VALUE])
        with contextlib.suppress(OSError, ValueError), rx:
            raise error
        refused(tx.send, VALUE)
        refused(tx.send_nowait, VALUE)
        tx, rx = xichan.channel(1)
        refused(tx.wait_closed, 0)
        tx.shutdown(error=error)
        tx.shutdown(error=error)
        rx.wait_closed()
        refused(rx.recv_nowait)
        refused(tx.close, error="text")


class Interrupt(Exception):
    pass


def interrupts():
    """A signal handler interrupts a blocked call."""

    def interrupt(*_):
        raise Interrupt

    def strike(end, **blocked):
        wait_for_blocked(end, **blocked)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    tx, rx = xichan.channel(1)
    before = signal.signal(signal.SIGUSR1, interrupt)
    for call in rx.recv, lambda: xichan.select([rx]), lambda: rx.recv_many(3):
        thread = Call(strike, tx, receivers=1)
        with contextlib.suppress(Interrupt):
            call()
            raise AssertionError
        thread.result()
    tx.send(1)
    thread = Call(strike, tx, senders=1)
    with contextlib.suppress(Interrupt):
        tx.send(VALUE)
        raise AssertionError
    thread.result()
    signal.signal(signal.SIGUSR1, before)


def arena_without_memory():
    """Each allocation of the arena fails once; then the memory limit is reached."""
    tx, rx = xichan.channel(8)
    view = xichan.share(VALUE).view()
    calls = (
        lambda: tx.send(VALUE), lambda: tx.send_many([VALUE, TEXT]), lambda: tx.send(view[::2]),
        lambda: xichan.share(VALUE), lambda: xichan.channel(2), lambda: xichan.Buffer(10),
        lambda: tx.send([xichan.descriptor(0)]),
        lambda: xichan.publish("a name", VALUE),
    )  # fmt: skip
    for call in calls:
        for n in range(20):
            _core._fail_after(n)
            try:
                call()
                break
            except MemoryError:
                pass
            finally:
                _core._fail_after(-1)
    xichan.unpublish("a name")
    xichan.set_memory_limit(10_000)
    refused(tx.send, b"x" * 100_000)
    refused(xichan.share, b"x" * 100_000)
    xichan.set_memory_limit(None)


def python_without_memory():
    """Each of Python's allocations fails once."""
    import _testcapi

    tx, rx = xichan.channel(8)
    view = xichan.share(VALUE).view()
    calls = (
        lambda: (tx.send(VALUE), rx.recv()), lambda: (tx.send((tx, VALUE)), rx.recv(copy=False)),
        lambda: (tx.send_many([VALUE, TEXT]), rx.recv_many(2)), lambda: (tx.clone(), tx.stats(), repr(tx)),
        lambda: xichan.select([(tx, VALUE)]), lambda: xichan.channel(1), lambda: xichan.loads(xichan.dumps(VALUE)),
        lambda: (view[0], view[::2].value(), list(view[2][0][:9]), hash(view), view == VALUE),
        lambda: (xichan.share(VALUE).value(), xichan.Buffer(9).freeze()), lambda: tx.__reduce__(),
        lambda: refused(tx.send, (1, object())), lambda: refused(rx.recv, -1),
    )  # fmt: skip
    for call in calls:
        for n in range(500):
            _testcapi.set_nomemory(n, n + 1)
            try:
                call()
                done = True
            except MemoryError:
                done = False
            finally:
                _testcapi.remove_mem_hooks()
            rx.drain()
            if done:
                break
        assert done


# The operations, with the rounds per run.
OPERATIONS = {
    blocked_threads: 3,
    failing_endpoints: 10,
    interrupts: 10,
    arena_without_memory: 20,
    python_without_memory: 2,
}
