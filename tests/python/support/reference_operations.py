"""Operations within one interpreter that must not leak references. Each function is one round of a loop."""

import contextlib
import copy
import importlib
import pickle
import socket
import sys
import threading
import weakref

import xichan
from support import FLAVORS, Call, samples
from xichan import _core
from xichan.compat import channels as compat

TEXT = "a text that needs a block of its own"
VALUE = (1, TEXT, (b"x" * 5000, (2.5, None)), 2**100, "é" * 500)
REFUSED = (xichan.Error, ValueError, TypeError, LookupError, MemoryError)


def refused(function, *args, **kwargs):
    """Assert that the call raises one of REFUSED; other tests check which."""
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
    refused(tx.send_many, [1, TEXT, object(), 3])  # the first two are sent
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
    refused(xichan.select, [rx, (tx, object())])
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
    xichan.lookup("references"), xichan.Sender.lookup("references"), xichan.Receiver.lookup("references")
    xichan.channels(), tx.name
    xichan.publish("references, a value", (tx, VALUE))
    xichan.lookup("references, a value")
    xichan.unpublish("references, a value")
    refused(xichan.lookup, "references, a value")
    refused(xichan.unpublish, "references, a value")
    refused(xichan.publish, "references, a value", object())
    refused(xichan.Sender.lookup, "unregistered", 1e-6)


def handles():
    tx, rx = xichan.channel(2)
    ends = [tx.clone(), xichan.Receiver.from_id(tx.id), pickle.loads(pickle.dumps((tx, rx))), copy.deepcopy([tx, rx])]
    pickle.dumps(tx)  # a ticket that is never claimed
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
    refused(xichan.select, [rx, (tx, object())])
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
    refused(xichan.share, object())
    refused(xichan.Buffer, -1)
    copy.copy(one), pickle.loads(pickle.dumps(one))


def moving():
    """Descriptors and Buffers that are sent, refused, dropped, and taken out of views."""
    tx, rx = xichan.channel(4)
    one, other = socket.socketpair()
    with one, other:
        tx.send([xichan.descriptor(one), xichan.Buffer(1000)])
        rx.recv()[0].socket().close()
        tx.send({"d": xichan.descriptor(one)})
        rx.recv(copy=False)["d"].open("wb").close()
        tx.send((1, xichan.descriptor(one)))
        repr(rx.recv(copy=False))
        tx.send(xichan.descriptor(one))
        with rx.recv() as descriptor:
            repr(descriptor), descriptor.closed
            refused(tx.send, [descriptor, object()])
            refused(xichan.share, descriptor)
            refused(descriptor.open, "no mode")
            _core._duplicate([descriptor])[0].close()
        refused(tx.send, descriptor)
        refused(xichan.descriptor, 1.5)
        tx.send(xichan.descriptor(one))  # discarded with its channel


def dumps():
    data = xichan.dumps(VALUE)
    xichan.loads(data), xichan.loads(memoryview(data))
    refused(xichan.loads, data[:-1])
    refused(xichan.dumps, (1, object()))
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
    """The module is removed from sys.modules and imported again."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "xichan"}
    tx, rx = importlib.import_module("xichan").channel()
    tx.send((tx, VALUE))
    rx.recv()
    sys.modules.update(kept)
    threading._threading_atexits.pop()  # each import of the extension registers one


# The operations, with the rounds per run.
OPERATIONS = {
    flavors: 10, values: 10, batches: 30, failing_iterables: 30, iterating: 30, names: 30, handles: 30, selecting: 30,
    descriptors: 30, shared: 30, moving: 30, dumps: 30, queues: 20, other_interfaces: 5, importing_again: 5,
}  # fmt: skip
