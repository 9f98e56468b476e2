"""max_bytes: which senders are woken when bytes become free, and the claim of a large message."""

import asyncio
import select
import threading
import time

import pytest
from support import PATIENCE, Call, interpreter, run_loop, run_script, wait_for_blocked, wait_until

import xichan

BOUND = 10_000
LIGHT = b"l" * 900  # ten of them fill a channel
HEAVY = b"h" * 7000


def full_channel(capacity=1000, **options):
    tx, rx = xichan.channel(capacity, max_bytes=BOUND, **options)
    fill(tx)
    return tx, rx


def fill(tx):
    sent = 0
    try:
        while True:
            tx.send_nowait(LIGHT)
            sent += 1
    except xichan.ChannelFull:
        return sent


def exchange_until_claimed(tx, rx):
    """Replace light values by others until the bytes that become free are claimed; return how many passed."""
    passed = 0
    while True:
        rx.recv_nowait()
        if fill(tx) == 0:
            return passed
        passed += 1
        assert passed < 100, "the large value starves"


def test_senders_that_do_not_fit_are_not_woken():
    tx, rx = xichan.channel(1000, max_bytes=BOUND)
    tx.send_many([LIGHT] * 5)
    blocked = [Call(tx.send, HEAVY) for _ in range(20)]
    wait_for_blocked(rx, senders=20)
    before = tx.stats().wakeups
    for _ in range(8):
        tx.send_nowait(LIGHT)
        rx.recv_nowait()
    assert tx.stats().wakeups == before and tx.stats().waiting_senders == 20
    rx.close()
    for call in blocked:
        with pytest.raises(xichan.ChannelClosed):
            call.result()


@pytest.mark.parametrize("form", ["send", "select", "send_many", "asend", "aselect", "asend_many"])
@pytest.mark.parametrize("flavor", ["mpmc", "relaxed", "unbounded"])
def test_large_value_does_not_starve_beside_small_ones(form, flavor):
    tx, rx = full_channel(*{"unbounded": [None]}.get(flavor, []), flavor="mpmc" if flavor == "unbounded" else flavor)
    large = tx.clone()
    forms = {
        "send": lambda: large.send(HEAVY),
        "select": lambda: xichan.select([(large, HEAVY)]),
        "send_many": lambda: large.send_many([HEAVY]),
        "asend": lambda: run_loop(large.asend(HEAVY)),
        "aselect": lambda: run_loop(xichan.aselect([(large, HEAVY)])),
        "asend_many": lambda: run_loop(large.asend_many([HEAVY])),
    }
    call = Call(forms[form])
    wait_for_blocked(rx, senders=1)
    passed = exchange_until_claimed(tx, rx)
    assert passed <= 12, f"{passed} values of {len(LIGHT)} bytes passed a bound of {BOUND}"
    tx.send_nowait("small")  # needs no bytes
    received = []
    for _ in range(8):
        received.append(rx.recv())
    wait_until(lambda: rx.stats().waiting_senders == 0)
    call.result(PATIENCE)
    received += rx.drain()
    assert received.count(HEAVY) == 1 and received.count("small") == 1
    assert fill(tx) == 10, "the claim has ended"


@pytest.mark.parametrize("threads", [1, 3])
def test_large_values_pass_among_hammering_threads(threads):
    tx, rx = full_channel()
    done = threading.Event()

    def hammer():
        while not done.is_set():
            for call in (rx.recv_nowait, lambda: tx.send_nowait(LIGHT)):
                try:
                    call()
                except (xichan.ChannelEmpty, xichan.ChannelFull):
                    pass

    hammers = [Call(hammer) for _ in range(threads)]
    try:
        for _ in range(20):
            tx.send(HEAVY, timeout=PATIENCE)
    finally:
        done.set()
    for call in hammers:
        call.result()


BLOCKED_THREAD = """
import threading, xichan

def send():
    try:
        tx.send(value)
    except xichan.ChannelClosed:
        pass

threading.Thread(target=send).start()
"""


@pytest.mark.parametrize("way", ["timeout", "close", "select", "cancel", "interpreter"])
def test_claim_ends_with_its_call(way):
    tx, rx = full_channel()
    (other_tx, other), mine = xichan.channel(), tx.clone()
    light = None

    def behind():
        nonlocal light
        exchange_until_claimed(tx, rx)
        light = Call(tx.send, LIGHT)
        wait_for_blocked(rx, senders=2)

    if way == "interpreter":
        pytest.importorskip("concurrent.interpreters")
        with interpreter(tx=mine, value=HEAVY) as interp:
            mine.close()
            interp.exec(BLOCKED_THREAD)
            wait_for_blocked(rx, senders=1)
            behind()
    elif way == "cancel":

        async def main():
            task = asyncio.create_task(mine.asend(HEAVY))
            await asyncio.sleep(0)
            await asyncio.to_thread(wait_for_blocked, rx, senders=1)
            behind()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        run_loop(main())
    else:
        calls = {
            "timeout": lambda: mine.send(HEAVY, timeout=2),
            "close": lambda: mine.send(HEAVY),
            "select": lambda: xichan.select([(mine, HEAVY), other]),
        }
        heavy = Call(calls[way])
        wait_for_blocked(rx, senders=1)
        behind()
        if way == "close":
            mine.close()
        if way == "select":
            other_tx.send(1)
        expected = {"timeout": xichan.ChannelTimeout, "close": xichan.ChannelClosed}.get(way)
        if expected is None:
            assert heavy.result() == (other, 1)
        else:
            with pytest.raises(expected):
                heavy.result()
    light.result(PATIENCE)
    assert HEAVY not in rx.drain() and fill(tx) == 10


def test_signal_handler_can_send_while_the_main_thread_has_a_claim():
    run_script(
        """
        import os, signal, threading, xichan
        from support import wait_for_blocked

        tx, rx = xichan.channel(1000, max_bytes=10_000)
        light, heavy = b"l" * 900, b"h" * 7000

        def fill():
            sent = 0
            try:
                while True:
                    tx.send_nowait(light)
                    sent += 1
            except xichan.ChannelFull:
                return sent

        def handler(number, frame):
            rx.recv_nowait()
            tx.send(light, timeout=5)  # as if the interrupted call had not begun
            tx.send_nowait("small")

        def interrupt():
            wait_for_blocked(rx, senders=1)
            while True:
                rx.recv_nowait()
                if fill() == 0:
                    break
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGUSR1)
                threading.Event().wait(0.2)
            while heavy not in rx.drain():
                pass

        fill()
        signal.signal(signal.SIGUSR1, handler)
        thread = threading.Thread(target=interrupt)
        thread.start()
        tx.send(heavy)
        thread.join()
        """,
        timeout=30,
    )


def test_send_of_the_main_thread_keeps_its_claim_while_it_checks_for_signals():
    """It leaves the list every 50 ms, and must not lose its place to those that keep sending."""
    tx, rx = full_channel()
    assert threading.current_thread() is threading.main_thread()
    done = threading.Event()

    def trickle():
        wait_for_blocked(rx, senders=1)
        while not done.is_set():
            rx.recv_nowait()
            try:
                tx.send_nowait(LIGHT)
            except xichan.ChannelFull:
                pass
            time.sleep(0.02)  # paces the receiver, so that the call is interrupted meanwhile; orders nothing

    call = Call(trickle)
    try:
        tx.send(HEAVY, timeout=PATIENCE)
    finally:
        done.set()
    call.result()


def test_rendezvous_rejects_a_value_above_max_bytes():
    tx, rx = xichan.channel(0, max_bytes=1000)
    receiver = Call(rx.recv)
    wait_for_blocked(tx, receivers=1)

    async def asynchronous():
        await tx.asend(HEAVY)

    for send in (tx.send, tx.send_nowait, lambda v: tx.send_many([v]), lambda v: xichan.select([(tx, v)]),
                 lambda v: asyncio.run(asynchronous()), lambda v: asyncio.run(xichan.aselect([(tx, v)]))):  # fmt: skip
        with pytest.raises(ValueError, match="max_bytes"):
            send(HEAVY)
    tx.send(LIGHT)
    assert receiver.result() == LIGHT


def test_descriptor_is_readable_once_its_value_fits():
    tx, rx = full_channel()
    fd = tx.fileno()
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(HEAVY)
    while not select.select([fd], [], [], 0)[0]:
        assert rx.recv_nowait() == LIGHT
    assert len(rx) in (2, 3)
    tx.send_nowait(HEAVY)
