"""The pinned interpreter. Each test runs in a process of its own, because what it loads stays there."""

import os
import signal
import textwrap

import pytest
from support.pinned_modules import PROLOGUE, build, run_program
from support.programs import interrupt_program

pytest.importorskip("concurrent.interpreters")


@pytest.fixture(scope="session")
def modules(tmp_path_factory):
    return build(tmp_path_factory.mktemp("modules"))


@pytest.mark.parametrize("name", ["static", "single", "stateful"])
def test_refused_module_is_loaded_in_one_interpreter(modules, name):
    run_program(
        f"""
        with pinned_pool(2) as pool:
            first = pool.submit(home, "{name}").result()
            assert first != MAIN
            assert pool.submit(home, "{name}").result() == first
            assert list(pool.map(home, ["{name}"] * 20)) == [first] * 20
            assert list(pool.map(home, ["{name}"] * 20, chunksize=7)) == [first] * 20
            assert first not in set(pool.map(lambda _: tasks.interpreter_id(), range(20)))
            stats = pool.stats()
            assert stats.in_main == 0 and stats.in_pinned == 42 and stats.in_workers == 20, stats
            assert list(stats.reasons.values()) == [42], stats
        """,
        modules,
    )


def test_pinned_module_is_refused_everywhere_else(modules):
    run_program(
        """
        from concurrent import interpreters
        with pinned_pool() as pool:
            pool.submit(home, "static").result()
            for _ in range(2):
                kind, text = error_of(__import__, "static")
                assert kind is ImportError and "static is loaded in the pinned interpreter" in text, text
            interpreter = interpreters.create()
            try:
                interpreter.exec(f"import sys; sys.path.insert(0, {sys.argv[1]!r}); import static")
                raise AssertionError
            except interpreters.ExecutionFailed as error:
                assert "does not support loading in subinterpreters" in str(error)
            interpreter.close()
            assert pool.submit(home, "static").result() != MAIN
        assert error_of(__import__, "static")[0] is ImportError  # the interpreter still has it
        import single, zlib, _json
        """,
        modules,
    )


@pytest.mark.parametrize("name", ["static", "single", "stateful"])
def test_module_that_main_has_loaded_runs_in_main(modules, name):
    run_program(
        f"""
        import {name}
        def nested():  # loads it in the pinned interpreter after another one
            import {"single" if name != "single" else "static"}
            return home("{name}")
        with pinned_pool() as pool:
            assert pool.submit(home, "{name}").result() == MAIN
            assert pool.submit(lambda: {name}.home()).result() == MAIN
            assert pool.stats().in_main == 2 and pool.stats().in_pinned == 0
            error = pool.submit(nested).exception(PATIENCE)
            assert type(error) is ImportError and "is loaded in the pinned interpreter" in str(error), error
        """,
        modules,
    )


def test_module_that_main_loads_after_the_pool_was_created_runs_in_main(modules):
    run_program(
        """
        with pinned_pool() as pool:
            pool.submit(home, "single").result()
            import static
            for _ in range(20):
                assert pool.submit(home, "static").result() == MAIN
                assert pool.submit(home, "single").result() != MAIN
            assert pool.stats().in_main == 20 and pool.stats().failed == 0
        """,
        modules,
    )


def test_module_that_refuses_the_pinned_interpreter_runs_in_main(modules):
    run_program(
        """
        with pinned_pool() as pool:
            for _ in range(3):
                assert pool.submit(home, "stubborn").result() == MAIN
            def enabled():
                import faulthandler  # built in
                return tasks.interpreter_id()
            for _ in range(3):
                assert pool.submit(enabled).result() == MAIN
            stats = pool.stats()
            assert (stats.in_main, stats.in_pinned, stats.wasted) == (6, 0, 3), stats
            def static():
                import static
                return static.home()
            assert pool.submit(static).result() != MAIN
        import stubborn
        """,
        modules,
    )


def test_one_pool_uses_the_interpreter_at_a_time(modules):
    run_program(
        """
        import gc
        with pinned_pool() as pool:
            home_id = pool.submit(home, "static").result()
            kind, text = error_of(pinned_pool)
            assert kind is RuntimeError and "another pool with fallback='pinned' is open" in text
        pool = pinned_pool()  # without a task
        assert error_of(pinned_pool)[0] is RuntimeError
        pool.shutdown()
        pool = pinned_pool()
        def count():
            import static
            return static.count()
        assert [pool.submit(count).result() for _ in range(3)] == [1, 2, 3]
        assert pool.submit(home, "static").result() == home_id
        del pool
        gc.collect()
        def again():
            try:
                return pinned_pool()
            except RuntimeError:
                return None
        wait_until(lambda: (made := again()) is not None and (made.shutdown() or True))
        with pinned_pool(shared={"offset": 10}) as pool:
            assert pool.submit(lambda: count() + offset).result() == 14
        with pinned_pool() as pool:
            assert type(pool.submit(lambda: (count(), offset)).exception()) is NameError
        """,
        modules,
    )


def test_interpreter_is_not_replaced(modules):
    run_program(
        """
        def leave(name):
            __import__(name)
            sys.exit(3)
        with pinned_pool(restart_after=1, initializer=len, initargs=("",)) as pool:
            first = pool.submit(home, "static").result()
            assert [pool.submit(home, "static").result() for _ in range(5)] == [first] * 5
            error = pool.submit(leave, "static").exception()
            assert type(error) is xichan.BrokenWorker, error
            assert [pool.submit(home, "static").result() for _ in range(5)] == [first] * 5
        """,
        modules,
    )


def test_failing_initializer_breaks_the_pool_and_not_the_next_one(modules):
    run_program(
        """
        import logging
        logging.disable()
        def initialize(rx):
            if not rx.recv():
                raise ValueError("not here")
        tx, rx = xichan.channel(None)
        with pinned_pool(initializer=initialize, initargs=(rx,)) as pool:
            tx.send(True)
            assert pool.submit(tasks.square, 2).result() == 4
            tx.send(False)
            error = pool.submit(home, "static").exception()
            assert type(error) is xichan.BrokenInterpreterPool and "not here" in str(error), error
            assert error_of(pool.submit, tasks.square, 2)[0] is xichan.BrokenInterpreterPool
        with pinned_pool() as pool:
            assert pool.submit(home, "static").result() != MAIN
        """,
        modules,
    )


def test_interrupts_and_deadlines_reach_pinned_tasks(modules):
    run_program(
        """
        def spin(tx):
            import static
            tx.send(None)
            while True:
                pass
        tx, rx = xichan.channel(None)
        with pinned_pool() as pool:
            for _ in range(3):
                future = pool.submit(spin, tx)
                rx.recv()
                assert future.running() and future.running_for >= 0
                future.interrupt()
                assert type(future.exception(PATIENCE)) is xichan.TaskInterrupted
                assert pool.submit(home, "static").result(PATIENCE) != MAIN
            error = pool.with_options(deadline=0.05).submit(spin, tx).exception(PATIENCE)
            assert type(error) is xichan.TaskInterrupted and "deadline" in str(error)
            assert pool.stats().in_main == 0
        """,
        modules,
    )


def test_queued_pinned_tasks_can_be_cancelled(modules):
    run_program(
        """
        def block(started, gate):
            import static
            started.send(None)
            return gate.recv()
        started_tx, started = xichan.channel(None)
        release, gate = xichan.channel(None)
        with pinned_pool() as pool:
            pool.submit(home, "static").result()
            first = pool.submit(block, started_tx, gate)
            started.recv()
            futures = [pool.submit(home, "static") for _ in range(10)]
            assert futures[3].cancel() and not futures[4].running()
            assert first.running() and not first.cancel()
            release.send("value")
            assert first.result() == "value"
            assert sum(future.cancelled() for future in futures) == 1
            assert all(future.cancelled() or future.result() != MAIN for future in futures)
            first = pool.submit(block, started_tx, gate)
            started.recv()
            futures = [pool.submit(home, "static") for _ in range(10)]
            pool.shutdown(wait=False, cancel_futures=True)
            wait_until(lambda: all(future.cancelled() for future in futures))
            release.send("value")
        assert first.result() == "value"
        stats = pool.stats()
        assert stats.submitted == stats.finished + stats.cancelled and stats.queued == 0, stats
        """,
        modules,
    )


def test_endpoints_of_pinned_tasks(modules):
    run_program(
        """
        def send(tx, fail):
            import static
            tx.send("row")
            if fail:
                raise ValueError("failed")
        with pinned_pool() as pool:
            for _ in range(2):
                tx, rx = xichan.channel(None)
                pool.submit(send, tx, False).result()
                tx.close()
                assert list(rx) == ["row"]
                tx, rx = xichan.channel(None)
                future = pool.submit(send, tx, True)
                assert type(future.exception()) is ValueError
                tx.close()
                assert rx.recv() == "row"
                assert error_of(rx.recv)[0] is xichan.ChannelFailed
            assert pool.stats().in_main == 0
        """,
        modules,
    )


def test_exit_waits_for_a_pinned_task(modules):
    printed = run_program(
        """
        from xichan.pool import interrupt_safe
        tx, rx = xichan.channel(None)
        pool = pinned_pool()
        def work():
            import static
            tx.send(None)
            return gate.recv()
        release, gate = xichan.channel(None, name="gate")
        future = pool.submit(work)
        future.add_done_callback(lambda future: print(future.result()))
        rx.recv()
        import threading
        def later():
            wait_until(lambda: interrupt_safe.exit_begun)
            release.send("done")
        threading.Thread(target=later, daemon=True).start()
        """,
        modules,
    )
    assert printed == "done\n"


def test_ctrl_c_interrupts_a_pinned_task(modules, tmp_path):
    program = tmp_path / "program.py"
    source = """
    tx, rx = xichan.channel(None)
    def spin():
        import static
        tx.send(None)
        while True:
            pass
    with pinned_pool() as pool:
        future = pool.submit(spin)
        rx.recv()
        print("begun", flush=True)
        future.result()
    """
    prologue = PROLOGUE.replace("sys.argv[1]", repr(str(modules)))
    program.write_text(prologue + textwrap.dedent(source))
    status, (_, errors) = interrupt_program(program)
    assert status == -signal.SIGINT and "KeyboardInterrupt" in errors, errors


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
def test_child_of_fork_can_use_a_pinned_interpreter(modules):
    """CPython crashes in the child if the parent has interpreters then."""
    printed = run_program(
        """
        import os, warnings
        warnings.simplefilter("ignore")
        pool = pinned_pool()
        pid = os.fork()
        if not pid:
            import single
            with pinned_pool() as pool:
                print(pool.submit(home, "static").result() != MAIN, pool.submit(home, "single").result() == MAIN)
                print(error_of(__import__, "static")[0].__name__, flush=True)
            os._exit(0)
        print(os.waitpid(pid, 0)[1])
        with pool:
            assert pool.submit(home, "static").result() != MAIN
        """,
        modules,
    )
    assert printed == "True True\nImportError\n0\n"
