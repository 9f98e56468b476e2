"""Tasks that need a module that only the main interpreter can load: faulthandler is one, math is not."""

import pytest
from support import PATIENCE, Call, run_script, wait_until
from support import pool_tasks as tasks

import xichan
from xichan import dispatch

pytest.importorskip("concurrent.interpreters")


def needs_main(number):
    import faulthandler

    return number, faulthandler.is_enabled() in (True, False), tasks.interpreter_id()


def runs_anywhere(number):
    import math

    return number, math.sqrt(number) >= 0, tasks.interpreter_id()


def call(function, number):
    return function(number)


def test_import_error_is_raised_without_fallback():
    with xichan.InterpreterPoolExecutor(1) as pool:
        error = pool.submit(needs_main, 1).exception(PATIENCE)
        assert isinstance(error, ImportError) and "does not support loading in subinterpreters" in str(error)


def test_map_keeps_order_when_only_some_calls_fall_back():
    main = tasks.interpreter_id()
    functions = [needs_main if n % 3 == 0 else runs_anywhere for n in range(30)]
    with xichan.InterpreterPoolExecutor(2, fallback="main") as pool:
        for _ in range(2):
            for chunksize in (1, 4):
                found = list(pool.map(call, functions, range(30), chunksize=chunksize))
                assert [n for n, _, _ in found] == list(range(30))
                assert [where == main for _, _, where in found] == [n % 3 == 0 for n in range(30)]
        stats = pool.stats()
        assert (stats.in_main, stats.in_workers) == (40, 80)
        assert stats.reasons == {"faulthandler does not support loading in subinterpreters": 40}
        assert stats.submitted == stats.finished == 120


def test_refused_function_and_module_are_remembered():
    with xichan.InterpreterPoolExecutor(1) as pool, dispatch.Dispatcher(pool) as dispatcher:
        main = tasks.interpreter_id()
        assert dispatcher.submit(needs_main, 1).result(PATIENCE)[2] == main
        sent = pool._scheduler.queue.sent
        assert dispatcher.submit(needs_main, 2).result(PATIENCE)[2] == main
        assert pool._scheduler.queue.sent == sent  # no worker received it
        import faulthandler

        assert dispatcher.submit(lambda: (faulthandler, tasks.interpreter_id())[1]).result(PATIENCE) == main
        assert pool._scheduler.queue.sent == sent  # its module is known
        assert dispatcher.submit(runs_anywhere, 4).result(PATIENCE)[2] != main
        assert dispatcher.stats().in_main == 3 and dispatcher.stats().in_workers == 1


def test_main_only_and_anywhere_override_the_fallback():
    main = tasks.interpreter_id()
    with xichan.InterpreterPoolExecutor(1) as pool:
        for only in (runs_anywhere, "test_dispatch", "test_dispatch.runs_anywhere", "test_dispatch:runs_anywhere"):
            dispatcher = dispatch.Dispatcher(pool, main_only={only})
            assert dispatcher.submit(runs_anywhere, 1).result(PATIENCE)[2] == main
            assert list(dispatcher.map(runs_anywhere, [1]))[0][2] == main
            assert dispatcher.submit(tasks.interpreter_id).result(PATIENCE) != main
            assert dispatcher.stats().in_main == 2
            dispatcher._policy.join()
        for anywhere in (needs_main, "faulthandler", "test_dispatch"):
            dispatcher = dispatch.Dispatcher(pool, anywhere=[anywhere])
            assert isinstance(dispatcher.submit(needs_main, 1).exception(PATIENCE), ImportError)
        with pytest.raises(TypeError):
            dispatch.Dispatcher(pool, main_only="numpy")
        with pytest.raises(ValueError, match="max_workers must be greater than 0"):
            dispatch.Dispatcher(pool, max_threads=0)


def test_errors_and_cancellation_in_main():
    started, theirs = xichan.channel(4)[::-1]
    gate, release = xichan.channel(4)[::-1]
    pool = xichan.InterpreterPoolExecutor(1)
    with dispatch.Dispatcher(pool, main_only={tasks.block, tasks.divide}, max_threads=1) as dispatcher:
        assert isinstance(dispatcher.submit(tasks.divide, 1, 0).exception(PATIENCE), ZeroDivisionError)
        first = dispatcher.submit(tasks.block, theirs, gate)
        started.recv(PATIENCE)
        second = dispatcher.submit(tasks.block, theirs, gate)
        assert first.running() and not first.cancel() and not second.running() and second.cancel()
        third = dispatcher.submit(tasks.divide, 1, 1)
        release.send("value")
        assert first.result(PATIENCE) == "value" and third.result(PATIENCE) == 1
        assert second.cancelled()
    theirs.close()
    gate.close()
    with pytest.raises(RuntimeError):
        dispatcher.submit(tasks.divide, 1, 1)


def test_shutdown_cancels_queued_local_tasks_before_it_waits():
    started, theirs = xichan.channel(4)[::-1]
    gate, release = xichan.channel(4)[::-1]
    pool = xichan.InterpreterPoolExecutor(1)
    dispatcher = dispatch.Dispatcher(pool, main_only={tasks.block, tasks.square}, max_threads=1)
    pool.submit(tasks.identity, 1).result(PATIENCE)
    first = dispatcher.submit(tasks.block, theirs, gate)
    started.recv(PATIENCE)
    others = [dispatcher.submit(tasks.square, n) for n in range(5)]
    ends = Call(dispatcher.shutdown, cancel_futures=True)
    wait_until(lambda: all(future.cancelled() for future in others))
    assert not first.done()
    release.send("value")
    ends.result()
    assert first.result() == "value" and pool.stats().cancelled == 5


def test_failed_submission_is_not_counted():
    with xichan.InterpreterPoolExecutor(1) as pool, dispatch.Dispatcher(pool) as dispatcher:
        with pytest.raises(TypeError):
            dispatcher.submit(3)
        with pytest.raises(TypeError):
            dispatcher.map(3, [1, 2])
        with pytest.raises(xichan.NotShareableError):
            dispatcher.submit(tasks.identity, (n for n in range(3)))
        assert dispatcher.submit(tasks.square, 3).result(PATIENCE) == 9
        assert (dispatcher.stats().in_workers, dispatcher.stats().in_main) == (1, 0)


def test_process_exit_waits_for_a_local_task():
    done = run_script(
        """
        import time, xichan
        pool = xichan.InterpreterPoolExecutor(1, fallback="main")
        def work():
            import faulthandler
            from xichan.pool import interrupt_safe
            while not interrupt_safe.exit_begun:  # so that it still runs when the exit begins
                time.sleep(0.001)
            return "done"
        pool.submit(work).add_done_callback(lambda future: print(future.result()))
        """
    )
    assert done.stdout == "done\n" and done.stderr == ""


def test_numpy_falls_back():
    pytest.importorskip("numpy")
    done = run_script(
        """
        import xichan
        def heavy(n):
            import numpy
            return int(numpy.arange(n).sum())
        def light(n):
            return n
        with xichan.InterpreterPoolExecutor(2, fallback="main") as pool:
            functions = [heavy, light] * 5
            print(list(pool.map(lambda f, n: f(n), functions, range(10))), pool.stats().in_main)
        """
    )
    assert done.stdout == f"{[n * (n - 1) // 2 if n % 2 == 0 else n for n in range(10)]} 5\n"
