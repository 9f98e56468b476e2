"""Code that runs in the middle of public calls, as signal handlers do, and makes such calls itself."""

import textwrap

import pytest
from support import run_script

pytest.importorskip("concurrent.interpreters")

PROLOGUE = """
import concurrent.futures, sys, threading
from concurrent.futures import CancelledError
import xichan; from support import pool_tasks as tasks
from support.interrupting import CallAt
from support import wait_until, PATIENCE

def square_of(n):
    return n * n

# What the interrupted thread does. Each returns whether its outcome is right.
def submit(pool):
    return pool.submit(tasks.square, 3).result(PATIENCE) == 9

def submit_by_value(pool, numbers=iter(range(10**9))):
    number = next(numbers)
    return pool.submit(lambda: number).result(PATIENCE) == number

def map_(pool):
    return list(pool.map(abs, range(-5, 0), timeout=PATIENCE)) == [5, 4, 3, 2, 1]

def map_chunks(pool):
    results = pool.map(tasks.make_list, range(5), timeout=PATIENCE, chunksize=2)
    return list(results) == [list(range(n)) for n in range(5)]

def ended_map(pool):
    results = pool.map(abs, range(-50, 0))
    first = next(results)
    results.close()
    return first == 50

def cancel(pool):
    futures = [pool.submit(abs, -n) for n in range(5)]
    cancelled = [future.cancel() for future in futures]
    return all(future.cancelled() if gone else future.result(PATIENCE) == n
               for n, (future, gone) in enumerate(zip(futures, cancelled)))

def running(pool):
    future = pool.submit(abs, -4)
    future.running()
    return future.result(PATIENCE) == 4 and not future.running()

def wait(pool):
    futures = [pool.submit(abs, -n) for n in range(5)]
    done, left = concurrent.futures.wait(futures, PATIENCE)
    return done == set(futures) and sorted(future.result() for future in done) == [0, 1, 2, 3, 4]

def as_completed(pool):
    futures = [pool.submit(abs, -n) for n in range(5)]
    return sorted(future.result() for future in concurrent.futures.as_completed(futures, PATIENCE)) == [0, 1, 2, 3, 4]

def callbacks(pool):
    called = []
    future = pool.submit(abs, -1)
    future.add_done_callback(called.append)
    future.add_done_callback(called.append)
    future.result(PATIENCE)
    wait_until(lambda: len(called) == 2)
    future.add_done_callback(called.append)
    return called == [future] * 3

def stats(pool):
    found = pool.stats()
    return found.submitted >= found.finished and found.workers <= 2

calls = [submit, map_, map_chunks, ended_map, cancel, running, wait, as_completed, callbacks, stats]

def check(pool, outer, inner, step, every):
    n, places = 1, 0
    while True:
        right = []
        with CallAt(n, "pool", lambda: right.append(inner(pool)), every) as middle:
            assert outer(pool), (outer.__name__, inner.__name__, n)
        if not middle.struck:
            return places
        assert right == [True], (outer.__name__, inner.__name__, n)
        n += step
        places += 1
"""


def run(source, least):
    done = run_script(textwrap.dedent(PROLOGUE) + textwrap.dedent(source), timeout=120)
    words = done.stdout.split()
    assert words[0] == "places" and int(words[1]) >= least, done.stdout


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize(
    "outer",
    ["submit", "submit_by_value", "map_", "map_chunks", "ended_map", "cancel", "running", "wait", "as_completed"]
    + ["callbacks", "stats"],
)
def test_calls_in_the_middle_of_a_call_find_it_finished_or_not_begun(outer, every):
    step = 61 if every else 11
    run(
        f"""
        with xichan.InterpreterPoolExecutor(2) as pool:
            assert submit(pool)
            places = 0
            for inner in calls:
                step = {step} if inner in (submit, map_) else {4 * step}
                places += check(pool, {outer}, inner, step, {every})
            found = pool.stats()
            assert found.submitted == found.finished + found.cancelled + found.failed, found
        assert pool.stats().workers == 0
        print("places", places)
        """,
        least=10,
    )


@pytest.mark.parametrize("outer", ["submit", "map_", "cancel", "wait", "stats"])
def test_shutdown_in_the_middle_of_a_call_completes(outer):
    run(
        f"""
        def action(n):
            pool = xichan.InterpreterPoolExecutor(1)
            assert submit(pool)
            before = [pool.submit(abs, -k) for k in range(5)]
            def end():
                pool.shutdown(cancel_futures=n % 2 == 0)
            with CallAt(n, "pool", end) as middle:
                try:
                    {outer}(pool)
                except (RuntimeError, CancelledError):
                    pass  # not begun, or cancelled
            pool.shutdown()
            assert pool.stats().workers == 0
            assert all(future.done() for future in before)
            found = pool.stats()
            assert found.submitted == found.finished + found.cancelled + found.failed, found
            return middle.struck
        n = 1
        while action(n):
            n += 17
        print("places", n)
        """,
        least=15,
    )


def test_signal_handler_that_submits_does_not_disturb_map():
    run(
        """
        import signal, time
        with xichan.InterpreterPoolExecutor(2) as pool:
            futures = []
            def handler(*_):
                futures.append(pool.submit(abs, -1000))
                assert futures[-1].result(PATIENCE) == 1000 or len(futures) % 3
                signal.setitimer(signal.ITIMER_REAL, 0.001)
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.001)
            rounds = 0
            while len(futures) < 300:
                rounds += 1
                assert list(pool.map(abs, range(-5, 0), timeout=PATIENCE)) == [5, 4, 3, 2, 1]
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            assert all(future.result(PATIENCE) == 1000 for future in futures)
        print("places", rounds)
        """,
        least=10,
    )


def test_finalizers_in_any_thread_of_the_pool_can_use_it():
    run(
        """
        import gc
        ended = []
        class Node:
            def __init__(self): self.me = self
            def __del__(self):
                where = threading.get_ident()
                ended.append((where, pool.submit(abs, -1).result(PATIENCE)))
        with xichan.InterpreterPoolExecutor(2) as pool:
            assert submit(pool)
            gc.set_threshold(50)
            for n in range(300):
                Node()
                futures = [pool.submit(tasks.identity, [k]) for k in range(10)]
                assert [future.result(PATIENCE) for future in futures] == [[k] for k in range(10)]
            gc.set_threshold(0)
            gc.collect()
            collector = pool._scheduler.collector
            for _ in range(20):
                Node()
                collector.call(gc.collect)  # in the thread on whose work the finalizer waits
            assert (collector.ident, 1) in ended
        assert {value for _, value in ended} == {1}, ended
        print("places", len(ended))
        """,
        least=100,
    )


@pytest.mark.parametrize("wait", ["pool.shutdown()", "future.result(60)", "future.result()"])
def test_signal_that_does_not_end_the_wait_is_handled(wait):
    """Another thread receives it, so the wait of the main thread is not interrupted."""
    run_script(
        PROLOGUE
        + f"""
import signal
from support import Call

def handler(number, frame):
    handled.append(number)
    tx.send_many([1, 2])

def send_signal():
    wait_until(lambda: rx.stats().waiting_receivers == 2)
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

handled, (tx, rx) = [], xichan.channel()
signal.signal(signal.SIGUSR1, handler)
with xichan.InterpreterPoolExecutor(2) as pool:
    other = pool.submit(xichan.Receiver.recv, rx)  # so result() does not receive by itself
    future = pool.submit(xichan.Receiver.recv, rx)
    call = Call(send_signal)
    {wait}
assert handled == [signal.SIGUSR1] and sorted([future.result(), other.result()]) == [1, 2]
call.result()
"""
    )
