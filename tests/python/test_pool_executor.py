"""xichan.InterpreterPoolExecutor as a concurrent.futures.Executor."""

import asyncio
import concurrent.futures
import gc
import math
import re
import time

import pool_tasks as tasks
import pytest
from support import PATIENCE, same, samples, wait_until

import xichan

pytest.importorskip("concurrent.interpreters")


@pytest.fixture
def pool():
    with xichan.InterpreterPoolExecutor(2) as pool:
        yield pool


class Blocker:
    """A task that runs in a worker until it is released."""

    def __init__(self, pool):
        self.started, theirs = xichan.channel(4)[::-1]
        release, self.release = xichan.channel(4)[::-1]
        self.future = pool.submit(tasks.block, theirs, release)
        theirs.close()
        release.close()

    def wait(self):
        return self.started.recv(PATIENCE)

    def end(self, value=None):
        self.release.send(value)
        assert self.future.result(PATIENCE) == value


def blockers(pool, number):
    made = [Blocker(pool) for _ in range(number)]
    for blocker in made:
        blocker.wait()
    return made


def test_values_arrive_as_they_were(pool):
    tx, rx = xichan.channel(1)
    for name, value in samples(tx, rx).items():
        if name != "ends":
            assert same(pool.submit(tasks.identity, value).result(PATIENCE), value), name
    for value in (None, True, 0, -0.0, "", "\ud800", b"\0", 2**100, (), (1, (2.5, "x"))):
        assert same(pool.submit(tasks.identity, value).result(PATIENCE), value)
    with tx, rx:
        back = pool.submit(tasks.identity, (tx, 1)).result(PATIENCE)
        assert back[0].id == tx.id
    assert pool.stats().pickled_calls == pool.stats().pickled_results == 0


def test_arguments(pool):
    assert pool.submit(tasks.call_with).result(PATIENCE) == ((), ())
    assert pool.submit(tasks.call_with, 1, b=2, fn=3).result(PATIENCE) == ((1,), (("b", 2), ("fn", 3)))
    assert pool.submit(tasks.call_with, [1], b={2}).result(PATIENCE) == (([1],), (("b", {2}),))


def test_what_cannot_be_shared_is_pickled_and_counted(pool):
    assert pool.submit(tasks.identity, [1, {2: {3}}]).result(PATIENCE) == [1, {2: {3}}]
    assert pool.submit(tasks.make_list, 3).result(PATIENCE) == [0, 1, 2]
    stats = pool.stats()
    assert (stats.pickled_calls, stats.pickled_results) == (1, 2)


def test_ends_travel_inside_pickles(pool):
    tx, rx = xichan.channel(2)
    (back,) = pool.submit(tasks.identity, [tx]).result(PATIENCE)
    tx.close()
    with back:
        back.send("through a list")
    del back
    assert list(rx) == ["through a list"]


def test_without_pickling():
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        assert pool.submit(tasks.identity, (1, "x")).result(PATIENCE) == (1, "x")
        with pytest.raises(xichan.NotShareableError, match=r"^args\[1\]\[0\]: list is not shareable, and this pool"):
            pool.submit(tasks.call_with, 1, ([2],))
        with pytest.raises(xichan.NotShareableError, match=r"^key: dict is not shareable"):
            pool.submit(tasks.call_with, 1, key={})
        with pytest.raises(xichan.NotShareableError, match=r"^args\[0\]: list"):
            pool.map(tasks.identity, [1, [2]])
        with pytest.raises(xichan.NotShareableError, match=r"result: list is not shareable"):
            pool.submit(tasks.make_list, 3).result(PATIENCE)
        assert pool.stats().pickled_calls == pool.stats().pickled_results == 0


def test_an_end_given_to_a_task_is_closed_after_it(pool):
    tx, rx = xichan.channel(8)
    future = pool.submit(tasks.send_through, tx, "sent")
    tx.close()
    assert rx.recv(PATIENCE) == "sent"
    assert list(rx) == []  # though the worker goes on
    assert future.result(PATIENCE) is None


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
        assert pool.submit(tasks.thread_is_main).result(PATIENCE) in (True, False)
    assert pool.stats().workers == 0


def test_map(pool):
    assert list(pool.map(tasks.square, range(1000))) == [n * n for n in range(1000)]
    assert list(pool.map(tasks.divide, (1, 4), (2, 2, 2))) == [0.5, 2.0]
    assert list(pool.map(tasks.square, [])) == []
    assert list(pool.map(tasks.identity, [1, [2], (3, {4})])) == [1, [2], (3, {4})]


@pytest.mark.parametrize("chunksize", [1, 2, 7, 100, 5000])
def test_map_in_chunks(pool, chunksize):
    mixed = [n if n % 5 else [n] for n in range(300)]
    assert list(pool.map(tasks.identity, mixed, chunksize=chunksize)) == mixed
    results = pool.map(tasks.divide, [1] * 5, [1, 2, 0, 4, 5], chunksize=chunksize)
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@pytest.mark.parametrize("buffersize", [1, 3, 100])
def test_map_with_a_buffer(pool, buffersize):
    taken = []

    def numbers():
        for n in range(20):
            taken.append(n)
            yield n

    results = pool.map(tasks.square, numbers(), buffersize=buffersize)
    assert len(taken) == min(buffersize, 20)
    assert list(results) == [n * n for n in range(20)]


def test_map_times_out_and_gives_up_what_has_not_begun(pool):
    started, theirs = xichan.channel(4)[::-1]
    held, release = xichan.channel(4)[::-1]
    results = pool.map(tasks.block, [theirs] * 6, [held] * 6, timeout=0.1)
    theirs.close()
    held.close()
    for _ in range(2):
        started.recv(PATIENCE)
    with pytest.raises(TimeoutError):
        next(results)
    for _ in range(2):
        release.send(None)
    assert list(started) == []  # the others have never begun
    assert pool.stats().cancelled == 4


def test_closing_a_map_cancels_the_rest(pool):
    two = blockers(pool, 2)
    results = pool.map(tasks.square, range(100))
    next_one = pool.submit(tasks.identity, "after")
    two[0].end()
    assert next(results) == 0
    results.close()
    two[1].end()
    assert next_one.result(PATIENCE) == "after"


def test_exceptions_come_back_as_themselves(pool):
    with pytest.raises(ZeroDivisionError, match="division by zero") as caught:
        pool.submit(tasks.divide, 1, 0).result(PATIENCE)
    text = str(caught.value.__cause__)
    assert "in divide" in text and "return dividend / divisor" in text and "worker.py" not in text
    error = OSError(2, "nothing", "there")
    assert pool.submit(tasks.raise_it, error).exception(PATIENCE).filename == "there"
    for kind in (KeyError, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError, xichan.ChannelClosed):
        assert type(pool.submit(tasks.raise_it, kind("x")).exception(PATIENCE)) is kind
    nested = ExceptionGroup("two", [ValueError(1), KeyError(2)])
    assert [type(e) for e in pool.submit(tasks.raise_it, nested).exception(PATIENCE).exceptions] == [
        ValueError,
        KeyError,
    ]


def test_exceptions_that_cannot_be_rebuilt(pool):
    error = pool.submit(tasks.raise_unpicklable).exception(PATIENCE)
    assert type(error) is xichan.RemoteError and isinstance(error, xichan.Error)
    assert (error.type_name, error.message) == ("pool_tasks.Unpicklable", "1 and 2")
    assert "raise Unpicklable(1, 2)" in error.traceback and str(error) == "pool_tasks.Unpicklable: 1 and 2"
    error = pool.submit(tasks.raise_local).exception(PATIENCE)
    assert re.fullmatch(r"pool_tasks\.raise_local\.<locals>\.Local: from here", str(error))
    error = pool.submit(tasks.raise_bad_str).exception(PATIENCE)
    assert type(error) is tasks.BadStr
    assert isinstance(pool.submit(tasks.make_picky).exception(PATIENCE), ValueError)
    assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_a_result_that_cannot_be_pickled(pool):
    error = pool.submit(tasks.call_with, 1).result(PATIENCE)
    assert error == ((1,), ())
    error = pool.submit(lambda: (n for n in range(3))).exception(PATIENCE)
    assert isinstance(error, TypeError) and "generator" in str(error)


def test_arguments_that_cannot_be_pickled(pool):
    with pytest.raises(xichan.NotShareableError, match=r"args\[0\]: generator is not shareable, and cannot be pickled"):
        pool.submit(tasks.identity, (n for n in range(3)))
    error = pool.submit(tasks.identity, tasks.Picky()).exception(PATIENCE)
    assert isinstance(error, ValueError)


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
    xichan.InterpreterPoolExecutor()


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


def test_a_callback_that_raises_harms_nobody(pool, caplog):
    for error in (ValueError, SystemExit):
        future = pool.submit(tasks.square, 2)
        future.add_done_callback(lambda future, error=error: pool_error(error))
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9
        concurrent.futures.wait([future])
    assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def pool_error(error):
    raise error


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
