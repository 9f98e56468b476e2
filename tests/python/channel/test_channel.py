"""A channel and its two endpoints in one thread."""

import gc
import queue
import weakref

import pytest
from support import alive, counts, left_over

import xichan

CAPACITIES = (*range(1, 18), 31, 32, 33, 127, 128, 129, 1023, 1024, 1025, 5000)


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_capacity_is_exact_on_every_lap(capacity):
    tx, rx = xichan.channel(capacity)
    assert tx.capacity == rx.capacity == capacity
    sent = received = 0
    for lap in range(4):
        while len(tx) < capacity:
            tx.send_nowait(sent)
            sent += 1
            assert len(tx) == len(rx) == sent - received
        for refused in (lambda: tx.send_nowait("no"), lambda: tx.send("no", timeout=0)):
            with pytest.raises((xichan.ChannelFull, xichan.ChannelTimeout)):
                refused()
        for _ in range(capacity - lap % 2 * (capacity // 3)):
            assert rx.recv_nowait() == received, "first in, first out"
            received += 1
    while received < sent:
        assert rx.recv() == received
        received += 1
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()


def test_channel_defaults():
    tx, rx = xichan.channel()
    assert tx.capacity == rx.capacity == 1024
    assert xichan.channel(capacity=7, flavor="mpmc")[0].capacity == 7
    assert type(tx) is xichan.Sender and type(rx) is xichan.Receiver


def test_largest_capacity_uses_no_memory_until_used():
    tx, rx = xichan.channel(2**24)
    assert tx.capacity == 2**24
    for i in range(100):
        tx.send(i)
    assert [rx.recv() for _ in range(100)] == list(range(100))


def test_each_failure_raises_its_own_error():
    tx, rx = xichan.channel(1)
    with pytest.raises(xichan.ChannelEmpty):
        rx.recv_nowait()
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(timeout=0)
    with pytest.raises(xichan.ChannelTimeout):
        rx.recv(0)
    tx.send("kept")
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("text that does not fit a cell")
    with pytest.raises(xichan.ChannelTimeout):
        tx.send("text that does not fit a cell", 0)
    assert len(rx) == 1 and rx.recv() == "kept"


@pytest.mark.parametrize(
    "error, standard",
    [
        (xichan.ChannelClosed, Exception),
        (xichan.ChannelFull, queue.Full),
        (xichan.ChannelEmpty, queue.Empty),
        (xichan.ChannelTimeout, TimeoutError),
        (xichan.NotShareableError, TypeError),
        (xichan.MemoryLimitExceeded, MemoryError),
        (xichan.NotFound, LookupError),
    ],
)
def test_errors_belong_to_two_families(error, standard):
    assert issubclass(error, xichan.Error) and issubclass(error, standard)
    assert error.__module__ == "xichan" and error.__name__ in xichan.__all__
    siblings = {xichan.ChannelFull, xichan.ChannelEmpty, xichan.ChannelTimeout, xichan.ChannelClosed} - {error}
    assert not any(issubclass(error, other) for other in siblings)


def test_receivers_drain_after_the_last_sender_closed():
    tx, rx = xichan.channel()
    second = tx.clone()
    tx.send(1)
    tx.close()
    second.send(2)
    assert not rx.closed
    second.close()
    assert not rx.closed, "something is left"
    assert rx.recv() == 1 and rx.recv_nowait() == 2
    assert rx.closed
    for receive in (rx.recv, rx.recv_nowait, lambda: rx.recv(timeout=0), lambda: rx.recv(timeout=5)):
        with pytest.raises(xichan.ChannelClosed):
            receive()
    assert list(rx) == []


def test_send_fails_after_the_last_receiver_closed():
    tx, rx = xichan.channel()
    second = rx.clone()
    before = alive()
    tx.send("this text needs a block of its own")
    rx.close()
    assert not tx.closed
    tx.send("this text needs a block of its own")
    second.close()
    assert tx.closed
    assert left_over(before) == {}, "what was queued is released"
    for send in (tx.send, tx.send_nowait, lambda v: tx.send(v, timeout=0)):
        with pytest.raises(xichan.ChannelClosed):
            send("this text needs a block of its own")
    assert left_over(before) == {}
    assert len(tx) == 0


def test_no_new_sender_after_last_one_closed():
    tx, rx = xichan.channel()
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        tx.clone()
    with pytest.raises(xichan.NotFound):
        xichan.Sender.from_id(rx.id)
    assert counts(rx) == (0, 1)


def test_close_is_idempotent_and_affects_one_handle():
    tx, rx = xichan.channel()
    second = tx.clone()
    assert counts(rx) == (2, 1)
    for _ in range(3):
        tx.close()
    assert counts(rx) == (1, 1)
    assert tx.closed and not second.closed
    for use in (lambda: tx.send(1), lambda: tx.send_nowait(1), tx.clone, tx.shutdown, tx.__enter__):
        with pytest.raises(xichan.ChannelClosed):
            use()
    assert len(tx) == 0 and "closed" in repr(tx) and tx.id == rx.id and tx.capacity == 1024
    second.send(1)
    assert rx.recv() == 1


def test_dropping_a_handle_closes_it():
    tx, rx = xichan.channel()
    del tx
    assert counts(rx) == (0, 1)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()


def test_shutdown_lets_receivers_drain():
    tx, rx = xichan.channel()
    tx.send(1)
    tx.shutdown()
    assert tx.closed and rx.closed
    with pytest.raises(xichan.ChannelClosed):
        tx.send(2)
    assert rx.recv() == 1
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()
    tx.shutdown()  # again: no harm


@pytest.mark.parametrize("side", ["sender", "receiver"])
@pytest.mark.parametrize("give", [lambda end: end.shutdown(True), lambda end: end.shutdown(immediate=True)])
def test_immediate_shutdown_discards_queued_values(side, give):
    tx, rx = xichan.channel()
    before = alive()
    for _ in range(10):
        tx.send("this text needs a block of its own")
    give(tx if side == "sender" else rx)
    assert left_over(before) == {} and len(rx) == 0
    with pytest.raises(xichan.ChannelClosed):
        rx.recv()
    with pytest.raises(xichan.ChannelClosed):
        tx.send(1)


def test_immediate_shutdown_may_follow_a_draining_one():
    tx, rx = xichan.channel()
    tx.send(1)
    rx.shutdown(immediate=False)
    assert len(rx) == 1
    rx.shutdown(immediate=True)
    assert len(rx) == 0


def test_with_statement_closes_the_endpoint():
    tx, rx = xichan.channel()
    with tx as inner, rx:
        assert inner is tx
        tx.send(1)
    assert tx.closed and rx.closed
    tx, rx = xichan.channel()
    with pytest.raises(ZeroDivisionError), tx:
        1 / 0  # noqa: B018
    assert tx.closed and counts(rx) == (0, 1)
    with pytest.raises(xichan.ChannelClosed), tx:
        pytest.fail("entered a closed end")


def test_iteration_drains_and_ends():
    tx, rx = xichan.channel()
    for i in range(5):
        tx.send(i)
    tx.close()
    assert iter(rx) is rx
    assert next(rx) == 0
    assert list(rx) == [1, 2, 3, 4]
    with pytest.raises(StopIteration):
        next(rx)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        next(rx)


def test_handles_are_equal_only_to_themselves_and_always_true():
    tx, rx = xichan.channel()
    second = tx.clone()
    assert tx == tx and tx != second and tx != rx and tx != tx.id
    assert len({tx, second, rx, tx}) == 3
    tx.close()
    assert tx and rx and bool(tx) is True and len(rx) == 0


def test_handles_can_be_weakly_referenced():
    tx, rx = xichan.channel()
    gone = []
    reference = weakref.ref(tx, gone.append)
    assert reference() is tx
    del tx
    gc.collect()
    assert reference() is None and gone == [reference]
    assert counts(rx) == (0, 1)


def test_endpoint_repr_identifies_the_channel_and_its_state():
    tx, rx = xichan.channel(3)
    tx.send(1)
    number = f"#{tx.id & (1 << 64) - 1:x}"
    assert repr(tx) == f"<xichan.Sender {number} depth=1/3 open>"
    assert repr(rx) == f"<xichan.Receiver {number} depth=1/3 open>"
    tx.shutdown()
    assert repr(rx) == f"<xichan.Receiver {number} depth=1/3 shut down>"
    rx.close()
    assert repr(rx) == f"<xichan.Receiver {number} closed>"


def test_endpoint_repr_has_the_name():
    tx, rx = xichan.channel(64, name="jobs")
    assert repr(tx) == "<xichan.Sender 'jobs' depth=0/64 open>"
    tx.close()
    assert repr(rx) == "<xichan.Receiver 'jobs' depth=0/64 no senders>"


def test_endpoint_repr_shows_that_the_other_side_is_gone():
    tx, rx = xichan.channel(None)
    rx.close()
    assert repr(tx).endswith(" depth=0/None no receivers>")
