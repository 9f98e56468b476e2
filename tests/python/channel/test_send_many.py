"""send_many: what it sends and what it returns."""

import time

import pytest
from support import (
    BOUNDED,
    FLAVORS,
    PATIENCE,
    Call,
    alive,
    left_over,
    run_script,
    wait_for_blocked,
)

import xichan

TEXT = "text that needs a block"


def texts(*numbers):
    return [(i, TEXT) for i in range(*numbers)]


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_send_many_delivers_through_every_flavor(options):
    """Sends far more than fits; receives in batches of every size."""
    tx, rx = xichan.channel(**options)
    sender = Call(tx.send_many, (value for value in texts(2000)))
    received = []
    while len(received) < 2000:
        most = len(received) % 7 + 1
        part = rx.recv_many(most, PATIENCE)
        assert 1 <= len(part) <= most
        received += part
    assert received == texts(2000) and sender.result() == 2000
    assert rx.drain() == []


@pytest.mark.parametrize(
    "values, sent",
    [([], 0), ((), 0), (iter([]), 0), ("", 0), ({}, 0), ("abc", 3), ({"a": 1, "b": 2}, 2), (range(100), 100),
     (b"xy", 2), ((i for i in range(64)), 64), ([None] * 65, 65), (tuple(range(129)), 129), ({7}, 1)],
    ids=str,
)  # fmt: skip
def test_send_many_accepts_any_iterable(values, sent):
    tx, rx = xichan.channel(200)
    expected = list(values) if not hasattr(values, "__next__") else list(range(sent))
    assert tx.send_many(values) == sent
    assert rx.drain() == expected


def test_send_many_of_nothing_does_not_block():
    tx, rx = xichan.channel(1)
    tx.send("full")
    assert tx.send_many([]) == tx.send_many((), 0) == tx.send_many(values=iter(()), timeout=None) == 0


@pytest.mark.parametrize("values", [None, 1, 2.5, object(), len], ids=repr)
def test_send_many_rejects_non_iterables(values):
    tx, rx = xichan.channel()
    with pytest.raises(TypeError):
        tx.send_many(values)
    assert len(rx) == 0


@pytest.mark.parametrize("timeout", [0, 0.02])
@pytest.mark.parametrize("options", BOUNDED.values(), ids=BOUNDED)
def test_send_many_returns_partial_count_on_timeout(options, timeout):
    tx, rx = xichan.channel(**options)
    capacity = options["capacity"]
    before = alive()
    start = time.monotonic()
    assert tx.send_many(texts(1100), timeout) == capacity
    with pytest.raises(xichan.ChannelTimeout):
        tx.send_many(texts(2), timeout)
    assert time.monotonic() - start >= 2 * timeout
    assert rx.drain() == texts(capacity) and left_over(before) == {}


def test_send_many_timeout_covers_all_values():
    tx, rx = xichan.channel(1)
    start = time.monotonic()
    sender = Call(tx.send_many, texts(1000), 0.3)
    received = []
    while sender.is_alive():
        received += rx.recv_many(1, PATIENCE) if len(rx) else []
    received += rx.drain()
    assert received == texts(sender.result())
    if sender.result() < 1000:
        assert time.monotonic() - start >= 0.3


WAYS = {
    "own handle": lambda tx, rx: tx.close(),
    "last receiver": lambda tx, rx: rx.close(),
    "shutdown": lambda tx, rx: rx.shutdown(),
    "immediate": lambda tx, rx: rx.shutdown(immediate=True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sent", [0, 3])
def test_send_many_returns_partial_count_when_channel_closes(way, sent):
    tx, rx = xichan.channel(3)
    before = alive()
    if sent == 0:
        tx.send_many(["x"] * 3)
    sender = Call(tx.send_many, texts(100))
    wait_for_blocked(rx, senders=1)
    WAYS[way](tx, rx)
    if sent:
        assert sender.result() == 3
    else:
        with pytest.raises(xichan.ChannelClosed):
            sender.result()
    if way in ("own handle", "shutdown"):
        assert list(rx) == (texts(3) if sent else ["x"] * 3)
    assert left_over(before) == {}


@pytest.mark.parametrize("place", [0, 1, 5, 63, 64, 65, 127, 128, 300])
def test_send_many_reports_an_unshareable_value(place):
    tx, rx = xichan.channel(None)
    bad = [object()]
    values = texts(place) + [(1, bad)] + texts(50)
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send_many(values)
    assert caught.value.sent == place and caught.value.item is values[place]
    assert str(caught.value).startswith("value[1][0]: object is not shareable")
    assert caught.value.path == "value[1][0]"
    assert rx.drain() == texts(place)
    assert xichan.NotShareableError("x").sent == 0 and xichan.NotShareableError("x").item is None


def test_send_many_reports_a_full_channel_before_a_bad_value():
    tx, rx = xichan.channel(2)
    assert tx.send_many([1, 2, 3, object()], 0) == 2
    assert tx.send_many([object()] * 0) == 0
    rx.recv()
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send_many([3, object()], 0)
    assert caught.value.sent == 1 and rx.drain() == [2, 3]


@pytest.mark.parametrize("place", [0, 10, 64, 100])
def test_send_many_propagates_generator_errors(place):
    tx, rx = xichan.channel(None)

    def values():
        yield from texts(place)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tx.send_many(values())
    assert rx.drain() == texts(place), "what came before it is sent"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [0, 10, 100])
def test_generator_may_close_the_channel_of_send_many(way, place):
    tx, rx = xichan.channel(None)
    before = alive()

    def values():
        yield from texts(place)
        WAYS[way](tx, rx)
        yield from texts(place, place + 100)

    try:
        sent = tx.send_many(values())
    except xichan.ChannelClosed:
        sent = 0
    assert sent <= place and sent % 64 == 0, "whole chunks that were sent before it"
    if way in ("own handle", "shutdown"):
        assert list(rx) == texts(sent)
    assert left_over(before) == {}


def test_generator_may_use_the_channel_of_send_many():
    tx, rx = xichan.channel(4)
    other = tx.clone()
    assert tx.send_many(other.send(i) or rx.recv() for i in range(3)) == 3
    assert rx.drain() == [0, 1, 2]


INTERRUPT = """
import os, signal, sys, xichan
from support import Call, alive, counts, left_over, wait_for_blocked
signal.signal(signal.SIGINT, signal.default_int_handler)
tx, rx = xichan.channel(5)
before = alive()
def interrupt():
    wait_for_blocked(tx, **{sys.argv[1]: 1})
    os.kill(os.getpid(), signal.SIGINT)
for _ in range(5):
    helper = Call(interrupt)
    try:
        if sys.argv[1] == "senders":
            tx.send_many((i, "text that needs a block") for i in range(1000))
        else:
            rx.recv_many(9)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("not interrupted")
    helper.result()
    assert rx.drain() == ([(i, "text that needs a block") for i in range(5)] if sys.argv[1] == "senders" else [])
    assert left_over(before) == {} and counts(tx) == (1, 1)
tx.send_many(range(3))
assert rx.recv_many(9) == [0, 1, 2]
"""


@pytest.mark.parametrize("side", ["senders", "receivers"])
def test_ctrl_c_interrupts_send_many(side):
    run_script(INTERRUPT, side)
