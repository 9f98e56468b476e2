"""Done callbacks: they may wait for tasks, be slow, and end the pool."""

import concurrent.futures
import threading

import pytest
from support import PATIENCE, Call, wait_until
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")


@pytest.fixture
def release():
    """An event that callbacks wait for; set at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_callback_may_wait_for_other_tasks(pool):
    found = []

    def callback(_):
        found.append(pool.submit(abs, -5).result(PATIENCE))
        found.append(list(pool.map(tasks.square, range(5), timeout=PATIENCE)))
        found.append(concurrent.futures.wait([pool.submit(abs, -6)], PATIENCE).not_done)

    pool.submit(abs, -1).add_done_callback(callback)
    wait_until(lambda: len(found) == 3)
    assert found == [5, [0, 1, 4, 9, 16], set()]


def test_callback_may_wait_for_another_callback(pool):
    done = threading.Event()
    found = []

    def outer(_):
        pool.submit(abs, -2).add_done_callback(lambda _: done.set())
        found.append(done.wait(PATIENCE))

    pool.submit(abs, -1).add_done_callback(outer)
    wait_until(lambda: found)
    assert found == [True]


def test_blocked_callbacks_delay_neither_results_nor_other_callbacks(pool, release):
    blocked, called = [], []

    def block(future):
        blocked.append(future)
        release.wait(PATIENCE)

    for _ in range(5):
        pool.submit(abs, -1).add_done_callback(block)
    wait_until(lambda: len(blocked) == 5)
    future = pool.submit(abs, -2)
    future.add_done_callback(called.append)
    assert future.result(PATIENCE) == 2
    assert list(pool.map(abs, range(-3, 0))) == [3, 2, 1]
    assert concurrent.futures.wait([pool.submit(abs, -3)], PATIENCE).not_done == set()
    wait_until(lambda: called)
    assert called == [future]


def test_each_callback_of_a_future_is_called_once(pool):
    called = []
    futures = [pool.submit(abs, -1) for _ in range(100)]
    for future in futures * 5:
        future.add_done_callback(called.append)
    wait_until(lambda: len(called) >= 500)
    assert sorted(map(id, called)) == sorted(map(id, futures * 5))


def test_shutdown_waits_for_callbacks(release):
    pool = xichan.InterpreterPoolExecutor(1)
    called = []

    def callback(_):
        release.wait(PATIENCE)
        called.append(True)

    pool.submit(abs, -1).add_done_callback(callback)
    ending = Call(pool.shutdown)
    ending.join(0.05)
    assert ending.is_alive()
    release.set()
    ending.result()
    assert called == [True]


def test_callback_may_shut_the_pool_down():
    pool = xichan.InterpreterPoolExecutor(1)
    called = []

    def callback(_):
        pool.shutdown()
        called.append(True)

    pool.submit(abs, -1).add_done_callback(callback)
    wait_until(lambda: called)
    pool.shutdown()
    assert pool.stats().workers == 0


def test_callback_added_while_the_task_ends_is_called():
    with xichan.InterpreterPoolExecutor(1) as pool:
        called = []
        for _ in range(2000):
            pool.submit(abs, -1).add_done_callback(called.append)
    assert len(called) == 2000
