"""Interrupts of tasks: raised once, in the task they are for and nowhere else; waits in channels end at once."""

import asyncio
import contextlib
import io
import random
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError

import pytest
from support import PATIENCE, wait_for_blocked, wait_until
from support.programs import interrupt_program
from support.worker_targets import spin, square

import xichan

pytest.importorskip("concurrent.interpreters")


def error_of(future):
    error = future.exception(PATIENCE)
    assert isinstance(error, xichan.Interrupted), error
    return error


def start(pool, function, *args):
    """Submit a task and wait until it runs."""
    future = pool.submit(function, *args)
    wait_until(lambda: future.running_for is not None)
    return future


def test_interrupt_ends_a_loop(pool):
    tx, rx = xichan.channel(None)
    future = pool.submit(spin, tx)
    rx.recv(PATIENCE)
    assert future.interrupt()
    error = error_of(future)
    assert isinstance(error, xichan.Error) and "interrupt()" in str(error)
    cause = error.__cause__
    assert type(cause) is xichan.Interrupted and not isinstance(cause, Exception)
    assert "in spin" in str(cause.__cause__)
    assert pool.submit(square, 3).result(PATIENCE) == 9
    assert not future.interrupt()


def test_except_exception_does_not_catch_interrupts(pool):
    def stubborn():
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    future = start(pool, stubborn)
    future.interrupt()
    error_of(future)


def test_interrupt_cancels_a_queued_task():
    with xichan.InterpreterPoolExecutor(1) as pool:
        running = start(pool, spin)
        queued = pool.submit(square, 2)
        assert queued.interrupt() and queued.cancelled()
        running.interrupt()
        error_of(running)


@pytest.mark.parametrize("call", ["recv", "recv_many", "for", "select", "send", "wait_closed", "lookup", "get", "join"])
def test_interrupt_ends_a_wait(call, pool):
    def wait(call, rx, full, queue):
        if call == "recv":
            rx.recv()
        elif call == "recv_many":
            rx.recv_many(5)
        elif call == "for":
            next(rx)
        elif call == "select":
            xichan.select([rx, (full, 5)])
        elif call == "send":
            full.send("text that needs a block" * 9)
        elif call == "wait_closed":
            rx.wait_closed()
        elif call == "lookup":
            xichan.lookup("never registered", None)
        elif call == "get":
            queue.get()
            queue.get()
        elif call == "join":
            queue.join()

    tx, rx = xichan.channel(1)
    full, filled = xichan.channel(1)
    queue = xichan.Queue()
    queue.put(1)
    full.send(0)
    future = start(pool, wait, call, rx, full, queue)
    if call in ("recv", "recv_many", "for"):
        wait_for_blocked(rx, receivers=1)
    time.sleep(random.random() * 0.02)
    future.interrupt()
    error_of(future)
    assert filled.recv() == 0 and len(filled) == 0
    tx.send(1)
    assert rx.recv() == 1
    queue.put(2)


def test_interrupt_is_raised_once(pool):
    def count(ready):
        hits = 0
        for _ in range(3):
            try:
                ready.send(None)
                end = time.monotonic() + 0.2
                while time.monotonic() < end:
                    pass
            except xichan.Interrupted:
                hits += 1
        return hits

    tx, rx = xichan.channel(None)
    future = pool.submit(count, tx)
    rx.recv(PATIENCE)
    assert future.interrupt() and future.interrupt()
    assert future.result(PATIENCE) == 1


def test_result_of_a_task_that_catches_the_interrupt_counts(pool):
    def careful(rx):
        try:
            rx.recv()
        except xichan.Interrupted:
            return "cleaned up"

    _tx, rx = xichan.channel()
    future = pool.submit(careful, rx)
    wait_for_blocked(rx, receivers=1)
    future.interrupt()
    assert future.result(PATIENCE) == "cleaned up"


def test_no_interrupt_reaches_the_next_task():
    def short(n):
        total = 0
        for i in range(200):
            total += i
        return n

    with xichan.InterpreterPoolExecutor(1) as pool:
        for n in range(150):
            futures = [pool.submit(short, n), pool.submit(short, n + 1)]
            futures[0].interrupt()
            assert futures[1].result(PATIENCE) == n + 1
            if not futures[0].cancelled() and futures[0].exception() is None:
                assert futures[0].result() == n
        assert not pool._scheduler.board.running()


def test_interrupt_in_a_finalizer_is_raised_again(pool):
    def finalize(ready):
        class Slow:
            def __del__(self):
                for _ in range(3000):
                    pass

        ready.send(None)
        while True:
            Slow()

    tx, rx = xichan.channel(None)
    for _ in range(5):
        future = pool.submit(finalize, tx)
        rx.recv(PATIENCE)
        future.interrupt()
        error_of(future)


def test_interrupt_before_the_function_is_loaded(pool):
    def slow_import():
        import time as module

        module.sleep(0.01)
        while True:
            pass

    for _ in range(20):
        future = pool.submit(slow_import)
        future.interrupt()
        assert future.cancelled() or error_of(future)


def test_received_value_is_kept_when_its_receiver_is_interrupted(pool):
    def take(rx, seen):
        got = []
        while len(got) < 400:
            try:
                got.append(rx.recv())
                seen.send(None)
            except xichan.Interrupted:
                pass
        return got

    tx, rx = xichan.channel(1)
    seen_tx, seen_rx = xichan.channel(None)
    future = start(pool, take, rx, seen_tx)
    for n in range(400):
        tx.send(n)
        if n == 200:
            future.interrupt()
    assert future.result(PATIENCE) == list(range(400))
    assert len(seen_rx) >= 399


def test_interrupt_closes_endpoints_with_the_error(pool):
    def produce(tx):
        tx.send(1)
        while True:
            pass

    tx, rx = xichan.channel()
    future = start(pool, produce, tx)
    tx.close()
    assert rx.recv(PATIENCE) == 1
    future.interrupt()
    with pytest.raises(xichan.ChannelFailed):
        rx.recv(PATIENCE)


def test_running_for_reports_c_code_that_does_not_return(pool):
    future = start(pool, time.sleep, 0.3)
    future.interrupt()
    wait_until(lambda: future.running_for is None or future.running_for > 0.1)
    assert future.exception(PATIENCE) is None or error_of(future)  # after the C code
    assert future.running_for is None
    assert pool.submit(square, 4).result(PATIENCE) == 16


def test_interrupt_cancels_a_coroutine(pool):
    async def wait(ready):
        try:
            ready.send(None)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ready.send("cancelled")
            raise

    async def compute(ready):
        ready.send(None)
        while True:
            pass

    async def last():
        await asyncio.sleep(0)
        return 7

    for coroutine in (wait, compute):
        tx, rx = xichan.channel(None)
        future = pool.submit(coroutine, tx)
        assert rx.recv(PATIENCE) is None
        future.interrupt()
        error_of(future)
        if coroutine is wait:
            assert rx.recv(PATIENCE) == "cancelled"
    assert [future.result(PATIENCE) for future in [pool.submit(last) for _ in range(4)]] == [7] * 4


@pytest.mark.parametrize("wait", ["result", "another result", "map", "exception", "shutdown", "select", "workers"])
def test_interrupt_ends_the_wait_for_a_nested_pool(wait, pool):
    def nested(wait, ready):
        from support.worker_targets import serve, spin

        import xichan

        if wait == "workers":
            with xichan.Workers(2, serve) as workers:
                workers.ready()
                ready.send(None)
                workers.join()
        with xichan.InterpreterPoolExecutor(2) as inner:
            if wait == "map":
                list(inner.map(spin, [ready] * 2))
            future = inner.submit(spin, ready)
            if wait == "another result":
                inner.submit(spin)
            if wait == "exception":
                inner.submit(spin)
                future.exception()
            if wait == "shutdown":
                inner.shutdown()
            if wait == "select":
                xichan.select([future])
            future.result()

    tx, rx = xichan.channel(None)
    for delay in 0, 0.05:  # before and while it waits
        future = pool.submit(nested, wait, tx)
        rx.recv(PATIENCE)
        time.sleep(delay)
        future.interrupt()
        error_of(future)
    assert pool.submit(square, 3).result(PATIENCE) == 9


def test_interrupt_of_a_local_task_ends_its_wait_for_a_pool():
    def local(ready):
        import faulthandler  # refuses subinterpreters

        from support.worker_targets import spin

        import xichan

        with xichan.InterpreterPoolExecutor(2) as inner:
            futures = [inner.submit(spin, ready) for _ in range(2)]
            return faulthandler and futures[0].result()

    tx, rx = xichan.channel(None)
    with xichan.InterpreterPoolExecutor(1, fallback="main") as pool:
        future = pool.submit(local, tx)
        rx.recv(PATIENCE)
        rx.recv(PATIENCE)
        future.interrupt()
        error_of(future)


def test_shutdown_interrupts_tasks_of_map():
    with xichan.InterpreterPoolExecutor(2) as pool:
        results = pool.map(spin, [None] * 8, chunksize=2)
        wait_until(lambda: len(pool._scheduler.board.running()) == 2)
        pool.shutdown(interrupt=True)
        with pytest.raises((xichan.Interrupted, CancelledError)):
            next(results)


def test_interrupt_of_a_local_task():
    def local(ready):
        import faulthandler  # refuses subinterpreters

        assert faulthandler
        ready.send(None)
        while True:
            pass

    tx, rx = xichan.channel(None)
    with xichan.InterpreterPoolExecutor(1, fallback="main") as pool:
        future = pool.submit(local, tx)
        rx.recv(PATIENCE)
        future.interrupt()
        error_of(future)


def test_interrupts_at_random_moments():
    """Each task ends by its result or by Interrupted; what tasks send arrives once; the pool stays usable."""

    def work(kind, n, tx, rx, slow_rx):
        tx.send(("began", n))
        if kind == "compute":
            for _ in range(20_000):
                pass
        elif kind == "receive":
            try:
                rx.recv(0.02)
            except xichan.ChannelTimeout:
                pass
        elif kind == "select":
            try:
                xichan.select([rx, slow_rx], 0.02)
            except xichan.ChannelTimeout:
                pass
        elif kind == "sleep":
            for _ in range(20):
                time.sleep(0.001)
        elif kind == "lock":
            lock = threading.Lock()
            for _ in range(3000):
                with lock:
                    pass
        tx.send(("ended", n))
        return n

    rng = random.Random(5)
    kinds = "compute", "receive", "select", "sleep", "lock"
    tx, rx = xichan.channel(None)
    _idle_tx, idle_rx = xichan.channel()
    _slow_tx, slow_rx = xichan.channel()
    interrupted = 0
    with xichan.InterpreterPoolExecutor(2) as pool:
        for n in range(0, 300, 3):
            futures = [pool.submit(work, rng.choice(kinds), n + i, tx, idle_rx, slow_rx) for i in range(3)]
            for i in rng.sample(range(3), 2):
                time.sleep(rng.random() * 0.01)
                futures[i].interrupt()
            for i, future in enumerate(futures):
                try:
                    assert future.result(PATIENCE) == n + i
                except (xichan.Interrupted, CancelledError) as error:
                    assert type(error) is xichan.TaskInterrupted or future.cancelled()
                    interrupted += 1
        assert pool.submit(square, 5).result(PATIENCE) == 25
        assert pool._scheduler.board.running() == {}
    assert interrupted > 20
    events = rx.drain()
    assert len(events) == len(set(events))


def test_deadline_interrupts_a_task_of_its_own(pool):
    quick = pool.with_options(deadline=0.1)
    future = quick.submit(spin)
    with pytest.raises(xichan.Interrupted, match="deadline of 0.1 seconds"):
        future.result(PATIENCE)
    assert quick.submit(square, 3).result(PATIENCE) == 9
    assert list(quick.map(square, range(4))) == [0, 1, 4, 9]
    with pytest.raises(xichan.Interrupted):
        list(quick.map(spin, [None]))
    queued = [quick.submit(time.sleep, 0.06) for _ in range(6)]  # longer than the deadline for all of them together
    assert [future.result(PATIENCE) for future in queued] == [None] * 6
    with pytest.raises(ValueError, match="deadline"):
        pool.with_options(deadline=-1)


CTRL_C = """
import time, xichan
def spin(tx):
    tx.send(None)
    while True: pass
def wait(tx, rx):
    tx.send(None)
    rx.recv()
def sleep(tx):
    tx.send(None)
    time.sleep(30)
def hold_the_gil(tx):
    tx.send(None)
    sum(range(10**12))
tx, rx = xichan.channel(None)
keep, never = xichan.channel()
def begin(pool):
    futures = [pool.submit(spin, tx), pool.submit(wait, tx, never)]
    futures += [pool.submit(spin, tx) for _ in range(20)]
    for _ in range(2): rx.recv()
    print("begun", flush=True)
    return futures
"""

CTRL_C_PROGRAMS = {
    "result in a block": "with xichan.InterpreterPoolExecutor(2) as pool: begin(pool)[0].result()",
    "end of a block": "with xichan.InterpreterPoolExecutor(2) as pool: begin(pool)",
    "result in a block of a dispatcher": """
from xichan.dispatch import Dispatcher
with xichan.InterpreterPoolExecutor(2) as pool, Dispatcher(pool): begin(pool)[0].result()
""",
    "result without a block": "begin(xichan.InterpreterPoolExecutor(2))[1].result()",
    "exit": "begin(xichan.InterpreterPoolExecutor(2))",
    "asyncio.to_thread": """
import asyncio
async def main():
    pool = xichan.InterpreterPoolExecutor(2)
    asyncio.get_running_loop().set_default_executor(pool)
    waiting = [asyncio.create_task(asyncio.to_thread(spin, tx)) for _ in range(20)]
    await asyncio.sleep(0)
    for _ in range(2): await rx.arecv()
    print("begun", flush=True)
    await asyncio.gather(*waiting)
asyncio.run(main())
""",
    "asyncio.to_thread of a task in C code": """
import asyncio
async def main():
    pool = xichan.InterpreterPoolExecutor(2)
    asyncio.get_running_loop().set_default_executor(pool)
    waiting = asyncio.create_task(asyncio.to_thread(sleep, tx))
    await rx.arecv()
    print("begun", flush=True)
    await waiting
asyncio.run(main())
""",
    "the end of an executor in an event loop": """
import asyncio
async def main():
    pool = xichan.InterpreterPoolExecutor(2)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(pool)
    future = loop.run_in_executor(None, spin, tx)
    await rx.arecv()
    print("begun", flush=True)
    await loop.shutdown_default_executor()
asyncio.run(main())
""",
    "a nested pool": """
def nested(tx):
    with xichan.InterpreterPoolExecutor(2) as inner:
        [inner.submit(spin, tx) for _ in range(2)][0].result()
with xichan.InterpreterPoolExecutor(1) as pool:
    pool.submit(nested, tx)
    for _ in range(2): rx.recv()
    print("begun", flush=True)
""",
    "interpreters on standby": """
with xichan.InterpreterPoolExecutor(2, standby=2) as pool: begin(pool)[0].result()
""",
    "a task in C code": """
with xichan.InterpreterPoolExecutor(3) as pool:
    pool.submit(sleep, tx)
    begin(pool)[0].result()
""",
    "a task that holds the GIL": """
with xichan.InterpreterPoolExecutor(3) as pool:
    pool.submit(hold_the_gil, tx)
    begin(pool)[0].result()
""",
}


@pytest.mark.parametrize("program", CTRL_C_PROGRAMS)
def test_one_ctrl_c_ends_the_program(program, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(CTRL_C + CTRL_C_PROGRAMS[program])
    status, output = interrupt_program(path)
    assert status in (-signal.SIGINT, 0 if program == "exit" else -signal.SIGINT), output


def test_output_of_a_task_precedes_its_result():
    def work(n):

        print("task", n)
        print("error", n, file=sys.stderr)
        sys.stdout.write("rest;")
        return n

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        with xichan.InterpreterPoolExecutor(1, stdout="forward") as pool:
            for n in range(3):
                assert pool.submit(work, n).result(PATIENCE) == n
                assert out.getvalue().endswith(f"task {n}\nrest;")
            assert list(pool.map(work, range(4), chunksize=2)) == [0, 1, 2, 3]
    assert out.getvalue().count("rest;") == 7 and err.getvalue().count("error") == 7
    with pytest.raises(ValueError, match="stdout"):
        xichan.InterpreterPoolExecutor(1, stdout="file")


def test_results_as_views(pool):
    views = pool.with_options(copy=False)
    view = views.submit(lambda: ("text" * 1000, 5)).result(PATIENCE)
    assert isinstance(view, xichan.TupleView) and view[1] == 5
    assert [type(view) for view in views.map(lambda n: (n, "x" * 500), range(2))] == [xichan.TupleView] * 2
    assert views.submit(lambda: 7).result(PATIENCE) == 7
    assert views.with_options(copy=True).submit(lambda: (1,)).result(PATIENCE) == (1,)
    with pytest.raises(xichan.NotShareableError):
        views.submit(lambda: object()).result(PATIENCE)
