"""broadcast(): what closing a handle does to calls and to other handles."""

import gc

import pytest
from support import Call, wait_until
from support.broadcasts import MODES, TEXT, waiting

import xichan


@MODES
def test_subscriber_sees_the_end_once_all_senders_are_closed(overflow):
    tx, subscribe = xichan.broadcast(4, overflow)
    other, rx = subscribe.sender(), subscribe()
    tx.send(1)
    tx.close()
    tx.close()
    other.send(2)
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastSender is closed"):
        tx.send(3)
    del other
    gc.collect()
    assert [rx.recv(), rx.recv()] == [1, 2]
    for call in (rx.recv, rx.recv_nowait, lambda: rx.recv(timeout=0)):
        with pytest.raises(xichan.ChannelClosed, match="all BroadcastSenders are closed"):
            call()
    assert list(rx) == [] and not rx.closed
    with pytest.raises(xichan.ChannelClosed):
        subscribe.sender()
    assert list(subscribe()) == []


@pytest.mark.parametrize("calls", [1, 4])
def test_closing_the_last_sender_wakes_subscribers(calls):
    tx, subscribe = xichan.broadcast(4)
    waits = [Call(list, subscribe()) for _ in range(calls)]
    wait_until(lambda: waiting(subscribe) == calls)
    tx.close()
    assert [call.result() for call in waits] == [[]] * calls


def test_closing_a_receiver_wakes_its_call():
    tx, subscribe = xichan.broadcast(4)
    rx, other = subscribe(), subscribe()
    call, unaffected = Call(rx.recv), Call(other.recv)
    wait_until(lambda: waiting(subscribe) == 2)
    rx.close()
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastReceiver is closed"):
        call.result()
    tx.send(1)
    assert unaffected.result() == 1


def test_iteration_of_a_closed_receiver_raises():
    _tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    call = Call(list, rx)
    wait_until(lambda: waiting(subscribe) == 1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()
    with pytest.raises(xichan.ChannelClosed):
        next(rx)


@pytest.mark.parametrize("is_last", [True, False])
def test_closing_a_sender_wakes_its_blocked_call_and_sends_nothing(is_last):
    tx, subscribe = xichan.broadcast(1)
    rx, other = subscribe(), None if is_last else subscribe.sender()
    tx.send(1)
    call = Call(tx.send, TEXT)
    wait_until(lambda: waiting(subscribe) == 1)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()
    if other is not None:
        other.close()
    assert list(rx) == [1]


def test_exception_in_a_with_block_closes_the_handles():
    tx, subscribe = xichan.broadcast(1)
    with pytest.raises(KeyError), tx, subscribe() as rx:
        raise KeyError
    assert tx.closed and rx.closed
