"""Operations after which no reference may be left, within one interpreter. Each function is one round of a loop."""

import contextlib
import copy
import importlib
import pickle
import signal
import sys
import threading
import weakref

from support import FLAVORS, QUEUES, Call, samples, wait_for_blocked

import xichan
from xichan import _core
from xichan.compat import channels as compat

TEXT = "a text that needs a block of its own"
VALUE = (1, TEXT, (b"x" * 5000, (2.5, None)), 2**100, "é" * 500)
REFUSED = (xichan.Error, ValueError, TypeError, LookupError, MemoryError)


def refused(function, *args, **kwargs):
    """The call raises; which error it is others test."""
    try:
        function(*args, **kwargs)
    except REFUSED:
        return
    raise AssertionError(function)


def flavors():
    for options in FLAVORS.values():
        tx, rx = xichan.channel(**options)
        with tx, rx:
            tx.stats(), rx.stats(), repr((tx, rx)), len(tx), tx.id, rx.capacity, hash(rx)
            refused(rx.recv_nowait)
            if options["capacity"] == 0:
                refused(tx.send_nowait, VALUE)
                continue
            tx.send_nowait((tx, VALUE)) if "flavor" not in options else tx.send_nowait(VALUE)
            rx.recv_nowait()
            tx.send_many(iter(range(1)))
            tx.shutdown(immediate=True)
        refused(tx.send, 1)
        refused(rx.recv)
    refused(xichan.channel, 1, flavor="none")
    refused(xichan.channel, -1)


def values():
    tx, rx = xichan.channel(1)
    for value in samples(tx, rx).values():
        for how in True, False:
            tx.send(value)
            rx.recv(copy=how)
        xichan.is_shareable(value)
        left, _ = xichan.channel(1)
        left.send(value)  # discarded with its channel


def batches():
    tx, rx = xichan.channel(8)
    tx.send_many([VALUE, 1, (tx, TEXT)])
    rx.recv_many(2)
    rx.recv_many(5, copy=False)
    tx.send_many(range(8))
    refused(tx.send_many, [1, 2], 0)
    rx.drain()
    refused(tx.send_many, [1, TEXT, [], 3])  # the first two are sent
    refused(tx.send_many, 5)
    rx.drain(copy=False)
    refused(rx.recv_many, 3, 0)
    refused(rx.recv_many, -1)
    tx.send_many([TEXT, VALUE])
    tx.close()
    list(rx)


def failing_iterables():
    def numbers():
        yield TEXT
        raise LookupError

    tx, rx = xichan.channel(8)
    refused(tx.send_many, numbers())
    refused(xichan.select, numbers())
    refused(xichan.select, [rx, (tx, [])])
    rx.drain()


def iterating():
    for kind in iter, xichan.Receiver.views:
        tx, rx = xichan.channel(4)
        tx.send_many([VALUE, TEXT])
        items = kind(rx)
        next(items)
        tx.close()
        list(items)


def names():
    tx, rx = xichan.channel(1, name="references")
    refused(xichan.channel, 1, name="references")
    xichan.lookup("references"), xichan.lookup_sender("references"), xichan.lookup_receiver("references")
    xichan.channels(), tx.name
    xichan.publish("references, a value", (tx, VALUE))
    xichan.lookup("references, a value")
    xichan.unpublish("references, a value")
    refused(xichan.lookup, "references, a value")
    refused(xichan.unpublish, "references, a value")
    refused(xichan.publish, "references, a value", [])
    refused(xichan.lookup_sender, "nobody", 1e-6)


def handles():
    tx, rx = xichan.channel(2)
    ends = [tx.clone(), xichan.Receiver.from_id(tx.id), pickle.loads(pickle.dumps((tx, rx))), copy.deepcopy([tx, rx])]
    pickle.dumps(tx)  # a ticket that nobody claims
    weakref.ref(ends[0])
    with tx.clone() as end:
        tx.send((end, ends[1], (rx,)))
    rx.recv()
    refused(xichan.Sender.from_id, 12345)
    refused(copy.copy, xichan.Receiver.views(rx))
    xichan.Sender[int], xichan.Receiver[str]


def selecting():
    tx, rx = xichan.channel(1)
    other, source = xichan.channel(1)
    xichan.select([source, (tx, VALUE)])
    xichan.select([source, rx], copy=False)
    refused(xichan.select, [rx, source], 1e-6)
    refused(xichan.select, [rx, source], 0)
    refused(xichan.select, [rx, (tx, [])])
    refused(xichan.select, [1])
    refused(xichan.select, [])
    other.close()
    refused(xichan.select, [rx, source])
    refused(_core._try_select, [source])
    _core._try_select([rx])


def descriptors():
    tx, rx = xichan.channel(1)
    refused(rx.recv_nowait)
    rx.fileno()
    tx.send(TEXT)
    refused(tx.send_nowait, TEXT)
    tx.fileno()
    rx.recv()


def shared():
    one = xichan.share(VALUE)
    tx, rx = xichan.channel(2)
    tx.send((one, one))
    back = rx.recv()[0]
    back == one, hash(back), back.view(), back.value(), back.nbytes, repr(back), memoryview(xichan.share(b"x" * 999))
    buffer = xichan.Buffer(1000)
    with memoryview(buffer) as memory:
        memory[0] = 1
    buffer.freeze(10)
    refused(buffer.freeze)
    refused(xichan.share, [])
    refused(xichan.Buffer, -1)
    copy.copy(one), pickle.loads(pickle.dumps(one))


def dumps():
    data = xichan.dumps(VALUE)
    xichan.loads(data), xichan.loads(memoryview(data))
    refused(xichan.loads, data[:-1])
    refused(xichan.dumps, (1, []))
    refused(xichan.dumps, xichan.channel(1))


def queues():
    for options in {}, {"maxsize": 2}, {"pickle": True}:
        queue = xichan.Queue(**options)
        queue.put(VALUE)
        queue.put(TEXT)
        with contextlib.suppress(*REFUSED):
            queue.put_nowait([1])
        queue.get(), queue.qsize(), queue.empty(), queue.full(), queue.stats(), repr(queue), hash(queue)
        queue.task_done()
        assert pickle.loads(pickle.dumps(queue)) == queue
        tx, rx = xichan.channel(1)
        tx.send((queue, 1))
        rx.recv()
        while not queue.empty():
            queue.get()
        refused(queue.get_nowait)
        refused(queue.get, timeout=1e-6)
        queue.shutdown()
        refused(queue.put, 1)
        refused(queue.get)


def threads_that_wait():
    """A waiting call is handed a value, has its channel closed, and has its own handle closed."""
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


class Interrupt(Exception):
    pass


def interrupts():
    """A signal handler ends a call that waits."""

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
    """Each allocation of the arena fails once, and its limit is reached."""
    tx, rx = xichan.channel(8)
    view = xichan.share(VALUE).view()
    calls = (
        lambda: tx.send(VALUE), lambda: tx.send_many([VALUE, TEXT]), lambda: tx.send(view[::2]),
        lambda: xichan.share(VALUE), lambda: xichan.channel(2), lambda: xichan.Buffer(10),
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
    """Each allocation of Python's fails once."""
    import _testcapi

    tx, rx = xichan.channel(8)
    view = xichan.share(VALUE).view()
    calls = (
        lambda: (tx.send(VALUE), rx.recv()), lambda: (tx.send((tx, VALUE)), rx.recv(copy=False)),
        lambda: (tx.send_many([VALUE, TEXT]), rx.recv_many(2)), lambda: (tx.clone(), tx.stats(), repr(tx)),
        lambda: xichan.select([(tx, VALUE)]), lambda: xichan.channel(1), lambda: xichan.loads(xichan.dumps(VALUE)),
        lambda: (view[0], view[::2].value(), list(view[2][0][:9]), hash(view), view == VALUE),
        lambda: (xichan.share(VALUE).value(), xichan.Buffer(9).freeze()), lambda: tx.__reduce__(),
        lambda: refused(tx.send, (1, [])), lambda: refused(rx.recv, -1),
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


def other_interfaces():
    """xichan.compat.channels, xichan.Client and xichan.serve."""
    recv, send = compat.create()
    send.send_nowait(TEXT), recv.recv(), recv.id, recv == recv, hash(send), compat.list_all()
    refused(recv.recv_nowait)
    recv.close()
    refused(send.close)
    refused(send.send_nowait, 1)
    tx, rx = xichan.channel(4)
    server = Call(xichan.serve, rx, lambda n: 1 // n)
    with xichan.Client(tx) as client:
        client.call(1)
        for bad in 0, []:
            with contextlib.suppress(ArithmeticError, xichan.NotShareableError):
                client.call(bad)
                raise AssertionError
    server.result()


def importing_again():
    """The module is forgotten, and imported anew."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "xichan"}
    tx, rx = importlib.import_module("xichan").channel()
    tx.send((tx, VALUE))
    rx.recv()
    sys.modules.update(kept)
    threading._threading_atexits.pop()  # each import of the extension has one, which is called when the threads end


# Each with the rounds of one run.
OPERATIONS = {
    flavors: 10, values: 10, batches: 30, failing_iterables: 30, iterating: 30, names: 30, handles: 30, selecting: 30,
    descriptors: 30, shared: 30, dumps: 30, queues: 20, threads_that_wait: 3, interrupts: 10, arena_without_memory: 20,
    python_without_memory: 2, other_interfaces: 5, importing_again: 5,
}  # fmt: skip
