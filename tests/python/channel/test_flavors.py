"""One conformance suite for channels of every flavor."""

import random
import time

import pytest
from support import BOUNDED, FLAVORS, PATIENCE, QUEUES, RENDEZVOUS, Call, alive, counts, left_over, wait_for_blocked

import xichan

TEXT = "text that needs a block"


def over(flavors):
    return pytest.mark.parametrize("options", flavors.values(), ids=flavors)


def full_channel(options):
    """Return a channel in which a send blocks, and the number of values queued in it."""
    tx, rx = xichan.channel(**options)
    for i in range(options["capacity"]):
        tx.send_nowait((i, TEXT))
    return tx, rx, options["capacity"]


def tally(end):
    found = end.stats()
    assert found.depth == len(end)
    return found.sent, found.received, found.depth


@over(QUEUES)
def test_flavor_is_fifo_with_exact_counts(options):
    tx, rx = xichan.channel(**options)
    rng = random.Random(1)
    sent = received = 0
    for _ in range(60):
        room = min(options["capacity"] or 3000, 3000) - (sent - received)
        for _ in range(rng.randint(0, room)):
            tx.send_nowait((sent, TEXT) if sent % 2 else sent)
            sent += 1
        assert tally(rx) == (sent, received, sent - received)
        for _ in range(rng.randint(0, sent - received)):
            value = rx.recv_nowait()
            assert value == ((received, TEXT) if received % 2 else received)
            received += 1
        assert tally(tx) == (sent, received, sent - received)
    assert sent > 10 and not tx.closed and not rx.closed


@over(BOUNDED)
def test_flavor_capacity_is_exact(options):
    tx, rx, capacity = full_channel(options)
    assert tx.capacity == rx.capacity == len(tx) == capacity
    for _ in range(3):
        with pytest.raises(xichan.ChannelFull):
            tx.send_nowait(TEXT)
        with pytest.raises(xichan.ChannelTimeout):
            tx.send(TEXT, timeout=0)
        rx.recv_nowait()
        tx.send(TEXT, timeout=0)
    assert len(rx) == capacity


@pytest.mark.parametrize("name", ["unbounded", "relaxed unbounded"])
def test_unbounded_flavor_accepts_any_number(name):
    tx, rx = xichan.channel(**QUEUES[name])
    assert tx.capacity is None and "None" in repr(tx)
    for lap in range(2):
        for i in range(50_000):
            tx.send_nowait(i)
        assert len(rx) == 50_000
        assert all(rx.recv_nowait() == i for i in range(50_000)), lap
    assert tally(rx) == (100_000, 100_000, 0)


@over(FLAVORS)
def test_recv_on_an_empty_channel_times_out(options):
    tx, rx = xichan.channel(**options)
    for _ in range(2):
        with pytest.raises(xichan.ChannelEmpty):
            rx.recv_nowait()
        with pytest.raises(xichan.ChannelTimeout):
            rx.recv(timeout=0)
        assert rx.drain() == []
    start = time.monotonic()
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=0.02)
    assert time.monotonic() - start >= 0.02
    assert tally(rx) == (0, 0, 0) and rx.stats().waiting_receivers == 0


@over(BOUNDED | RENDEZVOUS)
def test_send_that_times_out_sends_nothing(options):
    tx, rx, queued = full_channel(options)
    before = alive()
    start = time.monotonic()
    with pytest.raises(xichan.ChannelTimeout):
        tx.send(TEXT, timeout=0.02)
    assert time.monotonic() - start >= 0.02
    assert left_over(before) == {} and tally(tx) == (queued, 0, queued) and tx.stats().waiting_senders == 0
    assert [value[0] for value in rx.drain()] == list(range(queued))
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


@over(QUEUES)
def test_receivers_drain_after_the_last_sender_closed_in_every_flavor(options):
    tx, rx = xichan.channel(**options)
    number = min(options["capacity"] or 2000, 2000)
    for i in range(number):
        tx.send((i, TEXT))
    tx.close()
    assert not rx.closed and len(rx) == number
    assert [i for i, _ in rx] == list(range(number))
    assert rx.closed and tally(rx) == (number, number, 0)
    for receive in (rx.recv, rx.recv_nowait, lambda: rx.recv(0), lambda: rx.recv_many(3)):
        with pytest.raises(xichan.ChannelClosed, match="drained"):
            receive()


@over(QUEUES)
@pytest.mark.parametrize("way", ["last receiver", "shutdown immediate"])
def test_closing_receivers_discards_queued_values(options, way):
    tx, rx = xichan.channel(**options)
    before = alive()
    number = min(options["capacity"] or 2000, 2000)
    for i in range(number):
        tx.send((i, TEXT))
    rx.close() if way == "last receiver" else rx.shutdown(immediate=True)
    assert left_over(before) == {}
    assert tally(tx) == (number, 0, 0) and tx.closed
    for send in (tx.send, tx.send_nowait):
        with pytest.raises(xichan.ChannelClosed):
            send(TEXT)
    assert left_over(before) == {}


@over(QUEUES)
def test_shutdown_lets_receivers_drain_in_every_flavor(options):
    tx, rx = xichan.channel(**options)
    tx.send(TEXT)
    tx.shutdown()
    with pytest.raises(xichan.ChannelClosed, match="shut down"):
        tx.send(2)
    assert tx.closed and rx.closed and list(rx) == [TEXT]
    assert tally(rx) == (1, 1, 0)


@over(FLAVORS)
def test_send_wakes_a_receiver(options):
    tx, rx = xichan.channel(**options)
    for i in range(20):
        receiver = Call(rx.recv)
        wait_for_blocked(tx, receivers=1)
        tx.send((i, TEXT), timeout=PATIENCE)
        assert receiver.result() == (i, TEXT)
    assert tally(rx) == (20, 20, 0)


@over(BOUNDED | RENDEZVOUS)
def test_recv_wakes_a_sender(options):
    tx, rx, queued = full_channel(options)
    for i in range(queued, queued + 20):
        sender = Call(tx.send, (i, TEXT))
        wait_for_blocked(tx, senders=1)
        assert rx.recv_nowait() == (i - queued, TEXT)
        assert sender.result() is None
    assert [value for value, _ in rx.drain()] == list(range(20, 20 + queued))
    assert tally(rx) == (queued + 20, queued + 20, 0)


def blocked_calls(options, kind):
    """Return a channel and two calls blocked on one of its endpoints."""
    if kind == "recv":
        tx, rx = xichan.channel(**options)
        mine, theirs, calls = rx, tx, [Call(rx.recv), Call(rx.recv, 1000)]
    else:
        tx, rx, _ = full_channel(options)
        mine, theirs, calls = tx, rx, [Call(tx.send, TEXT), Call(tx.send, TEXT, 1000)]
    wait_for_blocked(mine, **{"receivers" if kind == "recv" else "senders": 2})
    return mine, theirs, calls


@pytest.mark.parametrize("way", ["own handle", "other side", "shutdown", "shutdown immediate"])
@pytest.mark.parametrize(
    "options, kind",
    [pytest.param(FLAVORS[name], kind, id=f"{name}-{kind}") for name in FLAVORS for kind in ("recv", "send")
     if kind == "recv" or name in {**BOUNDED, **RENDEZVOUS}],
)  # fmt: skip
def test_closing_ends_blocked_calls(options, kind, way):
    mine, theirs, calls = blocked_calls(options, kind)
    if way == "own handle":
        mine.close()
    elif way == "other side":
        theirs.close()
    else:
        theirs.shutdown("immediate" in way)
    for call in calls:
        with pytest.raises(xichan.ChannelClosed, match="this .* is closed" if way == "own handle" else None):
            call.result()
    if way == "own handle":
        assert counts(theirs) == ((1, 0) if kind == "recv" else (0, 1))
    for end in (theirs, mine):
        if not xichan._core._is_closed(end):
            assert end.stats().waiting_senders == end.stats().waiting_receivers == 0
