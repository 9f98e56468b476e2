"""recv_many and drain."""

import math

import pytest
from support import QUEUES, Call, execute, interpreter, run_script, wait_for_blocked, wait_until

import xichan

TEXT = "text that needs a block"


def texts(number):
    return [(i, TEXT) for i in range(number)]


@pytest.mark.parametrize("most", [1, 2, 5, 6, 100, 2**31, 2**63, 10**30])
def test_recv_many_returns_queued_values(most):
    tx, rx = xichan.channel(10)
    tx.send_many(texts(5))
    assert rx.recv_many(most) == texts(min(most, 5))
    assert len(rx) == 5 - min(most, 5)


@pytest.mark.parametrize("most", [0, -1, -(2**70)])
def test_recv_many_rejects_counts_below_one(most):
    tx, rx = xichan.channel()
    tx.send(1)
    with pytest.raises(ValueError, match="max_items"):
        rx.recv_many(most)
    assert len(rx) == 1


@pytest.mark.parametrize("most", [True, 1.0, math.inf, "1", None, (), object()], ids=repr)
def test_recv_many_count_must_be_an_int(most):
    tx, rx = xichan.channel()
    tx.send(1)
    with pytest.raises(TypeError, match="max_items"):
        rx.recv_many(most)
    with pytest.raises(TypeError, match="timeout"):
        rx.recv_many(1, "soon")
    assert len(rx) == 1


def test_recv_many_blocks_for_the_first_value():
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


def test_recv_many_raises_closed_on_the_next_call():
    tx, rx = xichan.channel(10)
    tx.send_many(texts(3))
    tx.close()
    assert rx.recv_many(10) == texts(3)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv_many(10)


def test_recv_many_wakes_every_sender_it_made_room_for():
    tx, rx = xichan.channel(4)
    tx.send_many("abcd")
    senders = [Call(tx.send, i) for i in range(4)]
    wait_for_blocked(rx, senders=4)
    received = rx.recv_many(4)
    for sender in senders:
        sender.result()
    received += rx.drain()
    assert received[:4] == [*"abcd"] and sorted(received[4:]) == [0, 1, 2, 3]


def test_handle_may_close_while_recv_many_returns():
    """The call takes the only item; both sides close before it re-attaches to the interpreter."""
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
def test_drain_returns_everything_queued(options):
    tx, rx = xichan.channel(**options)
    number = min(options["capacity"] or 700, 700)
    assert rx.drain() == []
    tx.send_many(texts(number))
    assert rx.drain() == texts(number) and rx.drain() == []
    tx.send(1)
    tx.close()
    assert rx.drain() == [1] and rx.drain() == [], "draining a closed channel is not an error"
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        rx.drain()


def test_drain_takes_values_of_blocked_senders():
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
def test_drain_returns_while_others_keep_sending(capacity):
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(capacity)
    with interpreter(tx=tx) as interp:
        tx.close()
        sender = execute(
            interp,
            """
            import itertools, xichan
            try:
                for i in itertools.count():
                    tx.send(i)
            except xichan.ChannelClosed:
                pass
        """,
        )
        received = []
        for _ in range(300):
            part = rx.drain()
            assert capacity is None or len(part) <= capacity + 1
            received += part
        wait_until(lambda: len(received) >= 50 or received.extend(rx.drain()))
        assert received == list(range(len(received)))
        rx.close()
        sender.result()


@pytest.mark.parametrize("flavor", ["mpmc", "relaxed"])
def test_drain_of_an_unbounded_channel_is_one_step(flavor):
    """Another receiver takes values before those that drain() returns, but none in between."""
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(None, flavor=flavor)
    with interpreter(rx=rx) as interp:
        receiver = execute(interp, "for _ in rx: pass")
        sent, rounds = 0, 0
        while rounds < 20:
            sent += tx.send_many(range(sent, sent + 7000))
            received = rx.drain()
            assert received == list(range(sent - len(received), sent))
            rounds += len(received) > 0
        tx.close()
        receiver.result()


@pytest.mark.parametrize("how", ["rx.recv_many(4, 0)", "rx.recv_many(1)", "rx.drain()"])
def test_values_stay_queued_when_python_is_out_of_memory(how):
    """From the Nth on, all of Python's allocations fail, for each N; a later call returns what this one could not."""
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script(f"""
        import _testcapi, xichan
        from support import alive, left_over

        receive, lost, failures = (lambda rx: {how}), {{}}, 0
        before = alive()
        for n in range(60):
            tx, rx = xichan.channel(20)
            tx.send_many((i, "text that needs a block", 2**100) for i in range(12))
            received = []
            _testcapi.set_nomemory(n)
            try:
                part = receive(rx)
            except MemoryError:
                part = None
            finally:
                _testcapi.remove_mem_hooks()
            if part is None:
                failures += 1
                assert not rx.closed
            else:
                received += part
            while part := rx.drain():
                received += part
            if received != [(i, "text that needs a block", 2**100) for i in range(12)]:
                lost[n] = received
            tx.close()
            assert rx.closed
            del tx, rx, received, part
        assert failures > 2 and lost == {{}}, (failures, lost)
        assert left_over(before) == {{}}
    """)
