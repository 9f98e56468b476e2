"""The futures of pools: cancelling, waiting, callbacks, event loops."""

import asyncio
import concurrent.futures
import time

import pytest
from support import PATIENCE, Call, wait_until
from support import pool_tasks as tasks
from support.pool_blockers import Blocker, blockers

import xichan

pytest.importorskip("concurrent.interpreters")


def test_cancel(pool):
    two = blockers(pool, 2)
    waiting = [pool.submit(tasks.square, n) for n in range(4)]
    assert two[0].future.running() and not two[0].future.cancel() and not two[0].future.done()
    assert not waiting[1].running() and waiting[1].cancel() and waiting[1].cancel() and waiting[1].cancelled()
    with pytest.raises(concurrent.futures.CancelledError):
        waiting[1].result()
    assert waiting[3].cancel()
    for blocker in two:
        blocker.end()
    assert [waiting[0].result(PATIENCE), waiting[2].result(PATIENCE)] == [0, 4]
    assert not waiting[0].cancel()
    assert pool.stats().cancelled == 2


def test_cancelling_many_keeps_the_order_of_the_others():
    with xichan.InterpreterPoolExecutor(1) as pool:
        (blocker,) = blockers(pool, 1)
        tx, rx = xichan.channel(None)
        futures = [pool.submit(tasks.call_with, n) for n in range(1500)]
        order = [pool.submit(lambda tx, n: tx.send(n), tx, n) for n in range(100)]
        assert all(future.cancel() for future in futures[::-1])
        order += [pool.submit(lambda tx, n: tx.send(n), tx, n) for n in range(100, 200)]
        tx.close()
        assert order[50].cancel() and order[150].cancel()
        blocker.end()
        concurrent.futures.wait(order)
        del order
        assert list(rx) == [n for n in range(200) if n not in (50, 150)]


def test_waiting_for_several(pool):
    futures = {pool.submit(tasks.square, n): n for n in range(50)}
    for future in concurrent.futures.as_completed(futures, PATIENCE):
        assert future.result() == futures[future] ** 2
    bad = pool.submit(tasks.divide, 1, 0)
    done, _ = concurrent.futures.wait([bad], PATIENCE, concurrent.futures.FIRST_EXCEPTION)
    assert done == {bad}
    (blocker,) = blockers(pool, 1)
    quick = pool.submit(tasks.square, 2)
    done, left = concurrent.futures.wait([quick, blocker.future], PATIENCE, concurrent.futures.FIRST_COMPLETED)
    assert done == {quick} and left == {blocker.future}
    blocker.end()


def test_callbacks_may_use_the_pool(pool):
    tx, rx = xichan.channel(None)

    def again(future):
        if future.result() < 20:
            pool.submit(tasks.identity, future.result() + 1).add_done_callback(again)
        tx.send(future.result())

    pool.submit(tasks.identity, 0).add_done_callback(again)
    assert [rx.recv(PATIENCE) for _ in range(21)] == list(range(21))


def test_in_an_event_loop(pool):
    async def main():
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(loop.run_in_executor(pool, tasks.square, n) for n in range(50)))
        assert results == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(pool, tasks.divide, 1, 0)

    asyncio.run(main())


def test_many_threads_submit_and_wait(pool):
    def work(start):
        return [pool.submit(tasks.square, n).result(PATIENCE) for n in range(start, start + 100)]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        found = list(threads.map(work, range(0, 800, 100)))
    assert sum(found, []) == [n * n for n in range(800)]


def test_cancelling_what_another_thread_waits_for():
    with xichan.InterpreterPoolExecutor(1) as pool, concurrent.futures.ThreadPoolExecutor(1) as threads:
        for _ in range(20):
            future = pool.submit(tasks.square, 2)
            waiting = threads.submit(future.result, PATIENCE)
            if future.cancel():
                assert isinstance(waiting.exception(PATIENCE), concurrent.futures.CancelledError)
            else:
                assert waiting.result(PATIENCE) == 4


def test_answers_that_nobody_waits_for_are_taken():
    """As there are when submit was interrupted once it had sent the task."""
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        for _ in range(1500):  # more than the channel of the answers holds
            future = pool.submit(tasks.square, 2)
            with pool._crew.lock:
                del pool._crew.entries[future.id]
        blocker.end()
        Call(pool.shutdown).result()
    assert pool.stats().workers == 0


def test_an_answer_that_is_taken_just_before_it_is_waited_for(pool):
    """The thread that takes answers deals with it after result() has seen that it is due, and before that listens."""
    started, running = xichan.channel(1)
    release, gate = xichan.channel(1)
    future = pool.submit(tasks.block, started, gate)
    running.recv(PATIENCE)
    crew = pool._crew
    help = crew.collector.help

    def help_late(future, timeout):
        release.send("the answer")
        wait_until(lambda: not crew.entries and not len(crew.collector.token_rx))
        help(future, timeout)

    crew.collector.help = help_late
    try:
        assert Call(future.result).result() == "the answer"
    finally:
        crew.collector.help = help


def test_timeouts(pool):
    (blocker,) = blockers(pool, 1)
    for timeout in (0, -1, 0.01, 1e-9):
        with pytest.raises(TimeoutError):
            blocker.future.result(timeout)
        with pytest.raises(TimeoutError):
            blocker.future.exception(timeout)
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        blocker.future.result(0.2)
    assert time.monotonic() - start >= 0.2
    blocker.end()
