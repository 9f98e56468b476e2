"""broadcast(): slow subscribers: full channels, and messages that are dropped."""

import gc

import pytest
from support import Call, wait_until
from support.broadcasts import drain, waiting

import xichan
from xichan import Lagged


@pytest.mark.parametrize("capacity", [1, 2, 3, 64])
def test_send_nowait_raises_while_a_subscriber_has_capacity_messages_left(capacity):
    tx, subscribe = xichan.broadcast(capacity)
    fast, slow = subscribe(), subscribe()
    for number in range(capacity):
        tx.send_nowait(number)
        assert fast.recv_nowait() == number
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("one more")
    for timeout in (0, 0.01):
        with pytest.raises(xichan.ChannelTimeout):
            tx.send("one more", timeout)
    assert slow.recv_nowait() == 0
    tx.send_nowait("one more")
    assert drain(slow) == [*range(1, capacity), "one more"]
    assert drain(fast) == ["one more"]


def test_slow_subscriber_blocks_the_sender_until_it_receives():
    tx, subscribe = xichan.broadcast(1)
    fast, slow = subscribe(), subscribe()
    tx.send(1)
    call = Call(tx.send, 2)
    wait_until(lambda: waiting(subscribe) == 1)
    assert drain(fast) == [1]
    assert waiting(subscribe) == 1 and call.is_alive()
    assert slow.recv() == 1
    call.result()
    assert drain(fast) == drain(slow) == [2]


def test_blocked_senders_all_continue_as_room_appears():
    tx, subscribe = xichan.broadcast(2)
    rx = subscribe()
    tx.send(0)
    tx.send(0)
    calls = [Call(tx.send, 1) for _ in range(8)]
    wait_until(lambda: waiting(subscribe) == 8)
    assert sum(rx.recv(timeout=30) for _ in range(10)) == 8
    for call in calls:
        call.result()
    assert drain(rx) == []


@pytest.mark.parametrize("end", ["close", "release"])
def test_unsubscribing_unblocks_the_sender(end):
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    tx.send(1)
    call = Call(tx.send, 2)
    wait_until(lambda: waiting(subscribe) == 1)
    if end == "close":
        rx.close()
    else:
        del rx
        gc.collect()
    call.result()
    assert tx.subscribers == 0


@pytest.mark.parametrize("capacity", [1, 2, 3, 64])
@pytest.mark.parametrize("extra", [0, 1, 2, 5, 200])
def test_lagged_counts_exactly_the_dropped_messages(capacity, extra):
    tx, subscribe = xichan.broadcast(capacity, "drop_oldest")
    rx = subscribe()
    total = capacity + extra
    for number in range(total):
        tx.send(number)
    lag = [("lagged", extra)] if extra else []
    assert len(rx) == capacity
    assert drain(rx) == lag + list(range(extra, total))
    tx.send("next")
    assert drain(rx) == ["next"]  # raised once


def test_only_the_slow_subscriber_lags():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    fast, slow = subscribe(), subscribe()
    received = []
    for number in range(10):
        tx.send(number)
        received += drain(fast)
    assert received == list(range(10))
    assert drain(slow) == [("lagged", 8), 8, 9]


def test_lagged_is_an_error_with_the_number_of_missed_messages():
    tx, subscribe = xichan.broadcast(1, "drop_oldest")
    rx = subscribe()
    tx.send(1)
    tx.send(2)
    with pytest.raises(Lagged) as raised:
        next(rx)
    assert isinstance(raised.value, xichan.Error)
    assert raised.value.missed == 1 and raised.value.args == (1,)
    assert next(rx) == 2


def test_lagged_subscriber_receives_the_rest_after_the_senders_closed():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    rx = subscribe()
    for number in range(5):
        tx.send(number)
    tx.close()
    assert [len(rx)] == [2]
    with pytest.raises(Lagged):
        rx.recv()
    assert list(rx) == [3, 4]


def test_no_message_is_lost_or_repeated_between_concurrent_threads():
    tx, subscribe = xichan.broadcast(16)
    receivers = [subscribe() for _ in range(3)]

    def produce(producer):
        for number in range(500):
            tx.send((producer, number))

    consumers = [Call(lambda rx=rx: [rx.recv(timeout=60) for _ in range(1000)]) for rx in receivers]
    producers = [Call(produce, number) for number in range(2)]
    for call in producers:
        call.result(60)
    results = [call.result(60) for call in consumers]
    assert results[0] == results[1] == results[2]
    for producer in range(2):
        assert [n for p, n in results[0] if p == producer] == list(range(500))


def test_received_and_missed_messages_add_up_under_concurrent_sends():
    tx, subscribe = xichan.broadcast(3, "drop_oldest")
    total = 3000

    def consume(rx):
        received, missed = [], 0
        while True:
            try:
                received.append(rx.recv(timeout=60))
            except Lagged as error:
                missed += error.missed
            except xichan.ChannelClosed:
                return received, missed

    consumers = [Call(consume, subscribe()) for _ in range(3)]

    def produce():
        with tx:
            for number in range(total):
                tx.send(number)

    Call(produce).result(60)
    for call in consumers:
        received, missed = call.result(60)
        assert received == sorted(set(received)) and received[-1] == total - 1
        assert len(received) + missed == total
