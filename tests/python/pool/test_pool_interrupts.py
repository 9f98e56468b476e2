"""Ctrl-C anywhere in public calls: afterwards each future completes once, and the pool works and shuts down."""

import textwrap
import threading

import pytest
from support import run_script

pytest.importorskip("concurrent.interpreters")

PROLOGUE = """
from concurrent.futures import CancelledError
import xichan; from support import pool_tasks as tasks
from support.interrupting import InterruptAt
from support.pool_blockers import Blocker
from support import wait_until, PATIENCE

# Wait until each of the futures completes and the scheduler is empty. Returns their results or the names of errors.
def end(pool, futures):
    found = []
    for future in futures:
        try:
            found.append(future.result(PATIENCE))
        except BaseException as error:
            found.append(type(error).__name__)
    scheduler, queue = pool._scheduler, pool._scheduler.queue
    wait_until(lambda: not (queue.requeued or queue.recalled or queue.late))
    places = ("in_flight", "waiting", "local", "pending_local")
    wait_until(lambda: not any(getattr(scheduler, place) for place in places))
    assert pool.submit(tasks.square, 3).result(PATIENCE) == 9
    return found

# Wait until the collector sleeps: otherwise it might complete what the interrupted call would have done.
def idle(pool):
    collector = pool._scheduler.collector
    channels = collector.results_rx, collector.wakeup_rx
    wait_until(lambda: any(rx.stats().waiting_receivers for rx in channels))

def everywhere(action, step=1):
    n = 1
    while action(n).struck:
        n += step
    print("places", n)
"""


def run(source, least):
    """Run source that interrupts an operation at each place in turn, of which there must be at least so many."""
    done = run_script(textwrap.dedent(PROLOGUE) + textwrap.dedent(source), timeout=150)
    words = done.stdout.split()
    assert words[0] == "places" and int(words[1]) >= least, done.stdout


def test_cancel_can_be_interrupted():
    run(
        """
        runs_tx, runs_rx = xichan.channel(None)
        with xichan.InterpreterPoolExecutor(1) as pool:
            def action(n):
                with Blocker(pool) as blocker:
                    ended = []
                    futures = [pool.submit(tasks.record_square, runs_tx, k) for k in range(20)]
                    futures[3].add_done_callback(ended.append)
                    futures[1].cancel()  # so that some are requeued
                    idle(pool)
                    with InterruptAt(n, "pool") as interruption:
                        futures[3].cancel()
                    assert futures[3].cancelled() or interruption.struck
                    blocker.end()
                    found = end(pool, futures)
                runs = [k for k in range(20) if found[k] != "CancelledError"]
                assert runs_rx.drain() == runs  # once each, in order
                assert found[1] == "CancelledError" and found[3] in ("CancelledError", 9), found
                wait_until(lambda: ended)
                assert ended == [futures[3]]
                assert all(found[k] == k * k for k in range(20) if k not in (1, 3)), found
                return interruption
            everywhere(action)
            stats = pool.stats()
            assert stats.submitted == stats.finished + stats.failed + stats.cancelled, stats
        """,
        least=30,
    )


def test_timeout_of_map_can_be_interrupted():
    run(
        """
        with xichan.InterpreterPoolExecutor(1) as pool:
            def action(n):
                results = pool.map(tasks.square, range(40), chunksize=3)
                assert next(results) == 0
                with Blocker(pool) as blocker:
                    after = pool.submit(tasks.square, 5)
                    more = pool.map(tasks.square, range(40), timeout=0)
                    idle(pool)
                    with InterruptAt(n, "pool") as interruption:
                        try:
                            next(more)
                        except TimeoutError:
                            pass
                    blocker.end()
                    assert end(pool, [after]) == [25]
                return interruption
            everywhere(action)
        """,
        least=30,
    )


@pytest.mark.parametrize("requeued", [True, False])
def test_submit_and_map_can_be_interrupted(requeued):
    run(
        f"""
        with xichan.InterpreterPoolExecutor(1) as pool:
            def action(n):
                with Blocker(pool) as blocker:
                    before = [pool.submit(tasks.square, k) for k in range(20)]
                    if {requeued}:
                        assert before[7].cancel()
                    futures = []
                    idle(pool)
                    with InterruptAt(n, "pool") as interruption:
                        for k in range(2):
                            futures.append(pool.submit(lambda k=k, n=n: (k, n)))
                        futures.append(pool.submit(tasks.identity, [1]))
                        results = pool.map(tasks.square, range(5), chunksize=2)
                    after = pool.submit(tasks.square, 5)
                    assert not after.running()
                    blocker.end()
                    found = end(pool, (*before, *futures, after))
                    assert found[-1] == 25 and all(found[k] == k * k for k in range(20) if k != 7), found
                    assert found[20:-1] == [(0, n), (1, n), [1]][:len(futures)]
                    if not interruption.struck:
                        assert list(results) == [0, 1, 4, 9, 16]
                return interruption
            everywhere(action)
            import gc
            known = list(pool._scheduler.published._known.values())
            users = lambda definition: [user for user in gc.get_referrers(definition) if hasattr(user, "definition")]
            wait_until(lambda: not any(map(users, known)))  # so that publishing others can release them
        """,
        least=70,
    )


def test_submission_of_local_tasks_can_be_interrupted():
    run(
        """
        from xichan.dispatch import Dispatcher
        with xichan.InterpreterPoolExecutor(1) as pool, Dispatcher(pool, main_only={tasks.square}) as dispatcher:
            def action(n):
                futures = []
                with InterruptAt(n, "pool") as interruption:
                    for k in range(2):
                        futures.append(dispatcher.submit(tasks.square, k))
                    results = dispatcher.map(tasks.square, range(5), chunksize=2)
                assert end(pool, futures) == [0, 1][:len(futures)]
                if not interruption.struck:
                    assert list(results) == [0, 1, 4, 9, 16]
                return interruption
            everywhere(action)
            stats = pool.stats()
            assert stats.cancelled == stats.failed == 0
        assert pool.stats().workers == 0
        """,
        least=70,
    )


def test_first_local_task_can_be_interrupted():
    run(
        """
        from xichan.dispatch import Dispatcher
        def action(n):
            with xichan.InterpreterPoolExecutor(1) as pool, Dispatcher(pool, main_only={tasks.square}) as dispatcher:
                futures = []
                with InterruptAt(n, "pool") as interruption:
                    futures.append(dispatcher.submit(tasks.square, -4))
                    futures[0].result()
                assert end(pool, futures) in ([], [16])
            return interruption
        everywhere(action, 5)
        """,
        least=30,
    )


def test_cancellation_of_a_local_task_can_be_interrupted():
    run(
        """
        from xichan.dispatch import Dispatcher
        with xichan.InterpreterPoolExecutor(1) as pool:
            dispatcher = Dispatcher(pool, main_only={tasks.block, tasks.square}, max_threads=1)
            def action(n):
                started_tx, started_rx = xichan.channel(1)
                release_tx, release_rx = xichan.channel(1)
                with started_tx, started_rx, release_tx, release_rx:
                    ended = []
                    blocker = dispatcher.submit(tasks.block, started_tx, release_rx)
                    started_rx.recv(PATIENCE)
                    futures = [dispatcher.submit(tasks.square, k) for k in range(4)]
                    futures[2].add_done_callback(ended.append)
                    idle(pool)
                    with InterruptAt(n, "pool") as interruption:
                        futures[2].cancel()
                    assert futures[2].cancelled() or interruption.struck
                    release_tx.send("released")
                    found = end(pool, [blocker, *futures])
                assert found.pop(3) in ("CancelledError", 4) and found == ["released", 0, 1, 9], found
                wait_until(lambda: ended)
                assert ended == [futures[2]]
                return interruption
            everywhere(action)
            stats = pool.stats()
            assert stats.submitted == stats.finished + stats.failed + stats.cancelled, stats
            dispatcher.shutdown()
        """,
        least=20,
    )


def test_first_tasks_and_their_results_can_be_interrupted():
    run(
        """
        def action(n):
            with xichan.InterpreterPoolExecutor(1) as pool:
                futures = []
                with InterruptAt(n, "pool") as interruption:
                    for k in range(2):
                        futures.append(pool.submit(abs, -k))
                        futures[k].result()
                assert end(pool, futures) == [0, 1][:len(futures)]
            return interruption
        everywhere(action, 5)
        """,
        least=30,
    )


def test_result_received_inline_can_be_interrupted():
    run(
        """
        from support import Call, wait_for_blocked
        with xichan.InterpreterPoolExecutor(1) as pool:
            collector = pool._scheduler.collector
            pool.submit(tasks.square, 1).result()
            def action(n):
                wait_for_blocked(collector.wakeup_rx, receivers=1)  # else it might receive the result
                with Blocker(pool) as blocker:
                    over = []
                    def release():
                        # result() holds the token, or was interrupted before.
                        wait_until(lambda: len(collector.token_rx) or over)
                        blocker.release.send("value")
                    releasing = Call(release)
                    with InterruptAt(n, "pool") as interruption:
                        assert blocker.future.result() == "value"
                    over.append(True)
                    releasing.result()
                    assert end(pool, [blocker.future]) == ["value"]
                return interruption
            print("places", sum(action(n).struck for n in range(1, 60)))
            stats = pool.stats()
            assert stats.submitted == stats.finished, stats
        """,
        least=20,
    )


def test_shutdown_can_be_interrupted():
    run(
        """
        def action(n):
            with xichan.InterpreterPoolExecutor(1) as pool:
                with Blocker(pool) as blocker:
                    futures = [pool.submit(tasks.square, k) for k in range(5)]
                    idle(pool)
                    with InterruptAt(n, "pool") as interruption:
                        pool.shutdown(wait=False, cancel_futures=True)
                    blocker.end()
                for k, future in enumerate(futures):
                    try:
                        assert future.result(PATIENCE) == k * k and interruption.struck
                    except CancelledError:
                        pass  # perhaps by the collector, just now
            assert pool.stats().workers == 0
            return interruption
        everywhere(action, 5)
        """,
        least=30,
    )


def test_has_started_is_true_as_soon_as_start_returns():
    from xichan.pool.interrupt_safe import has_started

    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    assert hasattr(thread, "_os_thread_handle")  # otherwise has_started() becomes true slightly too late
    assert not has_started(thread)
    thread.start()
    assert has_started(thread)
    release.set()
    thread.join()
    assert has_started(thread)
