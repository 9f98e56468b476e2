"""wait_closed() and await_closed(): the stop signal of a producer, the end of the sending side for a consumer."""

import asyncio
import signal
import threading
import time

import pytest
from support import FLAVORS, PATIENCE, Call, interpreter, run_loop, run_script

import xichan

EVERY_FLAVOR = pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
BY = {
    "close": lambda other: other.close(),
    "close with an error": lambda other: other.close(error=OSError("disk full")),
    "shutdown": lambda other: other.shutdown(),
    "shutdown at once": lambda other: other.shutdown(immediate=True),
}
EVERY_WAY = pytest.mark.parametrize("by", BY.values(), ids=BY)
BOTH_SIDES = pytest.mark.parametrize("side", [0, 1], ids=["Sender", "Receiver"])


def wait_until_parked(end, parks):
    deadline = time.monotonic() + PATIENCE
    while end.stats().parks < parks:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@EVERY_FLAVOR
@EVERY_WAY
@BOTH_SIDES
def test_waiting_call_returns_when_the_channel_is_closed(options, by, side):
    ends = xichan.channel(**options)
    end, other = ends[side], ends[1 - side]
    calls = [Call(end.wait_closed) for _ in range(2)]
    wait_until_parked(end, 2)
    assert all(call.is_alive() for call in calls)
    by(other)
    for call in calls:
        assert call.result() is None
    assert end.wait_closed(timeout=0) is None


@EVERY_WAY
@BOTH_SIDES
def test_waiting_coroutine_returns_when_the_channel_is_closed(by, side):
    ends = xichan.channel()
    end, other = ends[side], ends[1 - side]

    async def main():
        task = asyncio.create_task(end.await_closed())
        await asyncio.sleep(0.01)
        assert not task.done()
        by(other)
        assert await asyncio.wait_for(task, PATIENCE) is None
        assert await end.await_closed() is None

    run_loop(main())


@BOTH_SIDES
def test_values_do_not_end_the_wait(side):
    tx, rx = xichan.channel(2)
    call = Call((tx, rx)[side].wait_closed)
    wait_until_parked(tx, 1)
    for i in range(100):
        tx.send(i)
        assert rx.recv() == i
    assert call.is_alive() and tx.stats().wakeups == 0
    tx.shutdown()
    call.result()


def test_queued_values_remain_for_the_receiver():
    tx, rx = xichan.channel()
    tx.send(1)
    tx.close()
    rx.wait_closed()
    assert not rx.closed and list(rx) == [1]


@BOTH_SIDES
def test_other_endpoints_keep_the_channel_open(side):
    ends = xichan.channel()
    end, other = ends[side], ends[1 - side]
    last = other.clone()
    call = Call(end.wait_closed)
    wait_until_parked(end, 1)
    other.close()
    with pytest.raises(xichan.ChannelTimeout):
        end.wait_closed(0.01)
    assert call.is_alive()
    last.close()
    call.result()


@BOTH_SIDES
def test_wait_times_out(side):
    ends = xichan.channel()
    end = ends[side]
    for timeout in (0, 0.01):
        with pytest.raises(TimeoutError) as caught:
            end.wait_closed(timeout=timeout)
        assert type(caught.value) is xichan.ChannelTimeout
    for wrong, error in ((-1, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(error):
            end.wait_closed(wrong)


@BOTH_SIDES
def test_closing_the_own_endpoint_ends_the_wait(side):
    ends = xichan.channel()
    end = ends[side]
    call = Call(end.wait_closed)
    wait_until_parked(ends[0], 1)
    end.close()
    with pytest.raises(xichan.ChannelClosed, match="this (Sender|Receiver) is closed"):
        call.result()
    with pytest.raises(xichan.ChannelClosed, match="this (Sender|Receiver) is closed"):
        end.wait_closed()

    async def main():
        await end.await_closed()

    with pytest.raises(xichan.ChannelClosed):
        run_loop(main())


def test_cancelled_wait_leaves_nothing_behind():
    tx, rx = xichan.channel()

    async def main():
        task = asyncio.create_task(tx.await_closed())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        rx.close()
        await tx.await_closed()

    run_loop(main())


def test_waiting_call_returns_across_interpreters():
    tx, rx = xichan.channel()
    with interpreter(tx=tx) as interp:
        call = Call(interp.exec, "tx.wait_closed()")
        wait_until_parked(tx, 1)
        rx.close()
        call.result()


def test_end_of_an_interpreter_closes_for_waiters():
    tx, rx = xichan.channel()
    with interpreter(rx=rx):
        rx.close()
        call = Call(tx.wait_closed)
        wait_until_parked(tx, 1)
    call.result()


def test_ctrl_c_interrupts_the_wait():
    tx, rx = xichan.channel()

    def interrupt():
        wait_until_parked(rx, 1)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    call = Call(interrupt)
    with pytest.raises(KeyboardInterrupt):
        tx.wait_closed()
    call.result()


def test_waiting_thread_does_not_keep_the_process_alive():
    code = """
import threading

import xichan

tx, rx = xichan.channel()
def work():
    try:
        tx.wait_closed()
    except xichan.ChannelClosed as error:
        print(error)
threading.Thread(target=work).start()
"""
    done = run_script(code)
    assert (done.stdout, done.stderr) == ("the interpreter is shutting down\n", "")


def test_stop_signal_wakes_a_producer_between_values():
    tx, rx = xichan.channel()
    sent = []

    async def produce():
        stopped = asyncio.create_task(tx.await_closed())
        while not stopped.done():
            sent.append(len(sent))
            tx.send_nowait(sent[-1])
            await asyncio.wait([stopped], timeout=0.001)
        return "stopped"

    async def main():
        task = asyncio.create_task(produce())
        assert await rx.arecv() == 0
        rx.close()
        return await asyncio.wait_for(task, PATIENCE)

    assert run_loop(main()) == "stopped"
