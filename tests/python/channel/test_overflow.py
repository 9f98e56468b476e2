"""channel(overflow=): what a send does while the channel is full."""

import gc

import pytest
from support import BOUNDED, PATIENCE, Call, counts, run_loop

import xichan

TEXT = "text that needs a block"


async def asend_each(tx, values):
    for value in values:
        await tx.asend(value)


async def aselect_each(tx, values):
    for value in values:
        await xichan.aselect([(tx, value)])


EVERY_BOUND = pytest.mark.parametrize("options", BOUNDED.values(), ids=BOUNDED)
SEND = {
    "send": lambda tx, values: [tx.send(value) for value in values],
    "send, no timeout": lambda tx, values: [tx.send(value, timeout=0) for value in values],
    "send_nowait": lambda tx, values: [tx.send_nowait(value) for value in values],
    "send_many": lambda tx, values: tx.send_many(values),
    "select": lambda tx, values: [xichan.select([(tx, value)]) for value in values],
    "asend": lambda tx, values: run_loop(asend_each(tx, values)),
    "asend_many": lambda tx, values: run_loop(tx.asend_many(values)),
    "aselect": lambda tx, values: run_loop(aselect_each(tx, values)),
}
EVERY_SEND = pytest.mark.parametrize("send", SEND.values(), ids=SEND)


def total(end):
    found = end.stats()
    assert found.depth == len(end)
    assert found.sent == found.received + found.dropped + found.depth
    return found.sent, found.received, found.dropped, found.depth


@EVERY_BOUND
@EVERY_SEND
def test_drop_oldest_keeps_the_newest_values(options, send):
    tx, rx = xichan.channel(**options, overflow="drop_oldest")
    capacity = options["capacity"]
    values = [(i, TEXT) for i in range(capacity + 5)]
    send(tx, values[:capacity])
    assert total(tx) == (capacity, 0, 0, capacity)
    send(tx, values[capacity:])
    assert total(tx) == (capacity + 5, 0, 5, capacity)
    assert rx.drain() == values[5:]
    assert total(rx) == (capacity + 5, capacity, 5, 0)
    assert tx.capacity == capacity and tx.stats().flavor == options.get("flavor", "mpmc")


@EVERY_BOUND
@EVERY_SEND
def test_drop_newest_keeps_the_oldest_values(options, send):
    tx, rx = xichan.channel(**options, overflow="drop_newest")
    capacity = options["capacity"]
    values = [(i, TEXT) for i in range(capacity + 5)]
    send(tx, values)
    assert total(tx) == (capacity + 5, 0, 5, capacity)
    assert rx.drain() == values[:capacity]
    assert total(rx) == (capacity + 5, capacity, 5, 0)


def test_drop_newest_at_a_rendezvous_drops_without_a_receiver():
    tx, rx = xichan.channel(0, overflow="drop_newest")
    tx.send("dropped")
    assert (tx.stats().sent, tx.stats().dropped) == (1, 1)
    call = Call(rx.recv)
    while tx.stats().received == 0:
        tx.send("received")
    assert call.result() == "received"
    assert total(tx)[1] == 1


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_unbounded_channel_drops_nothing(overflow):
    tx, rx = xichan.channel(None, overflow=overflow)
    tx.send_many(range(5000))
    assert total(tx) == (5000, 0, 0, 5000)
    assert rx.drain() == list(range(5000))


@pytest.mark.parametrize("capacity", [100, None])
def test_byte_bound_drops_the_oldest_values(capacity):
    tx, rx = xichan.channel(capacity, max_bytes=4000, overflow="drop_oldest")
    for i in range(30):
        tx.send(bytes([i]) * 1000)
        assert tx.stats().bytes <= 4000
    kept = rx.drain()
    assert 0 < len(kept) < 4 and kept[-1] == bytes([29]) * 1000
    assert total(rx)[2] == 30 - len(kept)
    assert rx.stats().bytes == 0


def test_byte_bound_drops_the_newest_value():
    tx, rx = xichan.channel(100, max_bytes=4000, overflow="drop_newest")
    for i in range(30):
        tx.send(bytes([i]) * 1000)
    kept = rx.drain()
    assert kept == [bytes([i]) * 1000 for i in range(len(kept))] and 0 < len(kept) < 4
    assert total(rx)[2] == 30 - len(kept)


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_value_over_the_byte_bound_is_refused(overflow):
    tx, rx = xichan.channel(10, max_bytes=1000, overflow=overflow)
    tx.send(1)
    with pytest.raises(ValueError, match="larger than the channel's max_bytes"):
        tx.send(bytes(2000))
    assert rx.drain() == [1] and tx.stats().sent == 1


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_closed_channel_refuses_values(overflow):
    tx, rx = xichan.channel(1, overflow=overflow)
    tx.send(1)
    rx.shutdown()
    with pytest.raises(xichan.ChannelClosed):
        tx.send(2)
    assert list(rx) == [1]
    tx, rx = xichan.channel(1, overflow=overflow)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        tx.send(2)


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_endpoints_in_dropped_values_are_released(overflow):
    tx, rx = xichan.channel(1, overflow=overflow)
    for _ in range(3):
        inner_tx, inner = xichan.channel()
        tx.send(inner_tx)
        inner_tx.close()
        kept = counts(inner)[0]
    assert kept == (1 if overflow == "drop_oldest" else 0)
    rx.drain()
    gc.collect()
    assert inner.closed


@pytest.mark.parametrize("capacity", [1, 3])
def test_drop_oldest_under_concurrency_loses_only_what_it_counts(capacity):
    tx, rx = xichan.channel(capacity, overflow="drop_oldest")
    senders, each = 3, 3000

    def produce(end, number):
        with end:
            for i in range(each):
                end.send((number, i))

    def consume():
        return list(rx)

    calls = [Call(produce, tx.clone(), n) for n in range(senders)]
    reader = Call(consume)
    for call in calls:
        call.result()
    assert len(tx) <= capacity
    tx.send("the last")
    tx.close()
    received = reader.result(PATIENCE)
    assert received[-1] == "the last"
    for n in range(senders):
        numbers = [i for number, i in received[:-1] if number == n]
        assert numbers == sorted(set(numbers))
    found = rx.stats()
    assert found.sent == senders * each + 1 == len(received) + found.dropped
    assert found.received == len(received)


def test_invalid_overflow_is_rejected():
    for wrong in (1, None, b"block"):
        with pytest.raises(TypeError, match="overflow must be a str"):
            xichan.channel(overflow=wrong)
    with pytest.raises(ValueError, match="overflow must be 'block', 'drop_oldest' or 'drop_newest', got 'drop'"):
        xichan.channel(overflow="drop")
    with pytest.raises(ValueError, match="'drop_oldest' requires a capacity of at least 1 or None"):
        xichan.channel(0, overflow="drop_oldest")
    with pytest.raises(TypeError):
        xichan.channel(1, "mpmc")
    tx, _ = xichan.channel(1, overflow="block")
    tx.send(1)
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(2)
