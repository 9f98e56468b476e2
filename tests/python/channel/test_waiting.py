"""Blocking calls: wake-ups, timeouts, and many calls at once."""

import math
import os
import threading
import time
from collections import Counter

import pytest
from support import Call, alive, counts, left_over, wait_for_blocked, wait_until

import xichan

LATE = 2.0  # seconds after which a call with a timeout of half a second has overslept, on any machine


def full_channel(capacity=1):
    tx, rx = xichan.channel(capacity)
    for i in range(capacity):
        tx.send_nowait(i)
    return tx, rx


def waiting_call(kind, timeout=None):
    """Return a channel and a function that blocks on it, for room or for an item."""
    tx, rx = full_channel() if kind == "send" else xichan.channel(1)
    return tx, rx, (lambda: tx.send("x" * 100, timeout)) if kind == "send" else (lambda: rx.recv(timeout))


@pytest.mark.parametrize("kind", ["send", "recv"])
@pytest.mark.parametrize("where", ["main thread", "other thread"])
@pytest.mark.parametrize("timeout", [0, -0.0, 0.5])
def test_timeout_lasts_as_long_as_requested(kind, where, timeout):
    tx, rx, call = waiting_call(kind, timeout)
    before = alive()

    def timed():
        start = time.monotonic()
        with pytest.raises(xichan.ChannelTimeout):
            call()
        return time.monotonic() - start

    took = timed() if where == "main thread" else Call(timed).result()
    assert timeout <= took < timeout + LATE
    assert left_over(before) == {}
    assert len(rx) == (kind == "send")


@pytest.mark.parametrize("kind", ["send", "recv"])
@pytest.mark.parametrize("timeout", [5e-324, 1e-9, 1e-6, 1e-5, 1e-4, 1e-3, 0.0123, 0.049, 0.051, 0.1, 2.0])
def test_timeout_is_never_early(kind, timeout):
    tx, rx, call = waiting_call(kind, timeout)
    for _ in range(10 if timeout < 0.04 else 1 if timeout > 1 else 2):
        start = time.monotonic()
        with pytest.raises(xichan.ChannelTimeout):
            call()
        assert time.monotonic() - start >= timeout


@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 10**100, 10**400, 2**63, 2**64, 9.2e9, 1e10])
@pytest.mark.parametrize("kind", ["send", "recv"])
def test_huge_timeout_blocks_indefinitely(kind, timeout):
    tx, rx, call = waiting_call(kind, timeout)
    waiting = Call(call)
    wait_for_blocked(tx, senders=kind == "send", receivers=kind == "recv")
    if kind == "send":
        assert rx.recv() == 0
        assert waiting.result() is None and rx.recv() == "x" * 100
    else:
        tx.send("here")
        assert waiting.result() == "here"


class Index:
    """An int through __index__."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


@pytest.mark.parametrize("kind", ["send", "recv"])
@pytest.mark.parametrize(
    "timeout, error",
    [(-1, ValueError), (-1e-9, ValueError), (-math.inf, ValueError), (-(10**400), ValueError), (math.nan, ValueError),
     (-math.nan, ValueError), (True, TypeError), (False, TypeError), ("1", TypeError), (b"1", TypeError),
     ((), TypeError), (1j, TypeError), (object, TypeError), (Index(-1), ValueError), (Index("1"), TypeError)],
    ids=lambda v: "object" if isinstance(v, Index) else None,
)  # fmt: skip
def test_invalid_timeouts_are_rejected(kind, timeout, error):
    tx, rx, call = waiting_call(kind, timeout)
    with pytest.raises(error):
        call()
    tx, rx = xichan.channel(2)
    tx.send("ready")
    with pytest.raises(error):  # also when there is nothing to wait for
        tx.send(1, timeout) if kind == "send" else rx.recv(timeout)
    assert len(rx) == 1 and rx.recv(Index(0)) == "ready"


def test_send_wakes_a_receiver_and_recv_wakes_a_sender():
    tx, rx = xichan.channel(1)
    receiver = Call(rx.recv)
    wait_for_blocked(rx, receivers=1)
    tx.send("a")
    assert receiver.result() == "a"
    tx.send("b")
    sender = Call(tx.send, "c")
    wait_for_blocked(tx, senders=1)
    assert rx.recv() == "b"
    sender.result()
    assert rx.recv() == "c"


def test_close_wakes_only_calls_of_the_same_receiver():
    tx, rx = xichan.channel(1)
    others = [rx.clone() for _ in range(3)]
    blocked = [Call(end.recv) for end in others]
    mine = [Call(rx.recv), Call(rx.recv, 1000)]
    wait_for_blocked(tx, receivers=5)
    rx.close()
    for call in mine:
        with pytest.raises(xichan.ChannelClosed, match="this Receiver is closed"):
            call.result()
    wait_for_blocked(tx, receivers=3)
    assert counts(tx) == (1, 3)
    for i in range(3):
        tx.send(i)
    assert sorted(call.result() for call in blocked) == [0, 1, 2]


def test_close_wakes_only_calls_of_the_same_sender():
    tx, rx = full_channel()
    other = tx.clone()
    before = alive()
    mine, theirs = Call(tx.send, "x" * 100), Call(other.send, "kept")
    wait_for_blocked(rx, senders=2)
    tx.close()
    with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
        mine.result()
    assert left_over(before) == {}
    assert rx.recv() == 0
    theirs.result()
    assert rx.recv() == "kept" and counts(rx) == (1, 1)


def test_iterating_over_a_handle_closed_elsewhere_raises():
    tx, rx = xichan.channel()
    loop = Call(list, rx)
    wait_for_blocked(tx, receivers=1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        loop.result()


@pytest.mark.parametrize("way", ["close", "drop", "shutdown", "shutdown immediate", "shutdown own side"])
@pytest.mark.parametrize("kind", ["send", "recv"])
def test_closing_a_channel_wakes_every_waiter(kind, way):
    tx, rx = full_channel() if kind == "send" else xichan.channel(1)
    mine, peer = (tx, rx) if kind == "send" else (rx, tx)
    ends = [mine.clone() for _ in range(8)]
    calls = [Call(end.send, "x" * 100) if kind == "send" else Call(end.recv) for end in ends]
    wait_for_blocked(mine, **{"senders" if kind == "send" else "receivers": 8})
    del tx, rx
    if way == "close":
        peer.close()
    elif way == "drop":
        del peer
    else:
        (mine if "own" in way else peer).shutdown(immediate="immediate" in way)
    for call in calls:
        with pytest.raises(xichan.ChannelClosed):
            call.result()
    assert all(end.closed for end in ends)


def test_receiver_loops_stop_when_the_sender_closes():
    tx, rx = xichan.channel(4)
    loops = [Call(list, rx.clone()) for _ in range(4)]
    for i in range(1000):
        tx.send(i)
    tx.close()
    assert sorted(sum((loop.result() for loop in loops), [])) == list(range(1000))


@pytest.mark.parametrize("capacity", [1, 2, 3, 64])
@pytest.mark.parametrize("shared", [True, False], ids=["one handle", "a handle each"])
def test_many_threads_receive_each_item_once_in_sender_order(capacity, shared):
    threads, each = 2 * (os.cpu_count() or 1) + 2, 1500
    tx, rx = xichan.channel(capacity)
    start = threading.Barrier(2 * threads)

    def produce(name, end):
        start.wait()
        for i in range(each):
            end.send((name, i) if i % 3 else name * 100_000 + i)

    def consume(end):
        start.wait()
        return [divmod(item, 100_000) if type(item) is int else item for item in end]

    takers = [Call(consume, rx if shared else rx.clone()) for _ in range(threads)]
    givers = [Call(produce, name, tx if shared else tx.clone()) for name in range(threads)]
    for giver in givers:
        giver.result(120)
    tx.close()
    taken = [taker.result(120) for taker in takers]
    assert Counter(item for items in taken for item in items) == Counter(
        (name, i) for name in range(threads) for i in range(each)
    )
    for items in taken:
        for name in range(threads):
            order = [i for other, i in items if other == name]
            assert order == sorted(order)


def test_waiting_uses_no_processor_time():
    tx, rx = xichan.channel(1)
    calls = [Call(rx.recv) for _ in range(50)]
    wait_for_blocked(tx, receivers=50)
    before, start = time.process_time(), time.monotonic()
    wait_until(lambda: time.monotonic() - start > 0.3)
    own = time.process_time() - before
    tx.close()
    for call in calls:
        with pytest.raises(xichan.ChannelClosed):
            call.result()
    assert own < 0.25, f"50 blocked receivers used {own} s of {time.monotonic() - start}"
