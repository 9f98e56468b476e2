"""xichan.Workers: interrupts, Ctrl-C, the exit of the program, fork, and what remains."""

import signal
import threading

import pytest
from support import PATIENCE, run_script, wait_until
from support.programs import interrupt_program
from support.worker_targets import serve, serve_and_spin

import xichan

pytest.importorskip("concurrent.interpreters")


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
        for number in range(3):
            try:
                tx.send(number)  # in the block, so that the interrupt that follows arrives in it
                while True:
                    pass
            except xichan.Interrupted:
                pass
        tx.send("end")

    tx, rx = xichan.channel(None)
    with xichan.Workers(1, target, tx) as workers:
        workers.ready(PATIENCE)
        for number in range(3):
            assert rx.recv(PATIENCE) == number
            workers.interrupt(0)
        assert rx.recv(PATIENCE) == "end"


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
