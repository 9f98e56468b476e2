"""Interpreters on standby, and modules that workers import at their start: standby=, preload=."""

import sys
import threading

import pytest
from support import PATIENCE, run_python, run_script, wait_until
from support import pool_tasks as tasks

import xichan

interpreters = pytest.importorskip("concurrent.interpreters")


def ready(pool, number):
    wait_until(lambda: pool.stats().standby == number)


def test_worker_takes_an_interpreter_that_is_ready():
    with xichan.InterpreterPoolExecutor(2, standby=2) as pool:
        ready(pool, 2)
        assert pool.stats().workers == 0
        kept = {interpreter.id for interpreter in interpreters.list_all()}
        assert pool.submit(tasks.interpreter_id).result(PATIENCE) in kept
        ready(pool, 2)


def test_replacement_takes_an_interpreter_that_is_ready():
    with xichan.InterpreterPoolExecutor(1, standby=1, restart_after=1) as pool:
        seen = []
        for _ in range(5):
            ready(pool, 1)
            kept = {interpreter.id for interpreter in interpreters.list_all()}
            seen.append(pool.submit(tasks.interpreter_id).result(PATIENCE))
            assert seen[-1] in kept
        assert len(set(seen)) == 5
    with xichan.InterpreterPoolExecutor(1, standby=1) as pool:
        ready(pool, 1)
        first = pool.submit(tasks.interpreter_id).result(PATIENCE)
        ready(pool, 1)
        kept = {interpreter.id for interpreter in interpreters.list_all()} - {first}
        leaving = pool.submit(tasks.leave)
        assert pool.submit(tasks.interpreter_id).result(PATIENCE) in kept
        assert isinstance(leaving.exception(), xichan.BrokenWorker)


def test_more_workers_than_interpreters_on_standby():
    with xichan.InterpreterPoolExecutor(4, standby=1, restart_after=2) as pool:
        assert list(pool.map(tasks.square, range(40))) == [n * n for n in range(40)]


def test_initializer_runs_in_workers_only():
    tx, rx = xichan.channel(None)
    with xichan.InterpreterPoolExecutor(2, standby=2, initializer=tasks.initialize, initargs=(tx, 5)) as pool:
        ready(pool, 2)
        assert len(rx) == 0
        worker = pool.submit(tasks.interpreter_id).result(PATIENCE)
        assert pool.submit(tasks.initialized).result(PATIENCE) == 5
        assert worker in rx.drain()


def test_preload_is_imported_in_workers_and_on_standby():
    assert "wave" not in sys.modules
    for standby in 0, 1:
        with xichan.InterpreterPoolExecutor(1, standby=standby, preload=("wave", "xml.dom")) as pool:
            ready(pool, standby)
            for module in "wave", "xml.dom":
                assert pool.submit(tasks.loaded, module).result(PATIENCE)
            assert not pool.submit(tasks.loaded, "sndhdr").result(PATIENCE)


@pytest.mark.parametrize("standby", [0, 1])
def test_failing_preload_breaks_the_pool(standby, caplog):
    with xichan.InterpreterPoolExecutor(2, standby=standby, preload=["json", "no_such_module"]) as pool:
        future = pool.submit(tasks.square, 1)
        error = future.exception(PATIENCE)
        assert isinstance(error, xichan.BrokenInterpreterPool)
        reason = "ModuleNotFoundError: No module named 'no_such_module'"
        assert str(error) == f"a worker failed: module 'no_such_module' of preload= cannot be imported: {reason}"
        with pytest.raises(xichan.BrokenInterpreterPool):
            pool.submit(tasks.square, 1)
        assert pool.stats().standby == 0


def test_traceback_of_a_preload_begins_in_its_module(monkeypatch, tmp_path, caplog):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "failing_preload.py").write_text("def fail():\n    raise LookupError('not today')\n\nfail()\n")
    with xichan.InterpreterPoolExecutor(1, preload=["failing_preload"]) as pool:
        error = pool.submit(tasks.square, 1).exception(PATIENCE)
    first, *lines = str(error).splitlines()
    assert first.startswith("a worker failed: module 'failing_preload' of preload= cannot be imported: Traceback")
    places = [line.split(", ")[:2] for line in lines if line.startswith("  File")]
    file = f'  File "{tmp_path / "failing_preload.py"}"'
    assert places == [[file, "line 4"], [file, "line 2"]] and lines[-1] == "LookupError: not today"


def test_failing_preload_on_standby_is_reported(caplog):
    with xichan.InterpreterPoolExecutor(1, standby=1, preload=["no_such_module"], thread_name_prefix="the pool"):
        wait_until(lambda: "cannot keep an interpreter ready" in caplog.text)
        assert "the pool_standby cannot keep an interpreter ready: module 'no_such_module' of preload=" in caplog.text


def test_pool_goes_on_when_no_interpreter_can_be_kept_ready(monkeypatch, caplog):
    create = interpreters.create

    def fail_on_standby():
        if threading.current_thread().name.endswith("_standby"):
            raise interpreters.InterpreterError("no memory")
        return create()

    monkeypatch.setattr(interpreters, "create", fail_on_standby)
    with xichan.InterpreterPoolExecutor(1, standby=1, restart_after=1) as pool:
        wait_until(lambda: "cannot keep an interpreter ready: no memory" in caplog.text)
        for n in range(3):
            assert pool.submit(tasks.square, n).result(PATIENCE) == n * n
        monkeypatch.undo()
        assert pool.submit(tasks.square, 5).result(PATIENCE) == 25  # its worker asks for one again
        ready(pool, 1)


def test_no_thread_for_the_standby(monkeypatch, caplog):
    start = threading.Thread.start

    def fail(thread):
        if thread.name.endswith("_standby"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)
    with xichan.InterpreterPoolExecutor(1, standby=1) as pool:
        assert pool.submit(tasks.square, 2).result(PATIENCE) == 4
        assert pool.stats().standby == 0
    assert "cannot keep an interpreter ready: can't start new thread" in caplog.text


@pytest.mark.parametrize("end", ["shutdown", "no wait", "drop", "broken", "at once"])
def test_no_interpreter_is_left(end):
    before = len(interpreters.list_all())
    initializer = tasks.fail_to_initialize if end == "broken" else None
    pool = xichan.InterpreterPoolExecutor(2, standby=2, initializer=initializer)
    if end != "at once":
        ready(pool, 2)
    if end == "broken":
        assert isinstance(pool.submit(tasks.square, 1).exception(PATIENCE), xichan.BrokenInterpreterPool)
    if end == "no wait":
        future = pool.submit(tasks.square, 3)
        pool.shutdown(wait=False)
        assert future.result(PATIENCE) == 9
    elif end != "drop":
        pool.shutdown()
        assert len(interpreters.list_all()) == before
    del pool
    wait_until(lambda: len(interpreters.list_all()) == before)


def test_sys_path_is_that_of_the_start_of_a_worker(tmp_path, monkeypatch):
    with xichan.InterpreterPoolExecutor(1, standby=1) as pool:
        ready(pool, 1)
        (tmp_path / "module_of_the_test.py").write_text("number = 7\n")
        monkeypatch.syspath_prepend(tmp_path)
        assert pool.submit(eval, "__import__('module_of_the_test').number").result(PATIENCE) == 7


def test_pool_in_a_worker_has_interpreters_on_standby(pool):
    def nested():
        from support import pool_tasks as tasks
        from support import wait_until

        import xichan

        with xichan.InterpreterPoolExecutor(1, standby=1) as inner:
            wait_until(lambda: inner.stats().standby == 1)
            return inner.submit(tasks.square, 3).result()

    assert pool.submit(nested).result(PATIENCE) == 9


@pytest.mark.parametrize("arguments, error", [
    ({"standby": -1}, ValueError), ({"standby": True}, TypeError), ({"standby": "1"}, TypeError),
    ({"preload": "json"}, TypeError), ({"preload": [1]}, TypeError), ({"preload": 1}, TypeError),
])  # fmt: skip
def test_invalid_arguments_are_rejected(arguments, error):
    with pytest.raises(error, match=None if arguments == {"preload": 1} else next(iter(arguments))):
        xichan.InterpreterPoolExecutor(1, **arguments)


@pytest.mark.parametrize("moment", ["ready", "at once", "during a task"])
def test_the_program_exits_with_interpreters_on_standby(moment):
    run_script(
        f"""
        import time, xichan
        pool = xichan.InterpreterPoolExecutor(1, standby=2)
        if {moment!r} != "at once":
            while pool.stats().standby < 2: time.sleep(0.001)
        if {moment!r} == "during a task":
            pool.submit(time.sleep, 0.1)
        """,
        timeout=PATIENCE,
    )


def test_fork_leaves_the_parent_with_its_interpreters():
    run_script(
        """
        import os, time, warnings, xichan
        warnings.simplefilter("ignore", DeprecationWarning)
        pool = xichan.InterpreterPoolExecutor(1, standby=2)
        while pool.stats().standby < 2: time.sleep(0.001)
        child = os.fork()  # CPython crashes in the child while there are other interpreters
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        assert pool.submit(len, "abc").result(30) == 3
        pool.shutdown()
        """,
        timeout=PATIENCE,
    )


@pytest.mark.skipif(not hasattr(sys, "set_lazy_imports"), reason="needs CPython 3.15")
def test_workers_import_as_lazily_as_the_program(tmp_path, monkeypatch):
    def imports():
        import sys

        import module_with_imports  # noqa: F401

        return sys.get_lazy_imports(), "wave" in sys.modules

    (tmp_path / "module_with_imports.py").write_text("import wave\n")
    monkeypatch.syspath_prepend(tmp_path)
    for mode in "normal", "all":
        sys.set_lazy_imports(mode)
        try:
            for preload in (), ("module_with_imports",):
                with xichan.InterpreterPoolExecutor(1, preload=preload) as pool:
                    found = pool.submit(imports).result(PATIENCE)
                    assert found == (mode, mode == "normal" or bool(preload))
        finally:
            sys.set_lazy_imports("normal")


@pytest.mark.skipif(not hasattr(sys, "set_lazy_imports"), reason="needs CPython 3.15")
def test_program_and_workers_with_lazy_imports():
    run_python(
        *("-X", "lazy_imports=all", "-c"),
        """if True:
        import json, sys, xichan
        from decimal import Decimal
        def take(queue, rx):
            assert Decimal(json.dumps(1)) == 1
            return queue.get(), sys.get_lazy_imports(), rx.recv().get()
        queue = xichan.Queue()
        queue.put(1)
        queue.put(2)
        tx, rx = xichan.channel()
        tx.send(queue)
        with xichan.InterpreterPoolExecutor(1, standby=1, context=True) as pool:
            assert pool.submit(take, queue, rx).result(30) == (1, "all", 2)
        """,
    )
