"""Several event loops in threads and interpreters, their cost and their cleanup."""

import asyncio
import contextlib
import gc
import os
import threading
import time

import pytest
from support import (
    Call,
    alive,
    execute,
    interpreter,
    left_over,
    run_loop,
    wait_for_blocked,
    wait_until,
    wait_until_blocked,
)

import xichan

TEXT = "text that needs a block"


def test_closed_loop_leaks_nothing():
    before, threads = alive(), threading.active_count()
    tx, rx = xichan.channel(1)
    full, other = xichan.channel(0)
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(work) for work in (rx.arecv(), full.asend(TEXT), xichan.aselect([rx, (full, TEXT)]))]
    loop.run_until_complete(wait_until_blocked(tx, receivers=2))
    loop.run_until_complete(wait_until_blocked(other, senders=2))
    loop.set_exception_handler(lambda loop, context: None)  # it would report the pending tasks
    loop.stop()
    loop.close()
    for task in tasks:
        task._log_destroy_pending = False
    del tasks, task, loop
    gc.collect()
    assert tx.stats().waiting_receivers == other.stats().waiting_senders == 0
    tx.send(TEXT)
    assert rx.recv() == TEXT and threading.active_count() == threads
    del tx, rx, full, other
    assert left_over(before) == {}


@pytest.mark.parametrize("capacity", [0, 1, None])
def test_loops_in_two_threads_share_a_channel(capacity):
    (there, requests), (replies, back) = xichan.channel(capacity), xichan.channel(capacity)

    async def echo():
        async with requests, replies:
            async for value in requests:
                await replies.asend((value, TEXT))

    async def main():
        for i in range(2000):
            await there.asend(i)
            assert await back.arecv() == (i, TEXT)
        there.close()
        assert [value async for value in back] == []

    other = Call(run_loop, echo())
    run_loop(main())
    other.result()


ECHO = """
    import asyncio, threading
    threading.current_thread()  # counts from here on
    before = threading.active_count()
    async def echo():
        async with requests, replies:
            async for value in requests:
                await replies.asend(value)
    asyncio.run(echo())
    assert threading.active_count() == before
"""


@pytest.mark.parametrize("capacity", [0, 4])
def test_loops_in_two_interpreters_share_a_channel(capacity):
    pytest.importorskip("concurrent.interpreters")
    (there, requests), (replies, back) = xichan.channel(capacity), xichan.channel(capacity)

    async def produce():
        async with there:
            await there.asend_many((i, TEXT) for i in range(1000))

    async def main():
        producer = asyncio.create_task(produce())
        assert [value async for value in back] == [(i, TEXT) for i in range(1000)]
        await producer

    with interpreter(requests=requests, replies=replies) as interp:
        requests.close()
        replies.close()
        other = execute(interp, ECHO)
        run_loop(main())
        other.result()


def test_interpreter_may_end_while_its_loop_waits():
    """Its coroutine stays suspended in a loop that no longer runs; the endpoints are released all the same."""
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(1)
    before = alive()
    with interpreter(rx=rx, tx=tx) as interp:
        rx.close()
        other = execute(
            interp,
            """
            import asyncio, builtins
            loop = builtins.loop = asyncio.new_event_loop()
            task = builtins.task = loop.create_task(rx.arecv())
            loop.run_until_complete(asyncio.sleep(0))
            tx.close()
        """,
        )
        other.result()
        wait_for_blocked(tx, receivers=1)
    with pytest.raises(xichan.ChannelClosed, match="all Receivers"):
        tx.send(TEXT)
    assert tx.stats().waiting_receivers == 0 and left_over(before) == {}


def test_coroutines_and_threads_share_a_channel():
    tx, rx = xichan.channel(3)

    async def consume():
        return [value async for value in rx]

    async def main():
        return sum(await asyncio.gather(*[consume() for _ in range(5)]), [])

    takers = [Call(run_loop, main()), Call(list, rx), Call(run_loop, main())]
    givers = [Call(tx.send_many, range(i, 3000, 3)) for i in range(2)]
    run_loop(tx.asend_many(range(2, 3000, 3)))
    for giver in givers:
        giver.result()
    tx.close()
    assert sorted(sum((taker.result() for taker in takers), [])) == list(range(3000))


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_many_short_loops_leak_nothing():
    tx, rx = xichan.channel(1)

    async def main():
        task = asyncio.create_task(rx.arecv())
        await wait_until_blocked(tx, receivers=1)
        await tx.asend(1)
        await task
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(rx.arecv(), 0.001)

    run_loop(main())
    gc.collect()
    threads, fds = threading.active_count(), descriptors()
    for _ in range(30):
        run_loop(main())
    gc.collect()
    assert threading.active_count() == threads and descriptors() == fds


def test_waiting_starts_no_thread_and_uses_no_processor_time():
    tx, rx = xichan.channel(1)
    threads = threading.active_count()

    async def main():
        tasks = [asyncio.create_task(rx.arecv()) for _ in range(100)]
        await wait_until_blocked(tx, receivers=100)
        wakeups, used, start = tx.stats().wakeups, time.process_time(), time.monotonic()
        await asyncio.sleep(0.3)
        used, took = time.process_time() - used, time.monotonic() - start
        assert threading.active_count() == threads and tx.stats().wakeups == wakeups
        assert used < 0.1, f"{used} s of {took}"
        tx.close()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_loop(main())


def test_sleeping_loop_is_woken_from_another_thread():
    tx, rx = xichan.channel(1)

    async def main():
        return [await rx.arecv() for _ in range(200)]

    loop = Call(run_loop, main())
    for i in range(200):
        wait_until(lambda: tx.stats().waiting_receivers == 1 or not loop.is_alive())
        tx.send(i)
    assert loop.result() == list(range(200))
