"""xichan.Workers: readiness, stop, failures, restarts, names, and the end of the block."""

import asyncio
import contextlib
import contextvars
import signal
import sys
import threading
import time

import pytest
from support import PATIENCE, run_script, wait_until
from support.context_variables import report, report_later, request
from support.programs import interrupt_program
from support.worker_targets import fail, fail_at_import, serve, serve_and_spin

import xichan

interpreters = pytest.importorskip("concurrent.interpreters")


def test_workers_have_names_and_stop():
    tx, rx = xichan.channel(None)
    with xichan.Workers(3, serve, tx, name="serve") as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
        workers.stop()
    assert sorted(rx) == [(i, f"serve_{i}", f"serve_{i}", False) for i in range(3)]


def test_repr_names_the_workers_and_counts_those_that_run():
    tx, _rx = xichan.channel(None)
    workers = xichan.Workers(2, serve, tx, name="serve")
    assert repr(workers) == "<xichan.Workers 'serve', 2 not started>"
    with workers:
        workers.ready(PATIENCE)
        assert repr(workers) == "<xichan.Workers 'serve', 2 of 2 running>"
        workers.stop()
    assert repr(workers) == "<xichan.Workers 'serve', 0 of 2 running>"


def test_index_of_a_worker_is_checked():
    workers = xichan.Workers(2, serve, None)
    for call in (workers.interrupt, workers.running_for):
        for index in (-1, 2):
            with pytest.raises(IndexError, match=f"index must be from 0 to 1, got {index}"):
                call(index)
        for index in (None, "0", True):
            with pytest.raises(TypeError, match=f"index must be an int, got {type(index).__name__}"):
                call(index)


def test_name_must_be_a_str():
    with pytest.raises(TypeError, match="name must be a str, got int"):
        xichan.Workers(1, serve, None, name=3)


def test_wait_stop_has_a_timeout():
    def look(tx):
        me = xichan.worker()
        tx.send((me.wait_stop(0), me.wait_stop(0.01), me.stopping))
        me.ready()
        tx.send((me.wait_stop(60), me.wait_stop(0), me.stopping))

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, look, tx) as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
    assert list(rx) == [(False, False, False), (True, True, True)]


def test_coroutines_await_the_stop():
    async def target(tx):
        me = xichan.worker()
        waiting = asyncio.create_task(me.stop())
        await asyncio.sleep(0)
        me.ready()
        await waiting
        tx.send(me.index)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, target, tx) as workers:
        tx.close()
        workers.ready(PATIENCE)
        workers.stop()
    assert sorted(rx) == [0, 1]


def test_selectors_watch_the_stop():
    def target():
        import selectors

        me = xichan.worker()
        with selectors.DefaultSelector() as selector:
            selector.register(me.fileno(), selectors.EVENT_READ)
            me.ready()
            while not me.stopping:
                selector.select(60)
                me.fileno()

    with xichan.Workers(1, target) as workers:
        workers.ready(PATIENCE)
        workers.stop()


def test_leaving_the_block_joins_targets_that_return():
    def work(tx, n):
        for i in range(n):
            tx.send(i)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, work, tx, 50) as workers:
        tx.close()
    assert workers.join(0)
    assert sorted(rx) == sorted([*range(50)] * 2)


@pytest.mark.parametrize("target, error", [(fail_at_import, ModuleNotFoundError), (fail, ValueError)])
def test_ready_raises_the_failure_of_a_worker(target, error):
    started = time.monotonic()
    with pytest.raises(error) as caught:
        with xichan.Workers(2, target) as workers:
            workers.ready(PATIENCE)
    assert time.monotonic() - started < PATIENCE
    assert any("worker_" in note for note in caught.value.__notes__)


def test_ready_raises_when_a_value_cannot_be_rebuilt():
    class Odd:
        def __reduce__(self):
            return int, ("not a number",)

    with pytest.raises(ValueError, match="not a number"):
        with xichan.Workers(1, serve, Odd()) as workers:
            workers.ready(PATIENCE)
    odd = Odd()
    with pytest.raises(ValueError, match="not a number"):
        with xichan.Workers(1, lambda: odd) as workers:
            workers.ready(PATIENCE)


def test_ready_raises_if_a_target_returns_without_it():
    with pytest.raises(RuntimeError, match="worker_0 has ended without calling"):
        with xichan.Workers(1, print) as workers:
            workers.ready(PATIENCE)


def test_ready_has_a_timeout():
    def late():
        xichan.worker().wait_stop()

    with xichan.Workers(2, late) as workers:
        with pytest.raises(TimeoutError, match=r"not ready after 0.05 seconds: worker_0, worker_1"):
            workers.ready(0.05)
        workers.stop()


def test_one_failure_stops_the_others_and_is_raised():
    def target(rx):
        me = xichan.worker()
        me.ready()
        if me.index == 1:
            rx.recv()
            raise KeyError("lost")
        me.wait_stop()

    tx, rx = xichan.channel()
    with pytest.raises(KeyError, match="lost"):
        with xichan.Workers(3, target, rx) as workers:
            workers.ready(PATIENCE)
            tx.send(None)


def test_several_failures_are_raised_as_a_group():
    with pytest.raises(ExceptionGroup) as caught:
        with xichan.Workers(3, fail, on_error="continue"):
            pass
    assert [type(error) for error in caught.value.exceptions] == [ValueError] * 3


def test_a_failure_does_not_stop_the_others_with_continue():
    def target(tx):
        me = xichan.worker()
        if me.index == 0:
            raise ValueError("alone")
        time.sleep(0.1)
        tx.send(me.stopping)

    tx, rx = xichan.channel(None)
    with pytest.raises(ValueError, match="alone"):
        with xichan.Workers(2, target, tx, on_error="continue"):
            tx.close()
            assert rx.recv(PATIENCE) is False


def test_targets_that_do_not_stop_after_a_failure_are_interrupted():
    def target():
        if xichan.worker().index == 0:
            raise ValueError("first")
        while True:
            pass

    with pytest.raises(ValueError, match="first"):
        with xichan.Workers(2, target, grace=0.1):
            pass


def test_failed_worker_is_restarted():
    def target(tx):
        me = xichan.worker()
        tx.send((me.index, me.attempt))
        if me.index == 0 and me.attempt < 2:
            raise ValueError("again")
        me.ready()

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, target, tx, restart=2) as workers:
        tx.close()
        workers.ready(PATIENCE)
    assert sorted(rx) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_restarts_are_limited_and_the_stream_fails_after_the_last():
    def target(tx):
        tx.send(xichan.worker().attempt)
        raise ValueError("always")

    tx, rx = xichan.channel(None)
    with pytest.raises(ValueError, match="always"):
        with xichan.Workers(1, target, tx, restart=1):
            tx.close()
            assert [rx.recv(PATIENCE), rx.recv(PATIENCE)] == [0, 1]
            with pytest.raises(xichan.ChannelFailed) as caught:
                rx.recv(PATIENCE)
            assert isinstance(caught.value.__cause__, ValueError)


def test_stop_ends_the_pause_before_a_restart(caplog):
    def target(tx):
        raise ValueError("broken")

    tx, rx = xichan.channel()
    with xichan.Workers(1, target, tx, restart=50) as workers:
        tx.close()
        wait_until(lambda: workers._supervisor.members[0].attempt == 2)
        workers.stop()
    with pytest.raises(xichan.ChannelFailed):
        rx.recv(PATIENCE)
    assert "worker_0 failed, and starts again in 0.2 seconds: ValueError('broken')" in caplog.text


@pytest.mark.parametrize("restart", [0, 1])
def test_failure_after_the_stop_is_raised_unless_a_restart_is_left(restart, caplog):
    def target():
        xichan.worker().ready()
        xichan.worker().wait_stop()
        raise ValueError("while stopping")

    raised = pytest.raises(ValueError, match="while stopping") if restart == 0 else contextlib.nullcontext()
    with raised, xichan.Workers(1, target, restart=restart) as workers:
        workers.ready(PATIENCE)
        workers.stop()
    assert ("while stopping" in caplog.text) == (restart == 1)


def test_endpoints_of_a_failed_worker_are_closed_with_its_error():
    def target(tx):
        tx.send(1)
        raise ValueError("half way")

    tx, rx = xichan.channel()
    with pytest.raises(ValueError, match="half way"):
        with xichan.Workers(1, target, tx):
            tx.close()
            assert rx.recv(PATIENCE) == 1
            with pytest.raises(xichan.ChannelFailed):
                rx.recv(PATIENCE)


def test_streams_end_when_a_worker_closes_its_endpoint():
    def target(tx):
        with tx:
            tx.send(1)
        xichan.worker().wait_stop()

    tx, rx = xichan.channel()
    with xichan.Workers(1, target, tx) as workers:
        tx.close()
        assert list(rx) == [1]
        workers.stop()


def test_interrupt_fails_one_worker():
    with pytest.raises(xichan.Interrupted):
        with xichan.Workers(2, serve_and_spin) as workers:
            workers.ready(PATIENCE)
            assert workers.interrupt(1) and workers.running_for(0) > 0


def test_interrupt_after_stop_is_not_a_failure():
    with xichan.Workers(2, serve_and_spin) as workers:
        workers.ready(PATIENCE)
        workers.stop()
        assert not workers.join(0.05)
        assert workers.interrupt(0) and workers.interrupt(1)
    assert not workers.interrupt(0) and workers.running_for(0) is None


def test_each_interrupt_is_raised():
    def target(tx):
        xichan.worker().ready()
        for _ in range(3):
            try:
                while True:
                    pass
            except xichan.Interrupted:
                tx.send(None)

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx) as workers:
        workers.ready(PATIENCE)
        for _ in range(3):
            workers.interrupt(0)
            rx.recv(PATIENCE)


def test_interrupts_during_restarts_reach_one_attempt_each():
    def target(tx):
        tx.send(xichan.worker().attempt)
        while True:
            pass

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx, restart=3, on_error="continue") as workers:
        for attempt in range(3):
            assert rx.recv(PATIENCE) == attempt
            workers.interrupt(0)
        assert rx.recv(PATIENCE) == 3
        workers.stop()
        workers.interrupt(0)


@pytest.mark.parametrize("code, fails", [("", False), ("0", False), ("3", True)])
def test_sys_exit_in_a_worker(code, fails):
    def target(code):

        sys.exit(*map(int, code.split()))

    if not fails:
        with xichan.Workers(1, target, code):
            pass
        return
    with pytest.raises(xichan.BrokenWorker, match="exit"):
        with xichan.Workers(1, target, code):
            pass


def test_an_exception_in_the_block_stops_the_workers():
    with pytest.raises(ZeroDivisionError):
        with xichan.Workers(2, serve) as workers:
            workers.ready(PATIENCE)
            1 / 0  # noqa: B018


def test_targets_see_the_context_variables_of_the_creation():
    def call(report, restart):
        request.set("of the call")
        tx, rx = xichan.channel(None)
        workers = xichan.Workers(2, report, tx, context=True, restart=restart)
        request.set("later")
        with workers:
            tx.close()
        return sorted(rx)

    def report_and_fail(tx):
        report(tx)
        if xichan.worker().attempt == 0:
            raise ValueError("again")

    for target, restart, times in (report, 0, 2), (report_later, 0, 2), (report_and_fail, 1, 4):
        assert contextvars.Context().run(call, target, restart) == [("of the call", None)] * times
    with pytest.raises(xichan.NotShareableError, match="the context variable 'the request' is of type object"):
        context = contextvars.Context()
        context.run(request.set, object())
        context.run(xichan.Workers, 1, report, context=[request], pickle=False)
    with pytest.raises(TypeError, match="context must be"):
        xichan.Workers(1, serve, context="all")


def test_workers_preload_modules():
    def look(tx):
        import sys

        tx.send("wave" in sys.modules)

    tx, rx = xichan.channel(None)
    with xichan.Workers(2, look, tx, preload=["wave"]):
        tx.close()
    assert list(rx) == [True, True]
    with pytest.raises(xichan.BrokenWorker, match="module 'no_such_module' of preload= cannot be imported"):
        with xichan.Workers(1, serve, preload=["no_such_module"]) as workers:
            workers.ready(PATIENCE)
    for options in {"preload": "wave"}, {"standby": True}:
        with pytest.raises(TypeError, match=next(iter(options))):
            xichan.Workers(1, serve, **options)


def test_restarts_take_interpreters_on_standby():
    def target(tx):
        from concurrent import interpreters

        tx.send(interpreters.get_current().id)
        if xichan.worker().attempt < 2:
            raise ValueError("again")

    before = {interpreter.id for interpreter in interpreters.list_all()}
    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx, restart=2, standby=1) as workers:
        first = rx.recv(PATIENCE)
        wait_until(lambda: len(workers._supervisor.standby) == 1)
        kept = {interpreter.id for interpreter in interpreters.list_all()} - before - {first}
        tx.close()
    restarted = list(rx)
    assert len(restarted) == 2 and restarted[0] in kept
    assert {interpreter.id for interpreter in interpreters.list_all()} == before


def test_stop_while_workers_start():
    for _ in range(5):
        with xichan.Workers(2, serve) as workers:
            workers.stop()


def test_worker_is_refused_elsewhere(pool):
    with pytest.raises(RuntimeError, match="target of xichan.Workers"):
        xichan.worker()
    with pytest.raises(RuntimeError, match="target of xichan.Workers"):
        pool.submit(xichan.worker).result(PATIENCE)


def test_workers_rejects_invalid_arguments():
    for arguments, error in [((0, serve), ValueError), ((True, serve), TypeError), ((1, None), TypeError)]:
        with pytest.raises(error):
            xichan.Workers(*arguments)
    for options in [{"restart": -1}, {"on_error": "ignore"}, {"stdout": "no"}]:
        with pytest.raises(ValueError, match=next(iter(options))):
            xichan.Workers(1, serve, **options)
    with pytest.raises(xichan.NotShareableError, match="pickle=False"):
        xichan.Workers(1, serve, object(), pickle=False)


@pytest.mark.parametrize("n", [2**22 + 1, 10**9, 10**30])
def test_impossible_number_of_workers_is_refused(n):
    with pytest.raises(ValueError, match=rf"n must be at most \d+, the number of threads that .* can have, got {n}"):
        xichan.Workers(n, serve)


@pytest.fixture
def no_thread(monkeypatch):
    """A function that makes the start of threads fail. It returns a list of the names of those."""

    def apply(*names):
        start = threading.Thread.start
        failed = []

        def fail(thread):
            if thread.name not in names:
                return start(thread)
            failed.append(thread.name)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fail)
        return failed

    return apply


def test_thread_that_cannot_be_started_ends_the_start(no_thread):
    failed = no_thread(*(f"worker_{index}" for index in range(2, 1000)))
    tx, rx = xichan.channel(None)
    with pytest.raises(RuntimeError, match="^can't start new thread") as caught:
        with xichan.Workers(1000, serve, tx) as workers:
            tx.close()
            workers.ready(PATIENCE)
    assert failed == ["worker_2"] and caught.value.__notes__ == ["in worker_2 of xichan.Workers"]
    with pytest.raises(xichan.ChannelFailed):
        list(rx)


def test_further_workers_start_with_continue(no_thread):
    failed = no_thread("worker_1")
    tx, rx = xichan.channel(None)
    with pytest.raises(RuntimeError, match="^can't start new thread"):
        with xichan.Workers(3, serve, tx, on_error="continue") as workers:
            tx.close()
            assert sorted([rx.recv(PATIENCE)[0], rx.recv(PATIENCE)[0]]) == [0, 2]
            workers.stop()
    assert failed == ["worker_1"]


@pytest.mark.parametrize("name", ["worker_supervisor", "worker_output"])
def test_workers_are_over_if_their_supervisor_cannot_be_started(no_thread, name):
    failed = no_thread(name)
    tx, rx = xichan.channel(None)
    workers = xichan.Workers(3, serve, tx, stdout="forward", standby=1)
    tx.close()
    with pytest.raises(RuntimeError, match="^can't start new thread"), workers:
        pass
    assert failed == [name]
    assert workers.join(PATIENCE) and repr(workers) == "<xichan.Workers 'worker', 0 of 3 running>"
    assert list(rx) == []


def test_workers_are_started_once():
    workers = xichan.Workers(1, print)
    with pytest.raises(RuntimeError, match="with"):
        workers.ready()
    with workers:
        pass
    with pytest.raises(RuntimeError, match="before"), workers:
        pass


def test_workers_in_a_worker():
    def inner(tx):
        tx.send(xichan.worker().name)

    def outer(tx):
        with xichan.Workers(2, inner, tx, name="inner"):
            pass
        tx.send(xichan.worker().name)

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, outer, tx, name="outer"):
        tx.close()
    assert sorted(rx) == ["inner_0", "inner_1", "outer_0"]


def test_output_is_forwarded_in_order(capsys):
    def target():

        me = xichan.worker()
        for i in range(100):
            print(me.index, i)
        print("error", me.index, file=sys.stderr)
        sys.stdout.write("no newline")

    with xichan.Workers(2, target, stdout="forward"):
        pass
    out, err = capsys.readouterr()
    assert out.count("no newline") == 2
    lines = out.replace("no newline", "").splitlines()
    for index in range(2):
        assert [line for line in lines if line.startswith(f"{index} ")] == [f"{index} {i}" for i in range(100)]
    assert sorted(err.splitlines()) == ["error 0", "error 1"]


def test_cycles_leave_nothing_behind():
    import os

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    with xichan.Workers(1, serve) as workers:
        workers.ready(PATIENCE)
        workers.stop()
    wait_until(lambda: threading.active_count() == 1)
    before = descriptors()
    for _ in range(10):
        with xichan.Workers(1, serve) as workers:
            workers.ready(PATIENCE)
            workers.stop()
    wait_until(lambda: threading.active_count() == 1 and descriptors() <= before)


def test_the_program_exits_with_running_workers():
    run_script(
        """
        import time, xichan
        def target():
            xichan.worker().ready()
            xichan.worker().wait_stop()
        def deaf():
            xichan.worker().ready()
            while True: pass
        for function, grace in (target, 1), (deaf, 0.1):
            workers = xichan.Workers(1, function, grace=grace)
            workers.__enter__()
            workers.ready(30)
        """,
        timeout=30,
    )


def test_workers_do_nothing_in_the_child_of_a_fork():
    run_script(
        """
        import os, warnings, xichan
        warnings.simplefilter("ignore", DeprecationWarning)
        def target():
            xichan.worker().ready()
            xichan.worker().wait_stop()
        with xichan.Workers(1, target) as workers:
            workers.ready(30)
            workers.stop()
        child = os.fork()  # CPython may crash if other interpreters are running
        if child == 0:
            status = 0
            try:
                workers.stop(); workers.interrupt(0); workers.ready(1)
                status = 3
            except RuntimeError:
                pass
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert workers.join(0)
        """,
        timeout=30,
    )


CTRL_C = """
import xichan
def serve():
    xichan.worker().ready()
    xichan.worker().wait_stop()
def deaf():
    xichan.worker().ready()
    while True: pass
def late():
    xichan.worker().wait_stop()
"""

CTRL_C_PROGRAMS = {
    "start": """
import os, signal, threading
start = threading.Thread.start
def interrupted(thread):
    if thread.name == "worker_1":
        print("begun", flush=True)
        signal.pause()
    start(thread)
threading.Thread.start = interrupted
with xichan.Workers(3, serve) as workers:
    pass
""",
    "join": """
with xichan.Workers(2, serve) as workers:
    workers.ready(30)
    print("begun", flush=True)
""",
    "join of deaf targets": """
with xichan.Workers(2, deaf) as workers:
    workers.ready(30)
    print("begun", flush=True)
""",
    "ready": """
with xichan.Workers(2, late) as workers:
    print("begun", flush=True)
    workers.ready()
""",
    "the block": """
import time
with xichan.Workers(2, serve, restart=3) as workers:
    workers.ready(30)
    print("begun", flush=True)
    time.sleep(60)
""",
}


@pytest.mark.parametrize("program", CTRL_C_PROGRAMS)
def test_one_ctrl_c_ends_the_program(program, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(CTRL_C + CTRL_C_PROGRAMS[program])
    status, output = interrupt_program(path)
    assert status == -signal.SIGINT, output
    assert "Fatal" not in output[1], output[1]
