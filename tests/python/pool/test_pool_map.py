"""InterpreterPoolExecutor.map."""

import concurrent.futures

import pytest
from support import PATIENCE, wait_until
from support import pool_tasks as tasks
from support.pool_blockers import blockers

import xichan

pytest.importorskip("concurrent.interpreters")


def test_map_returns_results_in_order(pool):
    assert list(pool.map(tasks.square, range(1000))) == [n * n for n in range(1000)]
    assert list(pool.map(tasks.divide, (1, 4), (2, 2, 2))) == [0.5, 2.0]
    assert list(pool.map(tasks.square, [])) == []
    assert list(pool.map(tasks.identity, [1, [2], (3, {4})])) == [1, [2], (3, {4})]


@pytest.mark.parametrize("chunksize", [1, 2, 7, 100, 5000])
def test_map_with_chunksize(pool, chunksize):
    mixed = [n if n % 5 else [n] for n in range(300)]
    assert list(pool.map(tasks.identity, mixed, chunksize=chunksize)) == mixed
    results = pool.map(tasks.divide, [1] * 5, [1, 2, 0, 4, 5], chunksize=chunksize)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize("buffersize", [1, 3, 100])
def test_map_with_buffersize(pool, buffersize):
    taken = []

    def numbers():
        for n in range(20):
            taken.append(n)
            yield n

    results = pool.map(tasks.square, numbers(), buffersize=buffersize)
    assert len(taken) == min(buffersize, 20)
    assert list(results) == [n * n for n in range(20)]


def test_map_timeout_cancels_calls_that_have_not_begun(pool):
    started, theirs = xichan.channel(4)[::-1]
    gate, release = xichan.channel(4)[::-1]
    results = pool.map(tasks.block, [theirs] * 6, [gate] * 6, timeout=0.1)
    theirs.close()
    gate.close()
    for _ in range(2):
        started.recv(PATIENCE)
    with pytest.raises(TimeoutError):
        next(results)
    for _ in range(2):
        release.send(None)
    assert list(started) == []  # the others never began
    assert pool.stats().cancelled == 4


def test_closing_the_iterator_cancels_the_rest(pool):
    two = blockers(pool, 2)
    results = pool.map(tasks.square, range(100))
    next_one = pool.submit(tasks.identity, "after")
    two[0].end()
    assert next(results) == 0
    results.close()
    two[1].end()
    assert next_one.result(PATIENCE) == "after"


def test_iterator_closed_before_its_first_step_cancels_nothing(pool):
    def close_unused(executor, call):
        executor.map(call, range(5)).close()

    two = blockers(pool, 2)
    close_unused(pool, tasks.square)
    for blocker in two:
        blocker.end()
    wait_until(lambda: pool.stats().finished == 7)
    assert pool.stats().cancelled == 0
    made = []
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        close_unused(threads, made.append)
    assert made == [0, 1, 2, 3, 4]  # as in the standard library
