"""broadcast(): each message goes to all subscribers."""

import threading

from support import Call
from support.broadcasts import MODES, TEXT, drain

import xichan


@MODES
def test_every_subscriber_receives_every_message_in_order(overflow):
    tx, subscribe = xichan.broadcast(8, overflow)
    receivers = [subscribe() for _ in range(3)]
    for number in range(8):
        tx.send((number, TEXT))
    for rx in receivers:
        assert len(rx) == 8
        assert drain(rx) == [(number, TEXT) for number in range(8)]
        assert len(rx) == 0


@MODES
def test_subscriber_receives_only_what_is_sent_after_it_subscribed(overflow):
    tx, subscribe = xichan.broadcast(4, overflow)
    first = subscribe()
    tx.send(1)
    second = subscribe()
    tx.send(2)
    assert drain(first) == [1, 2]
    assert drain(second) == [2]


@MODES
def test_message_without_subscribers_is_dropped(overflow):
    tx, subscribe = xichan.broadcast(1, overflow)
    for _ in range(10):
        tx.send(TEXT)
    rx = subscribe()
    assert drain(rx) == []
    rx.close()
    for _ in range(10):
        tx.send(TEXT)
    assert tx.subscribers == subscribe.subscribers == 0


def test_properties_describe_the_channel():
    tx, subscribe = xichan.broadcast(3, "drop_oldest", name="prices")
    assert (tx.capacity, tx.overflow, tx.subscribers) == (3, "drop_oldest", 0)
    assert (subscribe.capacity, subscribe.overflow, subscribe.name) == (3, "drop_oldest", "prices")
    assert repr(subscribe) == "<xichan.Broadcast 'prices' capacity 3 subscribers 0>"
    with subscribe() as rx:
        assert tx.subscribers == 1 and bool(rx) and not rx.closed
        assert "pending 0" in repr(rx)
    assert rx.closed and repr(rx) == "<xichan.BroadcastReceiver closed>" and len(rx) == 0
    assert xichan.Broadcast.lookup("prices") == subscribe == xichan.lookup("prices")


def test_each_message_goes_to_one_of_several_handles_of_a_subscription():
    tx, subscribe = xichan.broadcast(64)
    rx, whole = subscribe(), subscribe()
    carrier, carried = xichan.channel(1)
    carrier.send(rx)
    same = carried.recv()
    assert same == rx and same is not rx and tx.subscribers == 2
    for number in range(20):
        tx.send(number)
    assert [rx.recv(), same.recv(), rx.recv()] == [0, 1, 2]
    rx.close()
    assert not same.closed and tx.subscribers == 2
    assert drain(same) == list(range(3, 20))
    assert drain(whole) == list(range(20))
    same.close()
    assert tx.subscribers == 1


def test_handles_of_one_subscription_share_messages_between_threads():
    tx, subscribe = xichan.broadcast(8)
    rx = subscribe()
    calls = [Call(list, rx) for _ in range(4)]
    for number in range(400):
        tx.send(number)
    tx.close()
    results = [call.result(60) for call in calls]
    assert sorted(number for result in results for number in result) == list(range(400))
    assert all(result == sorted(result) for result in results)


def test_subscribing_and_unsubscribing_during_sends_is_consistent():
    tx, subscribe = xichan.broadcast(4, "drop_oldest")
    stop = threading.Event()

    def come_and_go():
        while not stop.is_set():
            with subscribe() as rx:
                numbers = [value for value in drain(rx) if type(value) is int]
                assert numbers == sorted(set(numbers))

    calls = [Call(come_and_go) for _ in range(3)]
    for number in range(3000):
        tx.send(number)
    stop.set()
    for call in calls:
        call.result(60)
    assert tx.subscribers == 0
