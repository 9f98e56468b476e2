"""Descriptors move with messages. Each has one owner: a test counts what the other end of a socket sees."""

import asyncio
import collections
import contextlib
import copy
import dataclasses
import gc
import pickle
import socket
import textwrap
import warnings

import pytest
from support import alive, interpreter, left_over, run_loop, run_script, wait_for_blocked
from support.descriptors import has_peer, open_descriptors, same_file
from support.memory import run_without_memory

import xichan
from xichan import _core


@pytest.fixture(autouse=True)
def no_descriptor_is_left():
    before = open_descriptors()
    yield
    gc.collect()
    assert open_descriptors() == before


class Line:
    """A connected socket, which was made a Descriptor, and its other end."""

    def __init__(self):
        one, self.end = socket.socketpair()
        with one:
            self.descriptor = xichan.descriptor(one)

    def is_open(self):
        return has_peer(self.end)

    def check(self, received):
        """Check that a received Descriptor is the one that was sent, and close it."""
        assert type(received) is xichan.Descriptor and received is not self.descriptor and self.is_open()
        with received.socket() as made:
            self.end.setblocking(True)
            made.sendall(b"hello")
            assert self.end.recv(100) == b"hello"
        assert not self.is_open()

    def check_sent(self):
        assert self.descriptor.closed and repr(self.descriptor) == "<xichan.Descriptor sent>"

    def check_usable(self):
        """Check that the sender still owns it."""
        assert not self.descriptor.closed and xichan.is_shareable(self.descriptor) and self.is_open()


@pytest.fixture
def line():
    made = Line()
    with made.end, made.descriptor:
        yield made


@dataclasses.dataclass
class Connection:
    number: int
    descriptor: xichan.Descriptor


class Held:
    def __init__(self, descriptor):
        self.descriptor = descriptor


@pytest.fixture
def register_held():
    """Return a function that registers Held with a function that decodes it."""
    yield lambda decode=Held: xichan.register(Held, lambda held: held.descriptor, decode)
    _core._forget_plan(Held)


NESTED = {
    "alone": (lambda d: d, lambda v: v),
    "list": (lambda d: [1, d], lambda v: v[1]),
    "tuple": (lambda d: (d, "text of more than fourteen characters"), lambda v: v[0]),
    "dict": (lambda d: {"k": {"n": d}}, lambda v: v["k"]["n"]),
    "set": (lambda d: {d, 1}, lambda v: next(each for each in v if each != 1)),
    "dataclass": (lambda d: Connection(7, d), lambda v: v.descriptor),
    "deque": (lambda d: collections.deque([d]), lambda v: v[0]),
    "registered": (Held, lambda v: v.descriptor),
    "deep": (lambda d: [[[[(d,)]]]], lambda v: v[0][0][0][0][0]),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("pickle", [False, True])
def test_descriptor_moves_inside_values(register_held, line, kind, pickle):
    register_held()
    wrap, unwrap = NESTED[kind]
    tx, rx = xichan.channel(pickle=pickle)
    tx.send(wrap(line.descriptor))
    line.check_sent()
    line.check(unwrap(rx.recv()))
    assert tx.stats().pickled == 0


class Odd:
    """Not shareable, but can be pickled."""


def test_descriptor_moves_beside_a_pickle(line):
    tx, rx = xichan.channel(pickle=True)
    tx.send([Odd(), line.descriptor, line.descriptor])
    assert tx.stats().pickled == 1
    odd, one, other = rx.recv()
    assert type(odd) is Odd and one is other
    line.check(one)


def test_one_descriptor_twice_in_a_message_arrives_as_one(line):
    tx, rx = xichan.channel()
    tx.send([line.descriptor, {"again": line.descriptor}, (line.descriptor,)])
    one, again, inside = rx.recv()
    assert one is again["again"] is inside[0]
    line.check(one)


def test_descriptor_beside_buffers():
    tx, rx = xichan.channel()
    line, buffer = Line(), xichan.Buffer(1000)
    with line.end:
        tx.send([buffer, line.descriptor, buffer])
        assert not buffer
        one, descriptor, other = rx.recv()
        assert one is other and len(one) == 1000
        line.check(descriptor)


def test_received_descriptor_can_be_sent_on(line):
    tx, rx = xichan.channel()
    received = line.descriptor
    for _ in range(5):
        tx.send([received])
        [received] = rx.recv()
    line.check(received)


SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "send_many": lambda tx, value: tx.send_many([value]),
    "select": lambda tx, value: xichan.select([(tx, value)]),
    "asend": lambda tx, value: run_loop(tx.asend(value)),
    "asend_many": lambda tx, value: run_loop(tx.asend_many([value])),
    "aselect": lambda tx, value: run_loop(xichan.aselect([(tx, value)])),
}
RECEIVES = {
    "recv": lambda rx: rx.recv(),
    "recv_nowait": lambda rx: rx.recv_nowait(),
    "iterate": next,
    "recv_many": lambda rx: rx.recv_many(1)[0],
    "drain": lambda rx: rx.drain()[0],
    "select": lambda rx: xichan.select([rx])[1],
    "arecv": lambda rx: run_loop(rx.arecv()),
}


@pytest.mark.parametrize("send", SENDS)
def test_every_send_moves(line, send):
    tx, rx = xichan.channel()
    SENDS[send](tx, [line.descriptor])
    line.check_sent()
    line.check(rx.recv()[0])


@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("flavor", ["mpmc", "spsc", "relaxed"])
def test_every_receive_returns_it(line, receive, flavor):
    tx, rx = xichan.channel(8, flavor=flavor)
    tx.send([line.descriptor])
    line.check(RECEIVES[receive](rx)[0])


def test_queue_moves(line):
    queue = xichan.Queue(2)
    queue.put(line.descriptor)
    line.check_sent()
    line.check(queue.get())


# Sends that fail


@pytest.mark.parametrize("send", ["send", "send_nowait", "send_many", "select"])
@pytest.mark.parametrize("capacity", [0, 1])
def test_send_that_times_out_leaves_it_to_the_sender(line, send, capacity):
    calls = {
        "send": lambda tx: tx.send([line.descriptor], 0.001),
        "send_nowait": lambda tx: tx.send_nowait([line.descriptor]),
        "send_many": lambda tx: tx.send_many([[line.descriptor]], 0.001),
        "select": lambda tx: xichan.select([(tx, [line.descriptor])], 0.001),
    }
    tx, rx = xichan.channel(capacity)
    if capacity:
        tx.send(0)
    with pytest.raises((xichan.ChannelTimeout, xichan.ChannelFull)):
        calls[send](tx)
    line.check_usable()
    if capacity:
        assert rx.recv() == 0
        tx.send(line.descriptor)
        line.check(rx.recv())


@pytest.mark.parametrize("send", SENDS)
def test_send_on_a_closed_channel_leaves_it_to_the_sender(line, send):
    tx, rx = xichan.channel()
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        SENDS[send](tx, [line.descriptor])
    line.check_usable()


def test_cancelled_coroutine_leaves_it_to_the_sender(line):
    async def main():
        for capacity in 0, 1:
            tx, rx = xichan.channel(capacity)
            if capacity:
                tx.send(0)
            task = asyncio.ensure_future(tx.asend([line.descriptor]))
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            line.check_usable()
            rx.close()

    run_loop(main())


def test_value_that_is_refused_leaves_it_to_the_sender(line, register_held):
    tx, rx = xichan.channel()

    def fail(_):
        raise RuntimeError("encode() failed")

    xichan.register(Held, fail, Held)
    for value, error in (
        ([line.descriptor, object()], xichan.NotShareableError),
        ([line.descriptor, Held(1)], RuntimeError),
    ):
        with pytest.raises(error):
            tx.send(value)
        line.check_usable()
    closed = Line()
    with closed.end:
        closed.descriptor.close()
        with pytest.raises(ValueError, match="^the descriptor is closed$"):
            tx.send([line.descriptor, closed.descriptor])
    line.check_usable()
    assert len(rx) == 0


def test_exhausted_memory_leaves_it_to_the_sender(line):
    tx, rx = xichan.channel()
    xichan.set_memory_limit(xichan.memory_stats().bytes)
    with pytest.raises(xichan.MemoryLimitExceeded):
        tx.send([line.descriptor])
    xichan.set_memory_limit(None)
    line.check_usable()
    _core._fail_after(0)
    with pytest.raises(MemoryError):
        tx.send([line.descriptor])
    _core._fail_after(-1)
    line.check_usable()
    tx.send([line.descriptor])
    line.check(rx.recv()[0])


def test_select_moves_only_the_chosen_value(line):
    tx, rx = xichan.channel()
    full, _rx = xichan.channel(1)
    full.send(0)
    other = Line()
    with other.end, other.descriptor:
        xichan.select([(full, other.descriptor), (tx, line.descriptor)])
        other.check_usable()
    line.check(rx.recv())


def test_send_many_stops_at_a_descriptor_that_cannot_be_sent(line):
    tx, rx = xichan.channel()
    with pytest.raises(ValueError, match="^the descriptor is being sent$"):
        tx.send_many([line.descriptor, [line.descriptor]])
    assert len(rx) == 1
    line.check(rx.recv())


# Messages that no one receives


def close_last_receiver(tx, rx):
    rx.close()


def shut_down(tx, rx):
    tx.shutdown(immediate=True)


def fail_receiver(tx, rx):
    rx.close(error=ValueError("failed"))


def drain(tx, rx):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rx.drain()


def drain_views(tx, rx):
    rx.drain(copy=False)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("end", [close_last_receiver, shut_down, fail_receiver, drain, drain_views])
def test_discarded_message_closes(line, end):
    tx, rx = xichan.channel()
    tx.send([line.descriptor])
    assert line.is_open()
    end(tx, rx)
    assert not line.is_open()
    line.check_sent()


@pytest.mark.filterwarnings("error")
def test_channel_that_ends_closes_what_is_queued(line):
    tx, rx = xichan.channel()
    inner_tx, inner_rx = xichan.channel()
    inner_tx.send({"nested": line.descriptor})
    tx.send(inner_rx)
    del inner_tx, inner_rx
    assert line.is_open()
    with pytest.warns(ResourceWarning, match="1 queued value is lost"):
        del tx, rx
    assert not line.is_open()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_overflow_closes_what_is_dropped(line, overflow):
    tx, rx = xichan.channel(1, overflow=overflow)
    first = Line()
    with first.end:
        tx.send(first.descriptor)
        tx.send(line.descriptor)
        line.check_sent()
        kept, dropped = (line, first) if overflow == "drop_oldest" else (first, line)
        assert kept.is_open() and not dropped.is_open()
        kept.check(rx.recv())


@pytest.mark.filterwarnings("error")
def test_message_that_cannot_be_decoded_keeps_it_in_its_record(line, register_held):
    def decode(descriptor):
        raise ValueError("not today")

    register_held(decode)
    tx, rx = xichan.channel()
    tx.send([Held(line.descriptor)])
    with pytest.raises(xichan.DecodeError, match="not today") as caught:
        rx.recv()
    assert line.is_open()
    line.check(caught.value.record.encoded)
    other = Line()
    with other.end:
        tx.send([Held(other.descriptor)])
        with contextlib.suppress(xichan.DecodeError):
            rx.recv()
        assert not other.is_open()


def test_descriptor_kept_by_a_failing_decode_is_unusable(line, register_held):
    kept = []

    def decode(descriptor):
        kept.append(descriptor)
        raise ValueError("not today")

    register_held(decode)
    tx, rx = xichan.channel()
    tx.send([Held(line.descriptor)])
    with pytest.raises(xichan.DecodeError) as caught:
        rx.recv()
    text = "^the descriptor is unusable: the message that it arrived in could not be decoded$"
    with pytest.raises(ValueError, match=text):
        kept[0].fileno()
    assert repr(kept[0]) == "<xichan.Descriptor unusable>" and kept[0].closed
    line.check(caught.value.record.encoded)


# Places that keep a value for several receivers


def keep_calls():
    cell, table = xichan.Cell(0), xichan.Map()
    sender = xichan.broadcast(4)[0]
    return {
        "share": xichan.share,
        "share pickled": lambda value: xichan.share(value, pickle=True),
        "publish": lambda value: xichan.publish("a descriptor", value),
        "cell": cell.set,
        "map": lambda value: table.set("key", value),
        "broadcast": sender.send,
    }


@pytest.mark.parametrize("keep", ["share", "share pickled", "publish", "cell", "map", "broadcast"])
def test_values_for_several_receivers_refuse_it(line, keep):
    remedy = r"is not shareable, because it has one receiver; send each receiver its own xichan\.descriptor\(\)"
    for value, path in ((line.descriptor, "value"), ([1, {"k": line.descriptor}], r"value\[1\]\['k'\]")):
        with pytest.raises(xichan.NotShareableError, match=rf"^{path}: xichan\.Descriptor {remedy}"):
            keep_calls()[keep](value)
        line.check_usable()


def test_dumps_refuses_it(line):
    for value, path in ((line.descriptor, "value"), ([1, line.descriptor], r"value\[1\]")):
        text = rf"^{path}: xichan\.Descriptor cannot leave its process; dump the content that it gives access to$"
        with pytest.raises(xichan.NotShareableError, match=text):
            xichan.dumps(value)
    tx, rx = xichan.channel()
    tx.send((1, line.descriptor))
    view = rx.recv(copy=False)
    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]: xichan\.Descriptor cannot leave its process$"):
        xichan.dumps(view)
    line.check(view[1])


# Views


def test_copy_false_returns_the_descriptor(line):
    tx, rx = xichan.channel()
    tx.send(line.descriptor)
    line.check(rx.recv(copy=False))


def test_looking_at_a_record_in_a_view_leaves_it(line):
    """Objects of standard types are made to be compared or printed."""
    tx, rx = xichan.channel()
    tx.send((collections.deque([line.descriptor]), collections.deque([1])))
    view = rx.recv(copy=False)
    assert repr(view) == "xichan.TupleView((..., deque([1])))"
    assert view == view and xichan.share((view,)).view()[0] == view
    assert view != (collections.deque([1]), collections.deque([1]))
    with pytest.raises(TypeError, match="unhashable"):
        hash(view)
    line.check(view[0][0])


@pytest.mark.parametrize("read", [lambda view: view["c"][0], lambda view: view.value()["c"][0]])
def test_first_access_takes_it_out_of_a_view(line, read):
    tx, rx = xichan.channel()
    tx.send({"c": [line.descriptor], "n": 1})
    view = rx.recv(copy=False)
    assert repr(view) == "xichan.DictView({'c': [<xichan.Descriptor>], 'n': 1})" and view == view
    again = xichan.share(view).view()
    received = read(view)
    for other in (view, again):
        with pytest.raises(
            (ValueError, xichan.DecodeError), match="the Descriptor was received before; each Descriptor has one"
        ):
            other["c"][0]
        with pytest.raises((ValueError, xichan.DecodeError), match="received before"):
            other.value()
    line.check(received)


def test_dropped_view_closes(line):
    tx, rx = xichan.channel()
    tx.send((1, line.descriptor))
    view = rx.recv(copy=False)
    part = view[:1]
    del view
    assert line.is_open()
    del part
    assert not line.is_open()


@pytest.mark.parametrize("make_copy", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickle_and_copy_of_a_view_leave_it(line, make_copy):
    tx, rx = xichan.channel()
    tx.send([1, {"k": line.descriptor}])
    view = rx.recv(copy=False)
    with pytest.raises(
        TypeError, match=r"^cannot pickle or copy a view of a Descriptor; take it out, by view\.value\(\)$"
    ):
        make_copy(view)
    with pytest.raises(TypeError, match="unhashable"):
        hash(xichan.share((view,)).view())
    line.check(view[1]["k"])


# Interpreters


def test_another_interpreter_uses_it(line):
    (tx, there), (back, rx) = xichan.channel(), xichan.channel()
    with interpreter(there=there, back=back) as other:
        tx.send({"connection": line.descriptor})
        other.exec(
            textwrap.dedent("""
            import xichan
            with there.recv()["connection"].socket() as connection:
                connection.sendall(b"from an interpreter")
                back.send(xichan.descriptor(connection))
            """)
        )
        line.end.setblocking(True)
        assert line.end.recv(100) == b"from an interpreter"
        line.check(rx.recv())


@pytest.mark.parametrize("keep", ["kept = rx.recv()", "kept = rx.recv(copy=False)", "pass", "rx.recv().detach"])
def test_end_of_an_interpreter_closes_what_it_holds(line, keep):
    tx, rx = xichan.channel()
    with interpreter(rx=rx) as other:
        rx.close()
        tx.send((line.descriptor, 1))
        other.exec(keep.replace("rx.recv().detach", "import sys; kept = rx.recv(); sys.stdin = [kept[0].fileno]"))
        assert line.is_open()
    assert not line.is_open()


def test_end_of_an_interpreter_with_a_blocked_daemon_thread_closes_what_it_holds():
    """The frame of that thread is never freed."""
    run_script("""
    import socket, _interpreters as low, xichan
    from support import wait_for_blocked, wait_until
    from support.descriptors import has_peer
    held, end = socket.socketpair()
    offered, other_end = socket.socketpair()
    full, full_rx = xichan.channel(1)
    full.send(0)
    tx, rx = xichan.channel()
    tx.send(xichan.descriptor(held))
    tx.send(xichan.descriptor(offered))
    held.close()
    offered.close()
    interp = low.create(low.new_config("isolated", allow_daemon_threads=True))
    low.set___main___attrs(interp, {"rx": rx, "full": full})
    rx.close()
    low.exec(interp, '''if True:
        import threading
        def block():
            held = rx.recv()
            full.send([rx.recv()])
        threading.Thread(target=block, daemon=True).start()
    ''')
    wait_for_blocked(full_rx, senders=1)
    full.close()
    assert has_peer(end) and has_peer(other_end)
    low.destroy(interp)
    assert not has_peer(end)
    wait_until(lambda: not has_peer(other_end))  # its thread releases what it has offered
    """)


def test_sender_interpreter_may_end_first(line):
    tx, rx = xichan.channel()
    (give, there) = xichan.channel()
    with interpreter(tx=tx, there=there) as other:
        give.send(line.descriptor)
        other.exec("tx.send([there.recv()])")
    line.check(rx.recv()[0])


# Memory


@pytest.mark.parametrize("how", ["rx.recv", "rx.recv_nowait", "lambda: rx.recv_many(1)[0]", "lambda: rx.drain()[0]"])
def test_receive_without_memory_loses_nothing(how):
    run_without_memory(
        """
    import os
    from support.descriptors import open_descriptors
    tx, rx = xichan.channel(8)
    receive = eval(sys.argv[1])
    wraps = (lambda d: d, lambda d: [d, "second, which needs memory", ["third, which does as well"] * 3],
             lambda d: ["first, which needs memory", {"key": (2.5, d)}, d])
    before_descriptors = len(open_descriptors())
    for number, wrap in enumerate(wraps):
        tx.send(wrap(xichan.descriptor(1)))
        n = 0
        while True:
            done, value = without_memory(n, receive)
            if done:
                break
            n += 1
        assert n > 0
        received = value if number == 0 else value[0] if number == 1 else value[2]
        assert os.path.sameopenfile(received.fileno(), 1)
        received.close()
        assert len(open_descriptors()) == before_descriptors
        value = received = None
    tx.close()
    del tx, rx, receive, wraps, wrap
    assert left_over(before) == {}
    """,
        how,
    )


def test_send_and_use_without_memory_lose_nothing():
    run_without_memory("""
    import os, socket
    from support.descriptors import open_descriptors
    one, other = socket.socketpair()
    tx, rx = xichan.channel(8)
    xichan.descriptor(one).socket().close()
    xichan.descriptor(one).open("wb").close()
    before_descriptors = len(open_descriptors())

    def until_done(call):
        n = 0
        while True:
            done, value = without_memory(n, call)
            if done:
                return value
            assert not descriptor.closed and not len(rx)
            n += 1

    for wrap in (lambda d: d, lambda d: [d, [d]]):
        descriptor = xichan.descriptor(one)
        value = wrap(descriptor)
        until_done(lambda: tx.send_nowait(value))
        rx.recv() if value is descriptor else rx.recv()
    for use in (lambda d: d.socket(), lambda d: d.open("wb"), lambda d: d.open("w"), lambda d: d.open("wb", 0)):
        descriptor = xichan.descriptor(one)
        until_done(lambda: use(descriptor)).close()
        assert len(open_descriptors()) == before_descriptors
    descriptor = xichan.descriptor(one)
    os.close(until_done(descriptor.detach))
    descriptor = xichan.descriptor(one)
    until_done(lambda: xichan._core._new_descriptor(descriptor)).close()
    descriptor.close()
    assert len(open_descriptors()) == before_descriptors
    """)


def test_nothing_stays_alive(line):
    before = alive()
    tx, rx = xichan.channel()
    tx.send([line.descriptor])
    line.check(rx.recv()[0])
    other = Line()
    with other.end:
        tx.send(other.descriptor)
        del tx, rx
        assert not other.is_open()
    assert left_over(before) == {}


def test_blocked_send_offers_it(line):
    from support import Call

    tx, rx = xichan.channel(0)
    call = Call(tx.send, [line.descriptor])
    wait_for_blocked(rx, senders=1)
    assert repr(line.descriptor) == "<xichan.Descriptor being sent>" and not line.descriptor.closed
    for use in (line.descriptor.close, line.descriptor.fileno):
        with pytest.raises(ValueError, match="^the descriptor is being sent$"):
            use()
    [received] = rx.recv()
    call.result()
    line.check_sent()
    assert same_file(received.fileno(), received.fileno())
    line.check(received)
