"""The futures of pools: cancellation, waiting, callbacks, event loops."""

import asyncio
import concurrent.futures
import time

import pytest
from support import PATIENCE, Call, run_loop, wait_until
from support import pool_tasks as tasks
from support.pool_blockers import Blocker, blockers

import xichan

pytest.importorskip("concurrent.interpreters")


def test_cancel_succeeds_until_a_worker_takes_the_task(pool):
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


def test_cancelling_many_tasks_keeps_the_order_of_the_rest():
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


def test_running_and_cancel_keep_the_order_while_the_worker_takes_tasks():
    with xichan.InterpreterPoolExecutor(1) as pool:
        tx, rx = xichan.channel(None)
        for n in range(20):
            with Blocker(pool) as blocker:
                futures = [pool.submit(tasks.record_square, tx, k) for k in range(400)]
                blocker.release.send(None)
                while not futures[n].done():
                    pass
                futures[-1].cancel() if n % 2 else futures[-1].running()
                concurrent.futures.wait(futures, PATIENCE)
                assert rx.drain() == [k for k in range(400) if not futures[k].cancelled()]


def test_as_completed_and_wait(pool):
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


def test_callbacks_may_submit_tasks(pool):
    tx, rx = xichan.channel(None)

    def submit_next(future):
        if future.result() < 20:
            pool.submit(tasks.identity, future.result() + 1).add_done_callback(submit_next)
        tx.send(future.result())

    pool.submit(tasks.identity, 0).add_done_callback(submit_next)
    assert [rx.recv(PATIENCE) for _ in range(21)] == list(range(21))


def test_run_in_executor_of_an_event_loop(pool):
    async def main():
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(loop.run_in_executor(pool, tasks.square, n) for n in range(50)))
        assert results == [n * n for n in range(50)]
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(pool, tasks.divide, 1, 0)

    asyncio.run(main())


def test_threads_submit_and_wait_concurrently(pool):
    def work(start):
        return [pool.submit(tasks.square, n).result(PATIENCE) for n in range(start, start + 100)]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        found = list(threads.map(work, range(0, 800, 100)))
    assert sum(found, []) == [n * n for n in range(800)]


def test_cancel_wakes_a_thread_that_waits_for_the_result():
    with xichan.InterpreterPoolExecutor(1) as pool, concurrent.futures.ThreadPoolExecutor(1) as threads:
        for _ in range(20):
            future = pool.submit(tasks.square, 2)
            waiting = threads.submit(future.result, PATIENCE)
            if future.cancel():
                assert isinstance(waiting.exception(PATIENCE), concurrent.futures.CancelledError)
            else:
                assert waiting.result(PATIENCE) == 4


def test_results_without_an_entry_are_discarded():
    """submit() leaves such a result if it is interrupted after it has sent the task."""
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        for _ in range(1500):  # more than the channel of results holds
            future = pool.submit(tasks.square, 2)
            del pool._scheduler.in_flight[future.id]
        blocker.end()
        Call(pool.shutdown).result()
    assert pool.stats().workers == 0


def test_result_handled_by_the_collector_just_before_take_inline_listens(pool):
    """The collector handles it after take_inline() has seen that it is due and before it holds the token."""
    started, running = xichan.channel(1)
    release, gate = xichan.channel(1)
    future = pool.submit(tasks.block, started, gate)
    running.recv(PATIENCE)
    scheduler = pool._scheduler
    receive = scheduler.collector._receive_inline

    def receive_late(future, timeout):
        release.send("the result")
        wait_until(lambda: not scheduler.in_flight and not len(scheduler.collector.token_rx))
        receive(future, timeout)

    scheduler.collector._receive_inline = receive_late
    try:
        assert Call(future.result).result() == "the result"
    finally:
        scheduler.collector._receive_inline = receive


def test_result_and_exception_time_out(pool):
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


def test_select_takes_futures_as_cases(pool):
    tx, rx = xichan.channel(4)
    future = pool.submit(lambda rx: rx.recv() * 2, rx)
    other_tx, other = xichan.channel(1)
    with pytest.raises(xichan.ChannelTimeout):
        xichan.select([other, future], 0.01)
    tx.send(21)
    assert xichan.select([other, future], 30) == (future, 42)
    assert xichan.select(iter([future, other])) == (future, 42)
    other_tx.send(1)
    slow = pool.submit(lambda rx: rx.recv(), rx)
    assert xichan.select([slow, other, (other_tx, 2)])[0] in (other, (other_tx, 2))
    slow.interrupt()
    with pytest.raises((xichan.Interrupted, concurrent.futures.CancelledError)):
        xichan.select([slow])
    other_tx.close()
    other.drain()
    with pytest.raises(xichan.ChannelClosed) as caught:
        xichan.select([other, pool.submit(lambda rx: rx.recv(), rx)])
    assert caught.value.case is other
    with pytest.raises(xichan.ChannelClosed) as caught:  # of a case that cannot be hashed
        xichan.select([(other_tx, [1]), pool.submit(lambda rx: rx.recv(), rx)])
    assert caught.value.case == (other_tx, [1])
    tx.close()
    with pytest.raises(TypeError, match="a case must be"):
        xichan.select([other, 5])


def test_aselect_takes_futures_as_cases(pool):
    tx, rx = xichan.channel(4)
    other_tx, other = xichan.channel(1)
    full_tx, full = xichan.channel(1)
    full_tx.send(0)

    async def main():
        future = pool.submit(lambda rx: rx.recv() * 2, rx)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(xichan.aselect([other, future, (full_tx, 1)]), 0.01)
        waiting = asyncio.create_task(xichan.aselect([other, future, (full_tx, 1)]))
        await asyncio.sleep(0)
        tx.send(21)
        assert await waiting == (future, 42)
        assert await xichan.aselect(iter([future, other])) == (future, 42)
        slow = pool.submit(lambda rx: rx.recv(), rx)
        waiting = asyncio.create_task(xichan.aselect([slow, other, (full_tx, 1)]))
        await asyncio.sleep(0)
        other_tx.send("text " * 100)
        assert await waiting == (other, "text " * 100)
        waiting = asyncio.create_task(xichan.aselect([slow, other, (full_tx, 1)], copy=False))
        await asyncio.sleep(0)
        assert full.recv() == 0
        assert await waiting == ((full_tx, 1), None)
        waiting = asyncio.create_task(xichan.aselect([slow, other]))
        await asyncio.sleep(0)
        slow.interrupt()
        with pytest.raises((xichan.Interrupted, concurrent.futures.CancelledError)):
            await waiting
        other_tx.close()
        for cases in ([other], [(other_tx, [1])]):
            with pytest.raises(xichan.ChannelClosed) as caught:
                await xichan.aselect([*cases, pool.submit(lambda rx: rx.recv(), rx)])
            assert caught.value.case == cases[0]
        tx.close()
        with pytest.raises(TypeError, match="a case must be"):
            await xichan.aselect([other, 5, slow])

    run_loop(main())
    assert full.recv() == 1


def test_cancelled_aselect_of_futures_has_received_nothing(pool):
    gate_tx, gate = xichan.channel()
    tx, rx = xichan.channel(None)

    async def main():
        future = pool.submit(lambda gate: gate.recv(), gate)
        got = []
        for n in range(200):
            waiting = asyncio.create_task(xichan.aselect([rx, future]))
            for _ in range(n % 3):
                await asyncio.sleep(0)
            tx.send(n)
            for _ in range(n % 4):
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                got.append((await waiting)[1])
            except asyncio.CancelledError:
                pass
        got += rx.drain()
        assert got == list(range(200))
        gate_tx.send("end")
        assert await xichan.aselect([rx, future]) == (future, "end")

    run_loop(main())
