"""xichan.InterpreterPoolExecutor as a concurrent.futures.Executor: workers, shutdown, invalid arguments."""

import concurrent.futures
import dataclasses
import gc
import math

import pytest
from support import PATIENCE, wait_until
from support import pool_tasks as tasks
from support.pool_blockers import Blocker, blockers

import xichan

pytest.importorskip("concurrent.interpreters")


def test_workers_run_tasks_concurrently_and_queue_the_rest(pool):
    one, two = blockers(pool, 2)
    third = Blocker(pool)
    with pytest.raises(xichan.ChannelTimeout):
        third.started.recv(0.05)
    one.end(1)
    third.wait()
    two.end(2)
    third.end(3)


def test_workers_are_other_interpreters_started_on_demand():
    with xichan.InterpreterPoolExecutor(4) as pool:
        assert pool.stats().workers == 0
        first = pool.submit(tasks.interpreter_id).result(PATIENCE)
        assert first != tasks.interpreter_id()
        assert pool.submit(tasks.interpreter_id).result(PATIENCE) == first
        assert pool.stats().workers == 1
    assert pool.stats().workers == 0


def test_repr_has_the_name_and_the_number_of_workers():
    with xichan.InterpreterPoolExecutor(4, thread_name_prefix="index") as pool:
        assert repr(pool) == "<xichan.InterpreterPoolExecutor 'index', 0 of 4 workers>"
        pool.submit(tasks.interpreter_id).result(PATIENCE)
        assert repr(pool) == "<xichan.InterpreterPoolExecutor 'index', 1 of 4 workers>"


def test_shutdown_cancels_waiting_tasks(pool):
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


def test_shutdown_runs_submitted_tasks():
    pool = xichan.InterpreterPoolExecutor(2)
    two = blockers(pool, 2)
    waiting = [pool.submit(tasks.square, n) for n in range(10)]
    pool.shutdown(wait=False)
    assert waiting[3].cancel()  # even after shutdown
    for blocker in two:
        blocker.end()
    pool.shutdown()
    assert all(future.done() for future in waiting)
    assert [future.result() for future in waiting if not future.cancelled()] == [n * n for n in range(10) if n != 3]


def test_unused_pool_shuts_down():
    pool = xichan.InterpreterPoolExecutor()
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(tasks.square, 1)
    assert pool.stats().workers == 0


def test_stats_are_a_frozen_typed_record(pool):
    pool.submit(tasks.square, 2).result(PATIENCE)
    stats = pool.stats()
    assert stats == type(stats)(
        workers=1, max_workers=2, standby=0, queued=0, submitted=1, finished=1, failed=0, cancelled=0, lost=0,
        replaced=0, pickled_calls=0, pickled_results=0, refused={}, last_error=None,
    )  # fmt: skip
    with pytest.raises(AttributeError):
        stats.workers = 2
    *counts, refused, last_error = dataclasses.fields(stats)
    assert (refused.name, last_error.name) == ("refused", "last_error") and all(
        field.type in ("int", int) for field in counts
    )


def test_unused_pool_stops_when_garbage_collected():
    pool = xichan.InterpreterPoolExecutor()
    scheduler = pool._scheduler
    del pool
    gc.collect()
    assert scheduler.stopping and not scheduler.collector.started


def test_running_task_survives_shutdown():
    pool = xichan.InterpreterPoolExecutor(1)
    (blocker,) = blockers(pool, 1)
    pool.shutdown(wait=False)
    with pytest.raises(TimeoutError):
        blocker.future.result(0.05)
    assert blocker.future.running()
    blocker.end("at last")
    pool.shutdown()


def test_garbage_collected_pool_completes_its_tasks():
    pool = xichan.InterpreterPoolExecutor(2)
    (blocker,) = blockers(pool, 1)
    waiting = [pool.submit(tasks.square, n) for n in range(10)]
    scheduler = pool._scheduler
    del pool
    gc.collect()
    wait_until(lambda: scheduler.stopping)
    assert [future.result(PATIENCE) for future in waiting] == [n * n for n in range(10)]
    blocker.end()
    wait_until(lambda: not scheduler.collector.thread.is_alive())
    assert list(xichan.InterpreterPoolExecutor(1).map(tasks.square, range(5))) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2", math.nan])
def test_constructor_rejects_invalid_numbers(workers):
    with pytest.raises((TypeError, ValueError)):
        xichan.InterpreterPoolExecutor(workers)
    with pytest.raises((TypeError, ValueError)):
        xichan.InterpreterPoolExecutor(restart_after=workers)


def test_invalid_arguments_are_rejected(pool):
    with pytest.raises(TypeError):
        pool.submit(3)
    with pytest.raises(TypeError):
        pool.map("not a function", [1])
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
