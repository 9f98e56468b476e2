"""broadcast(): the memory of messages."""

import pytest
from support.broadcasts import MODES, TEXT, drain

import xichan


@MODES
def test_unread_messages_are_released_with_their_subscription(overflow):
    tx, subscribe = xichan.broadcast(16, overflow)
    before = xichan.memory_stats().blocks
    first, second = subscribe(), subscribe()
    for _ in range(16):
        tx.send(TEXT * 100)
    assert xichan.memory_stats().blocks > before
    first.close()
    assert len(second) == 16
    second.close()
    assert xichan.memory_stats().blocks == before


@MODES
def test_message_is_released_once_all_subscribers_received_it(overflow):
    tx, subscribe = xichan.broadcast(16, overflow)
    first, second = subscribe(), subscribe()
    before = xichan.memory_stats().blocks
    for _ in range(100):
        tx.send(TEXT * 100)
        assert first.recv() == second.recv() == TEXT * 100
    assert xichan.memory_stats().blocks == before


def test_dropped_messages_are_released():
    tx, subscribe = xichan.broadcast(2, "drop_oldest")
    rx = subscribe()
    tx.send(TEXT * 100)
    tx.send(TEXT * 100)
    before = xichan.memory_stats().blocks
    for _ in range(100):
        tx.send(TEXT * 100)
    assert xichan.memory_stats().blocks == before
    assert len(rx) == 2


def test_failed_send_has_sent_nothing():
    tx, subscribe = xichan.broadcast(4)
    rx = subscribe()
    with pytest.raises(xichan.NotShareableError):
        tx.send(object())
    xichan.set_memory_limit(xichan.memory_stats().bytes + 1000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        tx.send(b"x" * 10**7)
    xichan.set_memory_limit(None)
    assert drain(rx) == []


def test_subscribers_view_one_copy_of_a_large_message():
    tx, subscribe = xichan.broadcast(1)
    receivers = [subscribe() for _ in range(4)]
    tx.send(b"x" * 10**6)
    views = [rx.recv(copy=False) for rx in receivers]
    assert all(type(view) is xichan.BytesView and len(view) == 10**6 for view in views)
    assert xichan.memory_stats().bytes < 2 * 10**6
