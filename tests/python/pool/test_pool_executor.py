"""xichan.InterpreterPoolExecutor as a concurrent.futures.Executor: its workers, its end, what it refuses."""

import concurrent.futures
import gc
import math

import pytest
from support import PATIENCE, wait_until
from support import pool_tasks as tasks
from support.pool_blockers import Blocker, blockers

import xichan

pytest.importorskip("concurrent.interpreters")


def test_workers_run_at_the_same_time_and_one_after_the_other(pool):
    one, two = blockers(pool, 2)
    third = Blocker(pool)
    with pytest.raises(xichan.ChannelTimeout):
        third.started.recv(0.05)
    one.end(1)
    third.wait()
    two.end(2)
    third.end(3)


def test_workers_are_other_interpreters_made_as_needed():
    with xichan.InterpreterPoolExecutor(4) as pool:
        assert pool.stats().workers == 0
        first = pool.submit(tasks.interpreter_id).result(PATIENCE)
        assert first != tasks.interpreter_id()
        assert pool.submit(tasks.interpreter_id).result(PATIENCE) == first
        assert pool.stats().workers == 1
    assert pool.stats().workers == 0


def test_shutdown(pool):
    two = blockers(pool, 2)
    waiting = [pool.submit(tasks.square, n) for n in range(10)]
    mapped = pool.map(tasks.square, range(10))
    pool.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in waiting)
    with pytest.raises(concurrent.futures.CancelledError):
        next(mapped)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(tasks.square, 1)
    for blocker in two:
        blocker.end("still")
    pool.shutdown()
    pool.shutdown()


def test_shutdown_waits_for_what_was_submitted():
    pool = xichan.InterpreterPoolExecutor(2)
    two = blockers(pool, 2)
    waiting = [pool.submit(tasks.square, n) for n in range(10)]
    pool.shutdown(wait=False)
    assert waiting[3].cancel()  # also now
    for blocker in two:
        blocker.end()
    pool.shutdown()
    assert all(future.done() for future in waiting)
    assert [future.result() for future in waiting if not future.cancelled()] == [n * n for n in range(10) if n != 3]


def test_shutdown_of_an_unused_pool():
    pool = xichan.InterpreterPoolExecutor()
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(tasks.square, 1)
    assert pool.stats().workers == 0


def test_an_unused_pool_that_is_dropped():
    pool = xichan.InterpreterPoolExecutor()
    crew = pool._crew
    del pool
    gc.collect()
    assert crew.stopping and not crew.collector.started


def test_a_task_that_does_not_return_while_the_pool_shuts_down():
    pool = xichan.InterpreterPoolExecutor(1)
    (blocker,) = blockers(pool, 1)
    pool.shutdown(wait=False)
    with pytest.raises(TimeoutError):
        blocker.future.result(0.05)
    assert blocker.future.running()
    blocker.end("at last")
    pool.shutdown()


def test_a_pool_that_is_dropped_ends_when_its_tasks_are_done():
    pool = xichan.InterpreterPoolExecutor(2)
    (blocker,) = blockers(pool, 1)
    waiting = [pool.submit(tasks.square, n) for n in range(10)]
    crew = pool._crew
    del pool
    gc.collect()
    wait_until(lambda: crew.stopping)
    assert [future.result(PATIENCE) for future in waiting] == [n * n for n in range(10)]
    blocker.end()
    wait_until(lambda: not crew.collector.thread.is_alive())
    assert list(xichan.InterpreterPoolExecutor(1).map(tasks.square, range(5))) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2", math.nan])
def test_bad_numbers(workers):
    with pytest.raises((TypeError, ValueError)):
        xichan.InterpreterPoolExecutor(workers)
    with pytest.raises((TypeError, ValueError)):
        xichan.InterpreterPoolExecutor(restart_after=workers)


def test_bad_arguments(pool):
    with pytest.raises(TypeError):
        pool.submit(3)
    with pytest.raises(TypeError):
        pool.map("no function", [1])
    with pytest.raises(ValueError):
        pool.map(tasks.square, [1], chunksize=0)
    with pytest.raises(ValueError):
        pool.map(tasks.square, [1], buffersize=0)
    with pytest.raises(TypeError):
        pool.map(tasks.square, [1], buffersize=1.5)
    with pytest.raises(TypeError):
        xichan.InterpreterPoolExecutor(initializer=3)
    with pytest.raises(ValueError):
        xichan.InterpreterPoolExecutor(fallback="elsewhere")
    with pytest.raises(ValueError):
        xichan.InterpreterPoolExecutor(shared={"not a name": 1})
    assert pool.submit(tasks.square, 2).result(PATIENCE) == 4
