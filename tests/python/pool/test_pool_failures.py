"""Pools when something fails: memory, threads, interpreters, answers that cannot be sent. Each future ends, once."""

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
    """Sets the limit of memory so that there is room for so many bytes more."""
    yield lambda room: xichan.set_memory_limit(xichan.memory_stats().bytes + room)
    xichan.set_memory_limit(None)


def outcomes(batch):
    """What became of each task of a batch: its value, or the class of its error."""
    found = []
    for place in range(len(batch)):
        try:
            found.append(batch._take(place, None))
        except Exception as error:
            found.append(type(error))
    return found


def of_chunk(pool, function, *columns):
    """The outcomes of calls that went to a worker as one chunk."""
    calls = list(zip(*columns))
    return Call(lambda: outcomes(pool._batch(function, calls, len(calls), None))).result()


# A single task that no worker has taken


def test_cancelling_the_only_task():
    started, theirs = xichan.channel(1)[::-1]
    held, release = xichan.channel(1)[::-1]
    pool = xichan.InterpreterPoolExecutor(1, initializer=tasks.block, initargs=(theirs, held))
    future = pool.submit(tasks.square, 1)
    started.recv(PATIENCE)  # the worker is made, and has not come to its first task
    pool.shutdown(wait=False, cancel_futures=True)
    assert future.cancelled()
    release.send(None)
    Call(pool.shutdown).result()
    assert pool.stats().cancelled == 1 and pool.stats().workers == 0


def test_an_initializer_that_fails_with_one_task():
    pool = xichan.InterpreterPoolExecutor(1, initializer=tasks.fail_to_initialize)
    assert isinstance(pool.submit(tasks.square, 1).exception(PATIENCE), xichan.BrokenInterpreterPool)
    Call(pool.shutdown).result()


# Answers that cannot be sent


def test_no_memory_for_the_answers_of_a_chunk(limit):
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


def test_no_memory_for_what_a_task_raises(limit):
    with xichan.InterpreterPoolExecutor(1) as pool:
        pool.submit(tasks.square, 2).result(PATIENCE)
        limit(200_000)
        assert isinstance(pool.submit(tasks.raise_long, 1_000_000).exception(PATIENCE), xichan.MemoryLimitExceeded)
        found = of_chunk(pool, tasks.leave_long_at, [1] * 4, range(4), [1_000_000] * 4)
        assert found[:2] == [0, xichan.MemoryLimitExceeded] and set(found[2:]) == {xichan.MemoryLimitExceeded}
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_closed_ends_among_the_answers_of_a_chunk():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert of_chunk(pool, tasks.closed_end_if, [0, 1, 0, 1]) == [0, xichan.ChannelClosed, 0, xichan.ChannelClosed]
        assert isinstance(pool.submit(tasks.closed_end_if, 1).exception(PATIENCE), xichan.ChannelClosed)
        assert isinstance(pool.submit(tasks.closed_end_if, [1]).exception(PATIENCE), xichan.ChannelClosed)


def test_lists_among_the_answers_of_a_chunk_without_pickling():
    with xichan.InterpreterPoolExecutor(1, pickle=False) as pool:
        found = of_chunk(pool, tasks.list_if, [0, 1, 0, 1])
        assert found == [0, xichan.NotShareableError, 0, xichan.NotShareableError]


def test_exit_codes_and_errors_whose_text_cannot_be_had():
    with xichan.InterpreterPoolExecutor(1) as pool:
        error = pool.submit(tasks.leave_badly).exception(PATIENCE)
        assert type(error) is xichan.BrokenWorker and "repr() raised ValueError" in str(error)
        found = of_chunk(pool, tasks.leave_badly_at, [1] * 4, range(4))
        assert found == [0, xichan.BrokenWorker, 2, 3]
        error = pool.submit(tasks.raise_text_of_a_subclass).exception(PATIENCE)
        assert type(error) is tasks.TextOfASubclass and "its own" in str(error.__cause__)
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_a_loop_that_fails_in_a_chunk_keeps_what_was_done():
    with xichan.InterpreterPoolExecutor(1) as pool:
        found = of_chunk(pool, tasks.break_loop_at, [2] * 5, range(5))
        assert found == [0, 1, xichan.BrokenWorker, 3, 4]


def test_what_leaves_while_it_is_unpickled_here():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert isinstance(pool.submit(tasks.leaves_when_loaded).exception(PATIENCE), SystemExit)
        error = pool.submit(tasks.raise_leaving_when_loaded).exception(PATIENCE)
        assert type(error) is xichan.RemoteError
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


# Tasks that cannot be sent again


@pytest.mark.parametrize("chunksize", [1, 3])
def test_no_memory_to_send_what_was_held(limit, chunksize):
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        calls = [(bytes([n]) * 50_000,) for n in range(30)]
        batch = pool._batch(len, calls, chunksize, None)
        dropped = pool.submit(tasks.square, 2)
        after = pool.submit(tasks.square, 3)
        limit(-25 * 50_000)
        assert dropped.cancel()
        blocker.end()
        found = Call(outcomes, batch).result()
        assert set(found) == {xichan.MemoryLimitExceeded, 50_000} and len(found) == 30
        assert after.result(PATIENCE) == 9
    stats = pool.stats()
    assert stats.submitted == 33 == stats.finished + stats.failed + stats.cancelled


def test_running_after_a_map_that_failed(limit):
    with xichan.InterpreterPoolExecutor(1) as pool, Blocker(pool) as blocker:
        limit(400_000)
        with pytest.raises(xichan.MemoryLimitExceeded):
            pool.map(tasks.identity, [b"x" * 30_000] * 20)
        waiting = [pool.submit(tasks.square, n) for n in range(3)]
        assert blocker.future.running() and not any(future.running() for future in waiting)
        blocker.end()
        assert [future.result(PATIENCE) for future in waiting] == [0, 1, 4]


# Workers that cannot be had


@pytest.fixture
def no_more(monkeypatch):
    """Make this fail from now on: "thread" or "interpreter". Returns a list to which failures are added."""
    failures = []

    def fail(*args, **kwargs):
        failures.append(args)
        raise RuntimeError("no more of them")

    def apply(what):
        from xichan.pool import crew

        if what == "interpreter":
            monkeypatch.setattr(crew.interpreters, "create", fail)
        else:
            start = threading.Thread.start
            monkeypatch.setattr(
                threading.Thread, "start", lambda self: (fail if what in self.name else start)(self), raising=True
            )
        return failures

    return apply


@pytest.mark.parametrize("what", ["pool_0", "interpreter"])
def test_no_worker_can_be_had(no_more, what):
    failures = no_more(what)
    pool = xichan.InterpreterPoolExecutor(2, thread_name_prefix="pool")
    error = pool.submit(tasks.square, 1).exception(PATIENCE)
    assert isinstance(error, xichan.BrokenInterpreterPool) and "no more of them" in str(error) and failures
    with pytest.raises(xichan.BrokenInterpreterPool):
        pool.submit(tasks.square, 1)
    Call(pool.shutdown).result()


@pytest.mark.parametrize("what", ["pool_1", "interpreter"])
def test_others_do_the_work_of_a_worker_that_cannot_be_had(no_more, what, caplog):
    with xichan.InterpreterPoolExecutor(2, thread_name_prefix="pool") as pool:
        pool.submit(tasks.square, 1).result(PATIENCE)
        failures = no_more(what)
        waiting = [pool.submit(tasks.square, n) for n in range(20)]
        assert [future.result(PATIENCE) for future in waiting] == [n * n for n in range(20)]
        assert list(pool.map(tasks.square, range(9))) == [n * n for n in range(9)]
        assert failures
    assert "not one more: no more of them" in caplog.text


def test_no_thread_for_the_answers(no_more, monkeypatch):
    with xichan.InterpreterPoolExecutor(1) as pool:
        no_more("collector")
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no more of them"):
                pool.submit(tasks.square, 1)
        monkeypatch.undo()
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9
        assert pool.stats().submitted == 1


# The rest


def test_paths_that_are_no_str():
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
def test_a_callback_that_raises_harms_nobody_who_waits(error, caplog):
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
