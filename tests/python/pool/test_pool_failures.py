"""Failures of memory, threads, interpreters and results. Each future completes exactly once."""

import threading
from concurrent import futures

import pytest
from support import PATIENCE, Call, run_script
from support import pool_tasks as tasks
from support.pool_blockers import Blocker

import xichan

pytest.importorskip("concurrent.interpreters")


@pytest.fixture
def limit():
    """Return a function that limits memory to so many more bytes."""
    yield lambda room: xichan.set_memory_limit(xichan.memory_stats().bytes + room)
    xichan.set_memory_limit(None)


def outcomes(batch):
    """Return the outcome of each task of a batch: its value, or the class of its error."""
    found = []
    for place in range(len(batch)):
        try:
            found.append(batch._take(place, None))
        except Exception as error:
            found.append(type(error))
    return found


def of_chunk(pool, function, *columns):
    """Return the outcomes of calls that a worker received as one chunk."""
    calls = list(zip(*columns))
    return Call(lambda: outcomes(pool._calls.batch(function, calls, len(calls), None))).result()


# A single task that no worker has taken


def test_shutdown_cancels_the_only_task():
    started, theirs = xichan.channel(1)[::-1]
    gate, release = xichan.channel(1)[::-1]
    pool = xichan.InterpreterPoolExecutor(1, initializer=tasks.block, initargs=(theirs, gate))
    future = pool.submit(tasks.square, 1)
    started.recv(PATIENCE)  # the worker has started, and not received its first task
    pool.shutdown(wait=False, cancel_futures=True)
    assert future.cancelled()
    release.send(None)
    Call(pool.shutdown).result()
    assert pool.stats().cancelled == 1 and pool.stats().workers == 0


def test_failing_initializer_fails_the_only_task():
    pool = xichan.InterpreterPoolExecutor(1, initializer=tasks.fail_to_initialize)
    assert isinstance(pool.submit(tasks.square, 1).exception(PATIENCE), xichan.BrokenInterpreterPool)
    Call(pool.shutdown).result()


# Results that cannot be sent


def test_no_memory_for_results_of_a_chunk(limit):
    with xichan.InterpreterPoolExecutor(1) as pool:
        pool.submit(tasks.square, 2).result(PATIENCE)
        limit(200_000)
        found = of_chunk(pool, tasks.repeat, [b"x"] * 5, [1_000_000, 1, 1_000_000, 1_000_000, 2])
        assert found == [
            xichan.MemoryLimitExceeded,
            b"x",
            xichan.MemoryLimitExceeded,
            xichan.MemoryLimitExceeded,
            b"xx",
        ]


def test_no_memory_for_an_exception(limit):
    with xichan.InterpreterPoolExecutor(1) as pool:
        pool.submit(tasks.square, 2).result(PATIENCE)
        limit(200_000)
        assert isinstance(pool.submit(tasks.raise_long, 1_000_000).exception(PATIENCE), xichan.MemoryLimitExceeded)
        found = of_chunk(pool, tasks.leave_long_at, [1] * 4, range(4), [1_000_000] * 4)
        assert found[:2] == [0, xichan.MemoryLimitExceeded] and set(found[2:]) == {xichan.MemoryLimitExceeded}
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_closed_endpoints_among_results_of_a_chunk():
    with xichan.InterpreterPoolExecutor(1) as pool:
        found = of_chunk(pool, tasks.closed_endpoint_if, [0, 1, 0, 1])
        assert found == [0, xichan.ChannelClosed, 0, xichan.ChannelClosed]
        assert isinstance(pool.submit(tasks.closed_endpoint_if, 1).exception(PATIENCE), xichan.ChannelClosed)
        assert isinstance(pool.submit(tasks.closed_endpoint_if, [1]).exception(PATIENCE), xichan.ChannelClosed)


def test_unshareable_results_of_a_chunk_fail_without_pickling():
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        found = of_chunk(pool, tasks.pattern_if, [0, 1, 0, 1])
        assert found == [0, xichan.NotShareableError, 0, xichan.NotShareableError]


def test_exit_code_or_error_without_text():
    with xichan.InterpreterPoolExecutor(1) as pool:
        error = pool.submit(tasks.leave_with_bad_repr).exception(PATIENCE)
        assert type(error) is xichan.BrokenWorker and "repr() raised ValueError" in str(error)
        found = of_chunk(pool, tasks.leave_with_bad_repr_at, [1] * 4, range(4))
        assert found == [0, xichan.BrokenWorker, 2, 3]
        error = pool.submit(tasks.raise_str_subclass).exception(PATIENCE)
        assert type(error) is tasks.ErrorWithStrSubclass and "a str of a subclass" in str(error.__cause__)
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_chunk_keeps_other_results_when_the_worker_loop_fails():
    with xichan.InterpreterPoolExecutor(1) as pool:
        found = of_chunk(pool, tasks.break_loop_at, [2] * 5, range(5))
        assert found == [0, 1, xichan.BrokenWorker, 3, 4]


def test_system_exit_while_unpickling_fails_the_future():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert isinstance(pool.submit(tasks.leaves_when_unpickled).exception(PATIENCE), SystemExit)
        error = pool.submit(tasks.raise_leaving_when_unpickled).exception(PATIENCE)
        assert type(error) is xichan.RemoteError
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


# Tasks that cannot be sent again


@pytest.mark.parametrize("chunksize", [1, 3])
def test_no_memory_to_send_requeued_tasks(limit, chunksize):
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        calls = [(bytes([n]) * 50_000,) for n in range(30)]
        batch = pool._calls.batch(len, calls, chunksize, None)
        cancelled = pool.submit(tasks.square, 2)
        after = pool.submit(tasks.square, 3)
        limit(-25 * 50_000)
        assert cancelled.cancel()
        blocker.end()
        found = Call(outcomes, batch).result()
        assert set(found) == {xichan.MemoryLimitExceeded, 50_000} and len(found) == 30
        assert after.result(PATIENCE) == 9
    stats = pool.stats()
    assert stats.submitted == 33 == stats.finished + stats.failed + stats.cancelled


def test_running_is_correct_after_a_failed_map(limit):
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        limit(400_000)
        with pytest.raises(xichan.MemoryLimitExceeded):
            pool.map(tasks.identity, [b"x" * 30_000] * 20)
        waiting = [pool.submit(tasks.square, n) for n in range(3)]
        assert blocker.future.running() and not any(future.running() for future in waiting)
        blocker.end()
        assert [future.result(PATIENCE) for future in waiting] == [0, 1, 4]


# Workers that cannot be started


@pytest.fixture
def exhausted(monkeypatch):
    """Return a function that makes creation of an interpreter, or of threads of a name, fail from now on.

    It returns a list to which each failure is added.
    """
    failures = []

    def fail(*args, **kwargs):
        failures.append(args)
        raise RuntimeError("none left")

    def apply(what):
        from xichan.pool import standby

        if what == "interpreter":
            monkeypatch.setattr(standby.interpreters, "create", fail)
        else:
            start = threading.Thread.start
            monkeypatch.setattr(
                threading.Thread, "start", lambda self: (fail if what in self.name else start)(self), raising=True
            )
        return failures

    return apply


@pytest.mark.parametrize("what", ["pool_0", "interpreter"])
def test_pool_is_broken_if_no_worker_can_be_started(exhausted, what):
    failures = exhausted(what)
    pool = xichan.InterpreterPoolExecutor(2, thread_name_prefix="pool")
    error = pool.submit(tasks.square, 1).exception(PATIENCE)
    assert isinstance(error, xichan.BrokenInterpreterPool) and "none left" in str(error) and failures
    with pytest.raises(xichan.BrokenInterpreterPool):
        pool.submit(tasks.square, 1)
    Call(pool.shutdown).result()


@pytest.mark.parametrize("what", ["pool_1", "interpreter"])
def test_other_workers_run_tasks_if_one_cannot_be_started(exhausted, what, caplog):
    with xichan.InterpreterPoolExecutor(2, thread_name_prefix="pool") as pool:
        pool.submit(tasks.square, 1).result(PATIENCE)
        failures = exhausted(what)
        waiting = [pool.submit(tasks.square, n) for n in range(20)]
        assert [future.result(PATIENCE) for future in waiting] == [n * n for n in range(20)]
        assert list(pool.map(tasks.square, range(9))) == [n * n for n in range(9)]
        assert failures
    assert "cannot start another: none left" in caplog.text


def test_submit_raises_if_the_collector_cannot_be_started(exhausted, monkeypatch):
    with xichan.InterpreterPoolExecutor(1) as pool:
        exhausted("collector")
        for _ in range(2):
            with pytest.raises(RuntimeError, match="none left"):
                pool.submit(tasks.square, 1)
        monkeypatch.undo()
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9
        assert pool.stats().submitted == 1


# Others


def test_error_of_a_task_that_has_used_up_the_descriptors():
    done = run_script(
        """
        import os, resource, xichan
        def use_up():
            held = []
            try:
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                raise ValueError("no descriptor is left") from None
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with xichan.InterpreterPoolExecutor(1) as pool:
            pool.submit(abs, -1).result()
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
            error = pool.submit(use_up).exception()
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
            print(type(error).__name__, "ValueError" in repr(error), pool.submit(abs, -2).result())
        """
    )
    name, is_named, result = done.stdout.split()
    assert name in ("ValueError", "RemoteError") and is_named == "True" and result == "2"


def test_sys_path_entries_other_than_str_are_ignored():
    done = run_script(
        """
        import pathlib, sys, xichan
        class Text(str):
            __repr__ = None
        sys.path[:0] = [pathlib.Path("/somewhere"), None, b"/bytes", Text("/text")]
        def path():
            import sys
            return tuple(sys.path)
        with xichan.InterpreterPoolExecutor(1) as pool:
            found = pool.submit(path).result()
        print(found == tuple(entry for entry in sys.path if isinstance(entry, str)))
        """
    )
    assert done.stdout == "True\n"


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_waiters_are_woken_if_a_callback_raises(error, caplog):
    def fail(future):
        raise error("from the callback")

    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        future, ran = blocker.future, []
        future.add_done_callback(fail)
        waiting = Call(futures.wait, [future], PATIENCE)
        result = Call(future.result, PATIENCE)
        blocker.end("value")
        assert result.result() == "value" and waiting.result().done == {future}
        future.add_done_callback(ran.append)
        assert ran == [future] and pool.submit(tasks.square, 3).result(PATIENCE) == 9
    assert "from the callback" in caplog.text
