"""Which calls are tried in workers, and which run in the main interpreter at once. faulthandler refuses workers."""

import sys

import pytest
from support import PATIENCE, wait_until
from support import pool_tasks as tasks

import xichan
from xichan import dispatch

pytest.importorskip("concurrent.interpreters")

from xichan.pool.learning import FIRST_PAUSE, LONGEST_PAUSE, WINDOW, History  # noqa: E402

REASON = "faulthandler does not support loading in subinterpreters"


def handle(name):
    """Import what a request names; return the interpreter."""
    __import__(name)
    return tasks.interpreter_id()


def refuse(number):
    import faulthandler

    return number, faulthandler.is_enabled() in (True, False)


def call(function, number):
    return function(number)


@pytest.fixture
def pool():
    with xichan.InterpreterPoolExecutor(1, fallback="main") as made:
        yield made


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder whose modules workers and this interpreter find; they are forgotten at the end."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def where(pool, *calls):
    """Make calls one after the other; return whether each ran in the main interpreter."""
    main = tasks.interpreter_id()
    return [pool.submit(*call).result(PATIENCE) == main for call in calls]


# Which calls are tried


def test_handler_that_meets_a_refused_module_stays_in_workers(pool):
    before = where(pool, *[(handle, "json")] * 3)
    assert where(pool, (handle, "faulthandler")) == [True]
    assert [*before, *where(pool, *[(handle, "json")] * 20)] == [False] * 23
    assert where(pool, *[(handle, "faulthandler"), (handle, "json")] * 10) == [True, False] * 10
    stats = pool.stats()
    assert (stats.in_workers, stats.in_main, stats.wasted) == (33, 11, 11)
    assert stats.reasons == {REASON: 11}


def test_handler_whose_first_call_is_refused_returns_to_workers(pool):
    assert where(pool, (handle, "faulthandler")) == [True]
    calls = [(handle, "json")] * (FIRST_PAUSE + 20)
    assert where(pool, *calls) == [True] * FIRST_PAUSE + [False] * 20
    assert pool.stats().wasted == 1


def test_function_that_is_always_refused_is_seldom_tried(pool):
    number = 2000
    for n in range(number):
        assert pool.submit(refuse, n).result(PATIENCE) == (n, True)
        if n == FIRST_PAUSE:
            assert pool.stats().wasted == 1
    stats = pool.stats()
    assert stats.in_main == number and stats.in_workers == 0
    doublings = (LONGEST_PAUSE // FIRST_PAUSE).bit_length() - 1
    assert stats.wasted <= 1 + doublings + number / (LONGEST_PAUSE + 1)


def test_functions_among_the_arguments_are_told_apart(pool):
    main = tasks.interpreter_id()
    for function, elsewhere in ((refuse, True), (tasks.identity, False)) * 3:
        pool.submit(call, function, 1).result(PATIENCE)
        before = pool.stats().in_main
        pool.submit(call, function, 1).result(PATIENCE)
        assert pool.stats().in_main - before == elsewhere
    assert pool.stats().wasted == 1
    assert pool.submit(tasks.interpreter_id).result(PATIENCE) != main


def test_history_counts_the_last_attempts():
    history = History()
    for _ in range(100):
        history.succeeded()
    refusals = [history.refused(0) for _ in range(WINDOW)]
    assert refusals.index(True) + 1 == 14  # of 16
    assert history.direct == 2 * FIRST_PAUSE * 2  # a refusal while calls make no attempt counts as well
    history.succeeded()
    assert not history.skips_attempt()
    assert [history.refused(0) for _ in range(7)] == [False] * 6 + [True]
    assert [history.skips_attempt() for _ in range(FIRST_PAUSE + 1)] == [True] * FIRST_PAUSE + [False]


def test_history_of_attempts_that_run_at_the_same_time():
    history = History()
    assert history.refused(7) and history.direct == FIRST_PAUSE
    assert not any(history.refused(7 - n) for n in range(7)) and history.direct == FIRST_PAUSE
    assert history.refused(0) and history.direct == 2 * FIRST_PAUSE


# Calls that are queued


@pytest.fixture
def gate():
    """A Receiver that tasks in workers wait for, and a function that lets one go on whenever one waits."""
    tx, rx = xichan.channel(None)

    def open_until(condition):
        def step():
            if rx.stats().waiting_receivers and not len(tx):
                tx.send(None)
            return condition()

        wait_until(step)

    with tx, rx:
        yield rx, open_until


@pytest.mark.parametrize("chunksize", [1, 4])
def test_queued_calls_are_taken_back(pool, gate, chunksize):
    rx, open_until = gate
    main = tasks.interpreter_id()

    def refuse_after_token(number):
        if tasks.interpreter_id() != main:
            rx.recv()
            import faulthandler  # noqa: F401
        return number

    results = pool.map(refuse_after_token, range(120), chunksize=chunksize)
    open_until(lambda: pool.stats().in_main == 120)
    assert list(results) == list(range(120))
    stats = pool.stats()
    assert stats.in_main == stats.finished == 120
    # Pauses of 8, 16, 32 and 64 calls; the worker may take others before a refusal has been handled.
    assert stats.wasted <= 3 * 4 * chunksize


def test_queued_calls_with_a_buffer_stay_in_the_queue(pool, gate):
    rx, open_until = gate
    main = tasks.interpreter_id()

    def refuse_first(buffers):
        if buffers:
            return bytes(memoryview(buffers[0])), tasks.interpreter_id() == main
        if tasks.interpreter_id() != main:
            rx.recv()
            import faulthandler  # noqa: F401

    first = pool.submit(refuse_first, [])
    others = [pool.submit(refuse_first, [xichan.Buffer(2)]) for _ in range(3)]
    open_until(lambda: first.done())
    assert [future.result(PATIENCE) for future in others] == [(b"\0\0", False)] * 3


def test_call_that_was_taken_back_can_be_cancelled(gate):
    rx, open_until = gate
    hold, release = xichan.channel(None)[::-1]
    main = tasks.interpreter_id()

    def refuse_after_token(wait):
        if tasks.interpreter_id() == main:
            return wait and hold.recv()
        rx.recv()
        import faulthandler  # noqa: F401

    pool = xichan.InterpreterPoolExecutor(1)
    with dispatch.Dispatcher(pool, max_threads=1) as dispatcher:
        first = dispatcher.submit(refuse_after_token, True)
        others = [dispatcher.submit(refuse_after_token, False) for _ in range(5)]
        open_until(lambda: dispatcher.stats().in_main == 6)
        assert others[2].cancel() and not others[2].running()
        release.send("value")
        assert first.result(PATIENCE) == "value"
        assert [future.result(PATIENCE) for future in others if future is not others[2]] == [False] * 4
    assert pool.stats().cancelled == 1


# What calls show before they run


def test_functions_of_a_module_whose_import_fails_run_in_main_at_once(pool, folder):
    folder.joinpath("needing.py").write_text(
        "import faulthandler\n"
        "from support.pool_tasks import interpreter_id\n"
        "def one(): return interpreter_id()\n"
        "def two(function=None): return interpreter_id()\n"
        "def apply(function): return function()\n"
    )
    import needing

    calls = [(needing.one,), (needing.two,), (needing.apply, needing.one), (lambda: needing.one(),)]
    assert where(pool, *calls) == [True] * 4
    assert pool.stats().wasted == 1
    assert where(pool, *calls * 20) == [True] * 80
    assert pool.stats().wasted == 1  # it is certain
    assert pool.stats().reasons == {REASON: 84}


def test_queued_calls_that_are_certain_to_be_refused_are_all_taken_back(folder):
    folder.joinpath("needing.py").write_text("import faulthandler\ndef identity(value): return value\n")
    import needing

    tx, rx = xichan.channel(None)
    with xichan.InterpreterPoolExecutor(1, fallback="main") as pool:
        blocker = pool.submit(rx.recv)
        wait_until(blocker.running)
        results = [pool.map(needing.identity, range(500)) for _ in range(2)]
        tx.send(None)
        assert list(map(list, results)) == [list(range(500))] * 2
        assert pool.stats().in_main == 1000


def test_module_that_handles_the_refusal_stays_in_workers(pool, folder):
    package = folder / "careful"
    package.mkdir()
    package.joinpath("__init__.py").write_text(
        "from support.pool_tasks import interpreter_id\n"
        "try:\n    import faulthandler\nexcept ImportError:\n    pass\n"
        "def light(): return interpreter_id()\n"
        "def heavy():\n    from careful import needing\n    return interpreter_id()\n"
    )
    package.joinpath("needing.py").write_text("import faulthandler\ndef one(): pass\n")
    import careful

    assert where(pool, (careful.light,), (careful.heavy,), (careful.light,)) == [False, True, False]
    assert where(pool, (lambda: careful.light(),)) == [False]


def test_refused_module_is_not_searched_again(folder):
    folder.joinpath("counting.py").write_text(
        "import sys\nsys.times_counted = getattr(sys, 'times_counted', 0) + 1\nimport faulthandler\n"
    )

    def attempt():
        import importlib.util

        assert importlib.util.find_spec("counting") is not None
        import counting  # noqa: F401

    def times_counted():
        return sys.times_counted

    def add_path():
        sys.path.append("elsewhere")

    with xichan.InterpreterPoolExecutor(1) as pool:
        dispatcher = dispatch.Dispatcher(pool, anywhere=[attempt, times_counted])
        errors = [dispatcher.submit(attempt).exception(PATIENCE) for _ in range(3)]
        assert [type(error) for error in errors] == [ImportError] * 3
        assert str(errors[0]) == f"module {REASON}"
        assert str(errors[2]) == f"cannot import counting, because module {REASON}"
        assert dispatcher.submit(times_counted).result(PATIENCE) == 1
        dispatcher.submit(add_path).result(PATIENCE)  # where it may be another one
        assert str(dispatcher.submit(attempt).exception(PATIENCE)) == f"module {REASON}"
        assert dispatcher.submit(times_counted).result(PATIENCE) == 2


def test_pool_without_fallback_imports_as_usual(folder):
    folder.joinpath("failing.py").write_text("import faulthandler\n")

    def attempt():
        import failing  # noqa: F401

    with xichan.InterpreterPoolExecutor(1) as pool:
        errors = [pool.submit(attempt).exception(PATIENCE) for _ in range(2)]
        assert [str(error) for error in errors] == [f"module {REASON}"] * 2


# Streams, interrupts, statistics


def test_each_task_ends_once_when_many_threads_submit(pool):
    futures = []

    def submit():
        for n in range(200):
            futures.append((n, pool.submit(call, refuse if n % 3 else tasks.square, n)))

    from support import Call

    calls = [Call(submit) for _ in range(3)]
    for each in calls:
        each.result()
    for n, future in futures:
        assert future.result(PATIENCE) == ((n, True) if n % 3 else n * n)
    stats = pool.stats()
    assert stats.submitted == stats.finished == stats.in_workers + stats.in_main == 600
    assert stats.in_workers == 3 * 67


def test_failed_and_refused_tasks_are_counted(pool):
    assert isinstance(pool.submit(tasks.divide, 1, 0).exception(PATIENCE), ZeroDivisionError)
    pool.submit(refuse, 1).result(PATIENCE)
    stats = pool.stats()
    assert (stats.failed, stats.finished, stats.in_workers, stats.in_main, stats.wasted) == (1, 1, 1, 1, 1)
    assert stats.in_pinned == 0
    with dispatch.Dispatcher(xichan.InterpreterPoolExecutor(1)) as dispatcher:
        dispatcher.submit(refuse, 1).result(PATIENCE)
        assert dispatcher.stats() == dispatch.DispatchStats(0, 1, {REASON: 1}, 1)


def test_kinds_of_calls_are_bounded(pool):
    from xichan.pool.call_kinds import MOST_KINDS

    for n in range(MOST_KINDS + 50):
        namespace = {"__name__": "__main__"}
        exec(f"def f{n}(): return {n}", namespace)
        pool._policy.kind(namespace[f"f{n}"], (), {}, ())
    assert len(pool._policy._kinds._known) == MOST_KINDS
