"""Rendezvous channels (capacity 0): a send completes when a receiver has the value."""

import pytest
from support import Call, wait_for_blocked

import xichan

TEXT = "text that needs a block"


def met(end):
    found = end.stats()
    return found.sent, found.received, found.depth


def test_rendezvous_queues_nothing():
    tx, rx = xichan.channel(0)
    assert tx.capacity == rx.capacity == len(tx) == 0 and tx.stats().flavor == "rendezvous"
    for attempt in (lambda: tx.send_nowait(1), lambda: tx.send(1, 0), rx.recv_nowait, lambda: rx.recv(0)):
        with pytest.raises((xichan.ChannelFull, xichan.ChannelEmpty, xichan.ChannelTimeout)):
            attempt()


def test_rendezvous_send_completes_when_received():
    tx, rx = xichan.channel(0)
    sender = Call(tx.send, TEXT)
    wait_for_blocked(rx, senders=1)
    assert sender.is_alive() and met(rx) == (0, 0, 0)
    assert rx.recv_nowait() == TEXT
    sender.result()
    receiver = Call(rx.recv)
    wait_for_blocked(tx, receivers=1)
    tx.send_nowait(TEXT)
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("no receiver")
    assert receiver.result() == TEXT and met(rx) == (2, 2, 0)


def test_rendezvous_serves_waiters_in_order():
    tx, rx = xichan.channel(0)
    senders = []
    for i in range(10):
        senders.append(Call(tx.send, i))
        wait_for_blocked(rx, senders=i + 1)
    assert rx.recv_many(4) == [0, 1, 2, 3] and rx.drain() == [4, 5, 6, 7, 8, 9]
    for sender in senders:
        sender.result()


def test_rendezvous_send_withdraws_its_offer_on_timeout():
    tx, rx = xichan.channel(0)
    for _ in range(20):
        with pytest.raises(xichan.ChannelTimeout):
            tx.send(TEXT, timeout=0.001)
        with pytest.raises(xichan.ChannelEmpty):
            rx.recv_nowait()
    sender = Call(tx.send, TEXT)
    wait_for_blocked(rx, senders=1)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        sender.result()
    with pytest.raises(xichan.ChannelClosed):
        rx.recv_nowait()
