"""Descriptors in sends that fail stay with the sender."""

import asyncio

import pytest
from support import run_loop, wait_for_blocked
from support.descriptors import SENDS, Held, Line, same_file

import xichan
from xichan import _core

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


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
