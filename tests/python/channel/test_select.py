"""select performs exactly one of several cases."""

import asyncio
import math
import time

import pytest
from support import (
    Call,
    alive,
    counts,
    left_over,
    run_script,
    wait_for_blocked,
)

import xichan

TEXT = "text that needs a block"


def channels(number, capacity=1):
    """Return (Senders, Receivers)."""
    return zip(*(xichan.channel(capacity) for _ in range(number)), strict=True)


def test_select_returns_the_case_and_the_value():
    (tx_a, tx_b), (rx_a, rx_b) = channels(2)
    tx_b.send(TEXT)
    case, value = xichan.select([rx_a, rx_b])
    assert case is rx_b and value == TEXT
    sending = (tx_a, TEXT)
    case, value = xichan.select(cases=(rx_b, sending), timeout=1)
    assert case is sending and value is None
    assert rx_a.recv_nowait() == TEXT and len(rx_b) == 0


@pytest.mark.parametrize("kind", [list, tuple, iter, set, dict.fromkeys, lambda cases: (case for case in cases)])
def test_select_accepts_any_iterable_of_cases(kind):
    (tx, _), (rx, other) = channels(2)
    tx.send(1)
    assert xichan.select(kind([other, rx])) == (rx, 1)


async def aselect(cases):
    return await xichan.aselect(cases)


@pytest.mark.parametrize("call", [xichan.select, lambda cases: asyncio.run(aselect(cases))], ids=["select", "aselect"])
def test_select_refuses_a_bare_endpoint_without_receiving(call):
    tx, rx = xichan.channel()
    tx.send_many(["precious", "data"])
    for cases in (rx, tx, rx.views()):
        with pytest.raises(TypeError, match=r"iterable of cases, got xichan\.[\w.]+; pass a list of endpoints"):
            call(cases)
    assert rx.drain() == ["precious", "data"]


@pytest.mark.parametrize(
    "make",
    [lambda tx, rx: [1], lambda tx, rx: [tx], lambda tx, rx: [(tx,)], lambda tx, rx: [(rx, 1)], lambda tx, rx: [None],
     lambda tx, rx: [(1, 2)], lambda tx, rx: [()], lambda tx, rx: [(tx, 1, 2)], lambda tx, rx: [rx, [tx, 1]],
     lambda tx, rx: [(tx, 1), rx, "x"], lambda tx, rx: 1, lambda tx, rx: None, lambda tx, rx: rx.id],
)  # fmt: skip
def test_select_rejects_invalid_cases(make):
    tx, rx = xichan.channel()
    tx.send(TEXT)
    with pytest.raises(TypeError):
        xichan.select(make(tx, rx))
    assert rx.drain() == [TEXT]


@pytest.mark.parametrize("cases", [[], (), iter([]), {}, ""])
def test_select_without_cases_raises_value_error(cases):
    with pytest.raises(ValueError, match="at least one"):
        xichan.select(cases)


def test_select_rejects_hostile_arguments():
    tx, rx = xichan.channel()
    tx.send(1)
    for timeout, error in ((-1, ValueError), (math.nan, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(error):
            xichan.select([rx], timeout)
    for call in (lambda: xichan.select(), lambda: xichan.select([rx], 1, 2), lambda: xichan.select([rx], wait=1)):
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ZeroDivisionError):
        xichan.select(1 // 0 for _ in range(2))
    assert xichan.select([rx], math.inf) == (rx, 1)


def test_select_sends_nothing_if_a_value_is_refused():
    (tx_a, tx_b), (rx_a, rx_b) = channels(2)
    before = alive()
    with pytest.raises(xichan.NotShareableError, match=r"value\[1\]: object is not shareable"):
        xichan.select([(tx_a, TEXT), (tx_b, (1, object()))])
    small, out = xichan.channel(1, max_bytes=100)
    with pytest.raises(ValueError, match="max_bytes"):
        xichan.select([(small, "x" * 1000)])
    assert left_over(before)["channels"] == 1 and len(rx_a) == len(rx_b) == len(out) == 0
    assert xichan.memory_stats().blocks == before["blocks"]


@pytest.mark.parametrize("timeout", [0, 0.05])
def test_select_times_out(timeout):
    (tx_a, tx_b), (rx_a, rx_b) = channels(2)
    tx_b.send("full")
    before = alive()
    start = time.monotonic()
    with pytest.raises(xichan.ChannelTimeout):
        xichan.select([rx_a, (tx_b, TEXT)], timeout)
    assert time.monotonic() - start >= timeout
    assert left_over(before) == {} and rx_b.drain() == ["full"]
    wait_for_blocked(tx_a)
    wait_for_blocked(tx_b)


@pytest.mark.parametrize("kind", ["recv", "send"])
@pytest.mark.parametrize("capacity", [0, 1, None])
@pytest.mark.parametrize("chosen", range(3))
def test_blocked_select_is_woken_by_any_case(kind, capacity, chosen):
    if kind == "send" and capacity is None:
        pytest.skip("never waits")
    txs, rxs = (list(ends) for ends in channels(3, capacity))
    if kind == "send" and capacity:
        for tx in txs:
            tx.send("full")
    cases = rxs if kind == "recv" else [(tx, (i, TEXT)) for i, tx in enumerate(txs)]
    waiting = Call(xichan.select, cases)
    for tx in txs:
        wait_for_blocked(tx, **{"receivers" if kind == "recv" else "senders": 1})
    if kind == "recv":
        txs[chosen].send((chosen, TEXT))
        assert waiting.result() == (rxs[chosen], (chosen, TEXT))
    else:
        first = rxs[chosen].recv()
        assert waiting.result() == (cases[chosen], None)
        assert (first if capacity == 0 else rxs[chosen].recv_nowait()) == (chosen, TEXT)
        assert sum(len(rx) for rx in rxs) == (2 if capacity else 0)
    for tx in txs:
        wait_for_blocked(tx)


def test_select_accepts_one_channel_twice():
    (tx, _), (rx, _) = channels(2)
    with pytest.raises(xichan.ChannelTimeout):
        xichan.select([rx, rx], 0.01)
    tx.send(1)
    assert xichan.select([rx, rx, rx.clone()])[1] == 1
    sends = [(tx, "a"), (tx, "b"), (tx.clone(), "c")]
    case, _ = xichan.select(sends)
    assert rx.drain() == [case[1]]
    for _ in range(5):
        case, _ = xichan.select([rx, (tx, "looped")])
        assert case == (tx, "looped"), "only a send can go first"
        assert xichan.select([rx, (tx, "full")]) == (rx, "looped")
    waiting = Call(xichan.select, [rx, rx])
    wait_for_blocked(tx, receivers=2)
    tx.send(2)
    assert waiting.result() == (rx, 2)
    wait_for_blocked(tx)


ENDS = {
    "other side": lambda mine, theirs: theirs.close(),
    "shutdown": lambda mine, theirs: mine.shutdown(),
    "immediate": lambda mine, theirs: theirs.shutdown(immediate=True),
    "own handle": lambda mine, theirs: mine.close(),
}


@pytest.mark.parametrize("when", ["before", "while it waits"])
@pytest.mark.parametrize("kind", ["recv", "send"])
@pytest.mark.parametrize("way", ENDS)
def test_closed_case_is_ready(kind, way, when):
    (tx, tx_b), (rx, rx_b) = channels(2)
    if kind == "send":
        tx.send("full")
    mine, theirs = (rx, tx) if kind == "recv" else (tx, rx)
    case = rx if kind == "recv" else (tx, TEXT)
    before = alive()
    if when == "before":
        ENDS[way](mine, theirs)
        waiting = Call(xichan.select, [rx_b, case])
    else:
        waiting = Call(xichan.select, [rx_b, case])
        wait_for_blocked(tx_b, receivers=1)
        wait_for_blocked(theirs, **{"receivers" if kind == "recv" else "senders": 1})
        ENDS[way](mine, theirs)
    with pytest.raises(xichan.ChannelClosed) as caught:
        waiting.result()
    assert caught.value.case is case and left_over(before) == {}
    wait_for_blocked(tx_b)
    tx_b.send("goes on")
    assert xichan.select([rx_b]) == (rx_b, "goes on")


def test_closed_receiver_is_drained_first():
    tx, rx = xichan.channel()
    tx.send_many([1, 2])
    tx.close()
    assert [xichan.select([rx])[1] for _ in range(2)] == [1, 2]
    with pytest.raises(xichan.ChannelClosed, match="drained") as caught:
        xichan.select([rx])
    assert caught.value.case is rx
    with pytest.raises(xichan.ChannelClosed) as caught:
        rx.recv()
    assert caught.value.case is None


def test_open_case_among_closed_ones_is_chosen_fairly():
    (tx, closed), (rx, rx_b) = channels(2)
    closed.close()
    taken = 0
    for _ in range(200):
        tx.send(1)
        try:
            xichan.select([rx, rx_b])
            taken += 1
        except xichan.ChannelClosed:
            rx.recv_nowait()
    assert 50 <= taken <= 150


def test_select_counts_as_one_waiter_in_each_channel():
    (tx_a, tx_b), (rx_a, rx_b) = channels(2)
    waiting = Call(xichan.select, [rx_a, rx_b])
    wait_for_blocked(tx_a, receivers=1)
    behind = Call(rx_b.recv)
    wait_for_blocked(tx_b, receivers=2)
    tx_a.send("a")
    assert waiting.result() == (rx_a, "a")
    tx_b.send("b")
    assert behind.result() == "b"
    assert counts(tx_a) == counts(tx_b) == (1, 1)


def test_ctrl_c_interrupts_a_select():
    run_script("""
        import os, signal, xichan
        from support import Call, alive, left_over, wait_for_blocked
        signal.signal(signal.SIGINT, signal.default_int_handler)
        (a, rx_a), (b, rx_b) = xichan.channel(1), xichan.channel(0)
        before = alive()
        for _ in range(5):
            helper = Call(lambda: (wait_for_blocked(a, receivers=1), os.kill(os.getpid(), signal.SIGINT)))
            try:
                xichan.select([rx_a, (b, "text that needs a block")])
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError
            helper.result()
            wait_for_blocked(a)
            wait_for_blocked(b)
            assert left_over(before) == {}
    """)


def test_undecoded_value_is_ready_first():
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script("""
        import _testcapi, xichan
        from support import alive, left_over
        before = alive()
        kept, hoard = 0, []
        for n in range(30):
            (tx, rx), (other, rx_b) = xichan.channel(4), xichan.channel(4)
            tx.send((1, "text that needs a block"))
            result = None
            hoard += [(i, n) for i in range(3000)]  # so that no tuple is left that could be used again
            _testcapi.set_nomemory(n)
            try:
                result = xichan.select([rx])
            except MemoryError:
                pass
            finally:
                _testcapi.remove_mem_hooks()
            other.send("ready")
            if result is None:
                in_handle = len(rx) == 0
                kept += in_handle
                result = xichan.select([rx_b, rx, (other, 1)] if in_handle else [rx], 0)
            assert result == (rx, (1, "text that needs a block")), n
            assert rx_b.drain() == ["ready"]
        assert kept > 0
        del tx, rx, other, rx_b, result
        assert left_over(before) == {}
    """)
