"""send_many, recv_many and drain."""

import math
import time

import pytest
from support import (
    BOUNDED,
    FLAVORS,
    PATIENCE,
    QUEUES,
    Call,
    alive,
    counts,
    execute,
    interpreter,
    left_over,
    run_script,
    wait_for_blocked,
    wait_until,
)

import xichan

TEXT = "text that needs a block"


def texts(*numbers):
    return [(i, TEXT) for i in range(*numbers)]


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_batches_through_every_flavour(options):
    """Far more than fits, received by batches of every size."""
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
    [([], 0), ((), 0), (iter([]), 0), ("", 0), ({}, 0), ("abc", 3), ({"a": 1, "b": 2}, 2), (range(100), 100), (b"xy", 2),
     ((i for i in range(64)), 64), ([None] * 65, 65), (tuple(range(129)), 129), ({7}, 1)],
    ids=str,
)  # fmt: skip
def test_any_iterable(values, sent):
    tx, rx = xichan.channel(200)
    expected = list(values) if not hasattr(values, "__next__") else list(range(sent))
    assert tx.send_many(values) == sent
    assert rx.drain() == expected


def test_nothing_to_send_does_not_wait():
    tx, rx = xichan.channel(1)
    tx.send("full")
    assert tx.send_many([]) == tx.send_many((), 0) == tx.send_many(values=iter(()), timeout=None) == 0


@pytest.mark.parametrize("values", [None, 1, 2.5, object(), len], ids=repr)
def test_no_iterable(values):
    tx, rx = xichan.channel()
    with pytest.raises(TypeError):
        tx.send_many(values)
    assert len(rx) == 0


@pytest.mark.parametrize("timeout", [0, 0.02])
@pytest.mark.parametrize("options", BOUNDED.values(), ids=BOUNDED)
def test_a_time_out_leaves_a_part(options, timeout):
    tx, rx = xichan.channel(**options)
    capacity = options["capacity"]
    before = alive()
    start = time.monotonic()
    assert tx.send_many(texts(1100), timeout) == capacity
    with pytest.raises(xichan.ChannelTimeout):
        tx.send_many(texts(2), timeout)
    assert time.monotonic() - start >= 2 * timeout
    assert rx.drain() == texts(capacity) and left_over(before) == {}


def test_the_time_is_for_all_values_together():
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
def test_an_end_of_the_channel_leaves_a_part(way, sent):
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
def test_a_value_that_cannot_be_shared(place):
    tx, rx = xichan.channel(None)
    bad = [object()]
    values = texts(place) + [(1, bad)] + texts(50)
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send_many(values)
    assert caught.value.sent == place and caught.value.item is values[place]
    assert str(caught.value) == "value[1]: list is not shareable"
    assert rx.drain() == texts(place)
    assert xichan.NotShareableError("x").sent == 0 and xichan.NotShareableError("x").item is None


def test_a_full_channel_comes_before_a_bad_value():
    tx, rx = xichan.channel(2)
    assert tx.send_many([1, 2, 3, object()], 0) == 2
    assert tx.send_many([object()] * 0) == 0
    rx.recv()
    with pytest.raises(xichan.NotShareableError) as caught:
        tx.send_many([3, object()], 0)
    assert caught.value.sent == 1 and rx.drain() == [2, 3]


@pytest.mark.parametrize("place", [0, 10, 64, 100])
def test_a_generator_that_raises(place):
    tx, rx = xichan.channel(None)

    def values():
        yield from texts(place)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tx.send_many(values())
    assert rx.drain() == texts(place), "what came before it is sent"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [0, 10, 100])
def test_a_generator_that_ends_the_channel(way, place):
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


def test_a_generator_that_uses_the_channel():
    tx, rx = xichan.channel(4)
    other = tx.clone()
    assert tx.send_many(other.send(i) or rx.recv() for i in range(3)) == 3
    assert rx.drain() == [0, 1, 2]


@pytest.mark.parametrize("most", [1, 2, 5, 6, 100, 2**31, 2**63, 10**30])
def test_recv_many_takes_what_is_there(most):
    tx, rx = xichan.channel(10)
    tx.send_many(texts(5))
    assert rx.recv_many(most) == texts(min(most, 5))
    assert len(rx) == 5 - min(most, 5)


@pytest.mark.parametrize("most", [0, -1, -(2**70)])
def test_recv_many_of_too_few(most):
    tx, rx = xichan.channel()
    tx.send(1)
    with pytest.raises(ValueError, match="max_items"):
        rx.recv_many(most)
    assert len(rx) == 1


@pytest.mark.parametrize("most", [True, 1.0, math.inf, "1", None, (), object()], ids=repr)
def test_recv_many_of_no_int(most):
    tx, rx = xichan.channel()
    tx.send(1)
    with pytest.raises(TypeError, match="max_items"):
        rx.recv_many(most)
    with pytest.raises(TypeError, match="timeout"):
        rx.recv_many(1, "soon")
    assert len(rx) == 1


def test_recv_many_waits_for_one():
    tx, rx = xichan.channel(10)
    for timeout in (0, 0.02):
        with pytest.raises(xichan.ChannelTimeout):
            rx.recv_many(5, timeout)
    receiver = Call(rx.recv_many, 5)
    wait_for_blocked(tx, receivers=1)
    tx.send(TEXT)
    assert receiver.result() == [TEXT]
    receiver = Call(rx.recv_many, 5)
    wait_for_blocked(tx, receivers=1)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        receiver.result()


def test_recv_many_tells_of_the_end_the_next_time():
    tx, rx = xichan.channel(10)
    tx.send_many(texts(3))
    tx.close()
    assert rx.recv_many(10) == texts(3)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv_many(10)


def test_recv_many_frees_every_sender_it_made_room_for():
    tx, rx = xichan.channel(4)
    tx.send_many("abcd")
    senders = [Call(tx.send, i) for i in range(4)]
    wait_for_blocked(rx, senders=4)
    received = rx.recv_many(4)
    for sender in senders:
        sender.result()
    received += rx.drain()
    assert received[:4] == [*"abcd"] and sorted(received[4:]) == [0, 1, 2, 3]


def test_a_handle_closed_while_recv_many_comes_back():
    """Its only item is taken, and the last ends of both sides are closed, before it has the interpreter again."""
    run_script("""
        import sys, xichan
        from support import Call, alive, wait_for_blocked, wait_until

        before = alive()
        for _ in range(20):
            tx, rx = xichan.channel(64)
            call = Call(rx.recv_many, 10)
            wait_for_blocked(tx, receivers=1)
            sys.setswitchinterval(100)
            tx.send("text that needs a block")
            while len(rx):
                pass
            tx.close()
            rx.close()
            sys.setswitchinterval(0.005)
            assert call.result() == ["text that needs a block"]
        wait_until(lambda: alive() == before)
    """)


@pytest.mark.parametrize("options", QUEUES.values(), ids=QUEUES)
def test_drain(options):
    tx, rx = xichan.channel(**options)
    number = min(options["capacity"] or 700, 700)
    assert rx.drain() == []
    tx.send_many(texts(number))
    assert rx.drain() == texts(number) and rx.drain() == []
    tx.send(1)
    tx.close()
    assert rx.drain() == [1] and rx.drain() == [], "drained and closed is no error here"
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        rx.drain()


def test_drain_takes_from_senders_that_wait():
    tx, rx = xichan.channel(2)
    tx.send_many([0, 1])
    senders = [Call(tx.send, i) for i in (2, 3)]
    wait_for_blocked(rx, senders=2)
    received = rx.drain()
    assert received[:2] == [0, 1]
    for sender in senders:
        sender.result()
    assert sorted(received + rx.drain()) == [0, 1, 2, 3]


@pytest.mark.parametrize("capacity", [1, 100, None, 0])
def test_drain_ends_while_others_keep_sending(capacity):
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(capacity)
    with interpreter(tx=tx) as interp:
        tx.close()
        sender = execute(interp, """
            import itertools, xichan
            try:
                for i in itertools.count():
                    tx.send(i)
            except xichan.ChannelClosed:
                pass
        """)
        received = []
        for _ in range(300):
            part = rx.drain()
            assert capacity is None or len(part) <= capacity + 1
            received += part
        wait_until(lambda: len(received) >= 50 or received.extend(rx.drain()))
        assert received == list(range(len(received)))
        rx.close()
        sender.result()


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
        tx.send_many((i, "text that needs a block") for i in range(1000)) if sys.argv[1] == "senders" else rx.recv_many(9)
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
def test_ctrl_c(side):
    run_script(INTERRUPT, side)


@pytest.mark.parametrize("how", ["rx.recv_many(4, 0)", "rx.recv_many(1)", "rx.drain()"])
def test_what_cannot_be_decoded_stays(how):
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script(f"""
        import _testcapi, xichan
        from support import alive, left_over

        before = alive()
        for n in range(60):
            tx, rx = xichan.channel(10)
            tx.send_many((i, "text that needs a block", 2**100) for i in range(6))
            received, failures = [], 0
            while len(received) < 6:
                part = None
                if failures < 5:
                    _testcapi.set_nomemory(n)
                try:
                    part = {how}
                except MemoryError:
                    failures += 1
                finally:
                    _testcapi.remove_mem_hooks()
                if part is not None:
                    failures += len(part) < 6
                    received.extend(part)
                assert not rx.closed
            assert received == [(i, "text that needs a block", 2**100) for i in range(6)], (n, received)
            tx.close()
            assert rx.closed
            del tx, rx, part, received
        assert left_over(before) == {{}}
    """)
