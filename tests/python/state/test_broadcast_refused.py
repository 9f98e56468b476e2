"""broadcast(): arguments and values that are refused."""

import contextlib

import pytest
from support.broadcasts import drain

import xichan


@pytest.mark.parametrize("capacity", [0, -1, 2**32 + 1, 2**64, True, 1.0, "1", None])
def test_invalid_capacity_is_rejected(capacity):
    with pytest.raises((TypeError, ValueError)):
        xichan.broadcast(capacity)


@pytest.mark.parametrize("overflow", ["", "BLOCK", "drop_oldest\0", "error", 1, None, b"block"])
def test_invalid_overflow_is_rejected(overflow):
    with pytest.raises((TypeError, ValueError)):
        xichan.broadcast(1, overflow)


def test_invalid_arguments_of_methods_are_rejected():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    for call, error in [
        (lambda: subscribe(1), TypeError),
        (lambda: subscribe(copy=True), TypeError),
        (tx.send, TypeError),
        (lambda: tx.send(1, -1), ValueError),
        (lambda: tx.send(1, "1"), TypeError),
        (lambda: tx.send(1, float("nan")), ValueError),
        (lambda: rx.recv(-1), ValueError),
        (lambda: rx.recv_nowait(True), TypeError),
        (xichan.Broadcast, TypeError),
        (xichan.BroadcastSender, TypeError),
        (xichan.BroadcastReceiver, TypeError),
        (lambda: xichan.broadcast(1, name=1), TypeError),
        (lambda: xichan.broadcast(), TypeError),
    ]:
        with pytest.raises(error):
            call()
    assert drain(rx) == []


def test_name_in_use_is_rejected():
    with contextlib.ExitStack() as stack:
        tx, _subscribe = xichan.broadcast(1, name="taken")
        stack.callback(tx.close)
        with pytest.raises(xichan.Error, match="taken"):
            xichan.broadcast(1, name="taken")


class Closes:
    """Closes a BroadcastSender while it is encoded."""

    def __init__(self, tx):
        self.tx = tx


def close_while_encoding(value):
    value.tx.close()
    return ()


def test_value_that_closes_its_sender_while_it_is_encoded_is_not_sent():
    tx, subscribe = xichan.broadcast(1)
    rx = subscribe()
    xichan.register(Closes, close_while_encoding, Closes)
    with pytest.raises(xichan.ChannelClosed, match="this BroadcastSender is closed"):
        tx.send(Closes(tx))
    assert list(rx) == []
