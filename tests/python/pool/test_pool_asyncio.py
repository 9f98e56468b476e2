"""Coroutine functions as tasks, and pools as the default executor of an event loop."""

import asyncio
import contextvars
import functools
import threading
import time

import pytest
from support import PATIENCE, run_loop
from support import pool_tasks as tasks

import xichan
from xichan.dispatch import Dispatcher
from xichan.pool import threads

pytest.importorskip("concurrent.interpreters")


async def double(number):
    await asyncio.sleep(0)
    return 2 * number


async def fail(error):
    await asyncio.sleep(0)
    raise error


async def double_all(rx, tx):
    async for number in rx:
        await tx.asend(2 * number)


async def leave_task(tx):
    async def hold():
        with tx:
            await asyncio.sleep(PATIENCE)

    asyncio.create_task(hold())
    await asyncio.sleep(0)


async def generate(_=None):
    yield 1


class Doubling:
    async def __call__(self, number):
        return await double(number)

    async def method(self, number):
        return await double(number)


def test_coroutine_functions_run_in_the_worker(pool):
    assert pool.submit(double, 4).result(PATIENCE) == 8
    assert pool.submit(double, number=4).result(PATIENCE) == 8
    assert list(pool.map(double, range(5), chunksize=2)) == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match="from the coroutine"):
        pool.submit(fail, ValueError("from the coroutine")).result(PATIENCE)
    assert pool.submit(double, 5).result(PATIENCE) == 10


def test_other_callables_may_return_coroutines(pool):
    offset = 1

    async def local(number):
        return await double(number) + offset

    for function in (local, functools.partial(local), Doubling(), Doubling().method):
        assert pool.submit(function, 4).result(PATIENCE) in (8, 9)


def test_coroutines_use_channels_of_the_program(pool):
    tx, rx = xichan.channel(1)
    out, back = xichan.channel(1)
    future = pool.submit(double_all, rx, out)
    out.close()
    with tx:
        for number in range(20):
            tx.send(number)
            assert back.recv(PATIENCE) == 2 * number
    assert future.result(PATIENCE) is None


def test_tasks_that_a_coroutine_leaves_are_cancelled(pool):
    tx, rx = xichan.channel(1)
    pool.submit(leave_task, tx).result(PATIENCE)
    tx.close()
    with pytest.raises(xichan.ChannelFailed) as caught:  # the task was cancelled in its `with` block
        list(rx)
    assert type(caught.value.__cause__) is asyncio.CancelledError


def test_sys_exit_in_a_coroutine_ends_the_worker():
    with xichan.InterpreterPoolExecutor(1) as pool:
        with pytest.raises(xichan.BrokenWorker):
            pool.submit(fail, SystemExit(3)).result(PATIENCE)
        assert pool.submit(double, 5).result(PATIENCE) == 10


def test_async_generators_are_refused_at_submit(pool):
    for call in (lambda: pool.submit(generate), lambda: pool.map(generate, [1])):
        with pytest.raises(TypeError, match="asynchronous generator"):
            call()


def test_coroutine_functions_run_in_this_interpreter_too():
    with xichan.InterpreterPoolExecutor(1) as pool, Dispatcher(pool, main_only={double}) as dispatcher:
        assert dispatcher.submit(double, 4).result(PATIENCE) == 8


def test_event_loop_is_not_imported_for_other_tasks():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(tasks.loaded, "asyncio").result(PATIENCE) is False


variable = contextvars.ContextVar("variable", default=0)


def test_pool_is_the_default_executor_of_a_loop():
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(pool)
        main_id = tasks.interpreter_id()
        assert await loop.run_in_executor(None, tasks.interpreter_id) != main_id
        assert await asyncio.to_thread(tasks.interpreter_id) != main_id
        assert await asyncio.to_thread(tasks.call_with, 1, 2, three=3) == ((1, 2), (("three", 3),))
        context = contextvars.copy_context()
        assert await loop.run_in_executor(None, context.run, tasks.square, 3) == 9
        assert await asyncio.gather(*(asyncio.to_thread(tasks.square, n) for n in range(50))) == [
            n * n for n in range(50)
        ]
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(tasks.divide, 1, 0)
        assert await loop.getaddrinfo("127.0.0.1", 80)
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError):
            pool.submit(tasks.square, 1)

    pool = xichan.InterpreterPoolExecutor(2)
    run_loop(main())
    assert pool.stats().workers == 0


def test_end_of_an_event_loop_waits_for_tasks_whose_waiters_were_cancelled():
    def save(tx, started):
        started.send(None)
        time.sleep(0.2)
        tx.send("saved")

    async def main():
        asyncio.get_running_loop().set_default_executor(xichan.InterpreterPoolExecutor(1))
        waiting = asyncio.create_task(asyncio.to_thread(save, tx, started_tx))
        await started.arecv()
        waiting.cancel()

    tx, rx = xichan.channel()
    started_tx, started = xichan.channel()
    asyncio.run(main())
    assert rx.recv_nowait() == "saved"


# Names of threads


def test_names_of_threads_agree_everywhere():
    with xichan.InterpreterPoolExecutor(1, thread_name_prefix="the prefix of the pool") as pool:
        name, record, os_name = pool.submit(tasks.names).result(PATIENCE)
        assert name == record == "the prefix of the pool_0"
        assert name in [thread.name for thread in threading.enumerate()]
        assert os_name == "the prefix of_0"
    with xichan.InterpreterPoolExecutor(1) as pool:
        name, record, os_name = pool.submit(tasks.names).result(PATIENCE)
        assert name == record and name.startswith("xichan.InterpreterPoolExecutor-") and name.endswith("_0")
        assert os_name == threads.os_name(name) == name.replace("xichan.InterpreterPoolExecutor", "xichan")
        assert name in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("pool_0", "pool_0"),
        ("xichan.InterpreterPoolExecutor-12_345", "xichan-12_345"),
        ("xichan.InterpreterPoolExecutor-1_collector", "xichan-1_collec"),
        ("a very long prefix_12", "a very long _12"),
        ("\u00e9" * 20 + "_7", "?" * 13 + "_7"),
    ],
)
def test_os_name_fits_and_keeps_the_number(name, short):
    assert threads.os_name(name) == short and len(short) <= 15
