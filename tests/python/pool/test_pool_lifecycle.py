"""Start, failure, replacement and end of workers; what a pool leaves behind; interrupts, exit and fork."""

import random

import pytest
from support import PATIENCE, run_script
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")


def test_initializer_and_shared_values_reach_each_worker():
    tx, rx = xichan.channel(8)
    out, back = xichan.channel(8)
    with xichan.InterpreterPoolExecutor(
        1, initializer=tasks.initialize, initargs=(tx, [1, 2]), shared={"out": out, "big": 2**100, "names": ["a"]}
    ) as pool:
        tx.close()
        out.close()
        assert pool.submit(tasks.initialized).result(PATIENCE) == [1, 2]
        assert rx.recv(PATIENCE) == pool.submit(tasks.interpreter_id).result(PATIENCE)
        assert pool.submit(tasks.main_name, "big").result(PATIENCE) == 2**100
        assert pool.submit(tasks.main_name, "names").result(PATIENCE) == ["a"]
        pool.submit(tasks.send_from_main, "out", "through main").result(PATIENCE)
        assert back.recv(PATIENCE) == "through main"
    assert list(back) == [] and list(rx) == []  # all clones are closed with the workers


def test_initializer_is_sent_by_value():
    def initializer(value):
        import __main__

        __main__.initialized = value + offset

    offset = 5
    with xichan.InterpreterPoolExecutor(1, initializer=initializer, initargs=(1,)) as pool:
        assert pool.submit(tasks.initialized).result(PATIENCE) == 6


def test_failing_initializer_breaks_the_pool(caplog):
    with xichan.InterpreterPoolExecutor(2, initializer=tasks.fail_to_initialize) as pool:
        futures = [pool.submit(tasks.square, n) for n in range(5)]
        for future in futures:
            error = future.exception(PATIENCE)
            assert isinstance(error, xichan.BrokenInterpreterPool) and isinstance(error, xichan.Error)
            assert str(error).startswith("a worker failed: the initializer raised: Traceback")
            assert "ZeroDivisionError: not today" in str(error)
        with pytest.raises(xichan.BrokenInterpreterPool):
            pool.submit(tasks.square, 1)
        with pytest.raises(xichan.BrokenInterpreterPool):
            pool.map(tasks.square, [1])
    assert "is broken: a worker failed: the initializer raised: Traceback" in caplog.text


def test_worker_that_exits_is_replaced():
    with xichan.InterpreterPoolExecutor(1) as pool:
        first = pool.submit(tasks.interpreter_id).result(PATIENCE)
        for code, text in ((None, r"sys.exit\(\)"), (3, r"sys.exit\(3\)"), ("why", r"sys.exit\('why'\)")):
            leaving = pool.submit(tasks.leave, code)
            after = pool.submit(tasks.interpreter_id)
            with pytest.raises(xichan.BrokenWorker, match=text):
                leaving.result(PATIENCE)
            assert after.result(PATIENCE) != first
        assert (pool.stats().lost, pool.stats().replaced) == (3, 3)


@pytest.mark.parametrize("chunksize", [1, 4, 20])
def test_chunk_continues_after_its_worker_exits(chunksize):
    with xichan.InterpreterPoolExecutor(2) as pool:
        results = pool.map(tasks.leave_at, [6] * 10, range(10), chunksize=chunksize)
        assert [next(results) for _ in range(6)] == list(range(6))
        with pytest.raises(xichan.BrokenWorker, match="'at 6'"):
            next(results)
        batch = pool._calls.batch(tasks.leave_at, [(6, n) for n in range(10)], chunksize, None)
        found = []
        for place in range(10):
            try:
                found.append(batch._take(place, None))
            except xichan.BrokenWorker:
                found.append(None)
        assert found == [*range(6), None, 7, 8, 9]


def test_worker_whose_loop_fails_is_replaced():
    with xichan.InterpreterPoolExecutor(1) as pool:
        with pytest.raises(xichan.BrokenWorker, match="interrupted"):
            pool.submit(tasks.break_loop).result(PATIENCE)
        assert pool.submit(tasks.square, 3).result(PATIENCE) == 9


def test_restart_after_replaces_workers():
    with xichan.InterpreterPoolExecutor(1, restart_after=3) as pool:
        ids = [pool.submit(tasks.interpreter_id).result(PATIENCE) for _ in range(7)]
        assert ids == [ids[0]] * 3 + [ids[3]] * 3 + [ids[6]] and len(set(ids)) == 3
        assert list(pool.map(tasks.square, range(10), chunksize=4)) == [n * n for n in range(10)]
    assert pool.stats().lost == 0


def test_shutdown_waits_for_threads_of_a_task():
    started, theirs = xichan.channel(4)[::-1]
    gate, release = xichan.channel(4)[::-1]
    pool = xichan.InterpreterPoolExecutor(1)
    pool.submit(tasks.start_thread, theirs, gate).result(PATIENCE)
    theirs.close()
    gate.close()
    started.recv(PATIENCE)
    pool.shutdown(wait=False)
    release.send(None)
    pool.shutdown()


def test_10_000_tasks_with_random_failures_complete_once():
    number = 10_000
    tx, rx = xichan.channel(None)
    ended = [0] * number
    order = random.Random(7).sample(range(number), number)

    def count(n):
        def done(future):
            ended[n] += 1

        return done

    with xichan.InterpreterPoolExecutor(3) as pool:
        futures = {}
        for n in order:
            futures[n] = pool.submit(tasks.spoil, tx, n)
            futures[n].add_done_callback(count(n))
            if n % 50 == 1:
                futures[random.Random(n).choice(list(futures))].cancel()
    tx.close()
    assert ended == [1] * number
    ran = rx.drain()
    with pytest.raises(xichan.ChannelFailed):  # with the error of the first task that failed
        rx.recv()
    assert len(ran) == len(set(ran))
    for n, future in futures.items():
        if future.cancelled():
            continue
        error = future.exception()
        match n % 7:
            case 0:
                assert type(error) is ValueError and error.args == (n,)
            case 1:
                assert type(error) is xichan.RemoteError and error.message == f"{n} and {n}"
            case 2:
                assert future.result() == [n]
            case 3:
                assert isinstance(error, ValueError) and str(error) == "unpickling fails"
            case 4 if n % 97 == 0:
                assert type(error) is xichan.BrokenWorker
            case _:
                assert future.result() == n
    cancelled = {n for n, future in futures.items() if future.cancelled()}
    assert set(ran) == set(range(number)) - cancelled
    stats = pool.stats()
    assert stats.submitted == number == stats.finished + stats.failed + stats.cancelled
    assert stats.lost == sum(n % 7 == 4 and n % 97 == 0 for n in ran)
    assert stats.lost - 3 <= stats.replaced <= stats.lost  # a worker lost at the very end is not replaced


def test_pool_recovers_from_exhausted_memory():
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(tasks.square, 2).result(PATIENCE) == 4
        xichan.set_memory_limit(xichan.memory_stats().bytes + 100_000)
        with pytest.raises(MemoryError):
            pool.submit(lambda: b"x" * 1_000_000).result(PATIENCE)
        with pytest.raises(xichan.MemoryLimitExceeded):
            pool.submit(tasks.identity, b"x" * 1_000_000)
        with pytest.raises(xichan.MemoryLimitExceeded):
            pool.map(tasks.identity, [b"x" * 30_000] * 20)
        xichan.set_memory_limit(None)
        assert pool.submit(tasks.identity, b"x" * 1_000_000).result(PATIENCE) == b"x" * 1_000_000


def test_process_exit_completes_tasks_of_an_open_pool():
    done = run_script(
        """
        import xichan
        pool = xichan.InterpreterPoolExecutor(2)
        futures = [pool.submit(lambda n: n * n, n) for n in range(20)]
        futures[-1].add_done_callback(lambda future: print("done", future.result()))
        other = xichan.InterpreterPoolExecutor(2)  # unused
        """
    )
    assert done.stdout == "done 361\n" and done.stderr == ""


def test_process_exit_waits_for_a_long_task():
    """It takes longer than channels allow a wait without progress at exit."""
    done = run_script(
        """
        import time, xichan
        pool = xichan.InterpreterPoolExecutor(1)
        pool.submit(time.sleep, 2.5).add_done_callback(lambda future: print("done", future.result()))
        """
    )
    assert done.stdout == "done None\n" and done.stderr == ""


@pytest.mark.parametrize("end", ["sys.exit(3)", "raise SystemExit(3)", "os._exit(3)"])
def test_process_exits_with_its_code(end):
    run_script(
        f"""
        import os, sys, xichan
        pool = xichan.InterpreterPoolExecutor(2)
        pool.map(lambda n: n, range(100))
        {end}
        """,
        expect=3,
    )


def test_interrupts_of_submit_and_result_lose_no_task():
    """Interrupts at arbitrary places: afterwards each future completes, and the pool works."""
    done = run_script(
        """
        import itertools, signal, xichan
        class Interrupt(BaseException): pass
        def interrupt(*args): raise Interrupt
        signal.signal(signal.SIGALRM, interrupt)
        futures = []
        def attempt(pool, delay):
            signal.setitimer(signal.ITIMER_REAL, delay)
            while True:
                i = len(futures)
                future = pool.submit(abs, -i)
                futures.append((i, future))
                assert future.result(60) == i
                if i % 10 == 0:
                    assert list(pool.map(abs, range(-5, 0))) == [5, 4, 3, 2, 1]
        with xichan.InterpreterPoolExecutor(2) as pool:
            assert list(pool.map(abs, range(-3, 0))) == [3, 2, 1]
            for n in range(300):
                try:
                    attempt(pool, 0.00005 * (1 + n % 37))
                except Interrupt:
                    pass
            for n, future in futures:
                assert future.result(60) == n
            assert pool.submit(abs, -1).result(60) == 1
        print("done", len(futures))
        """,
        timeout=120,
    )
    assert done.stdout.startswith("done")


def test_ctrl_c_interrupts_result_in_the_main_thread():
    done = run_script(
        """
        import os, signal, threading, xichan
        tx, rx = xichan.channel(1)
        hold_tx, hold_rx = xichan.channel(1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with xichan.InterpreterPoolExecutor(1) as pool:
            future = pool.submit(lambda: (tx.send(None), hold_rx.recv())[1])
            rx.recv()
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                future.result()
            except KeyboardInterrupt:
                print("interrupted", future.done())
            hold_tx.send("free")
            print(future.result())
        """
    )
    assert done.stdout == "interrupted False\nfree\n"


def test_pool_is_broken_in_the_child_after_fork():
    """With workers the child only exits: CPython itself may crash in a fork while other interpreters run."""
    done = run_script(
        """
        import os, warnings, xichan
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = xichan.InterpreterPoolExecutor(2)
        assert pool.submit(abs, -1).result() == 1
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        assert list(pool.map(abs, range(-9, 0))) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
        pool.shutdown()
        pool = xichan.InterpreterPoolExecutor(2)  # without workers the child survives
        child = os.fork()
        if not child:
            try:
                pool.submit(abs, -2)
            except xichan.BrokenInterpreterPool:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        print("done")
        """
    )
    assert done.stdout == "done\n"


def test_pools_are_imported_on_first_use():
    done = run_script(
        """
        import sys, xichan
        assert not [name for name in sys.modules if "pool" in name or name.startswith("concurrent")], sys.modules
        xichan.InterpreterPoolExecutor
        assert "InterpreterPoolExecutor" in dir(xichan)
        print("done")
        """
    )
    assert done.stdout == "done\n"
