"""Modules that a worker refuses: recorded in stats(), warned of if a package goes on without them, routed to main.

faulthandler and readline refuse; ``swallowing`` goes on without faulthandler.
"""

import operator
import signal
import sys
import threading
import warnings

import pytest
from support import PATIENCE, extensions, run_script, wait_until
from support.pool_tasks import interpreter_id
from support.refusing_tasks import apply, is_fast, raises, swallow_and_wait, swallows_one_and_raises_another, where

import xichan
from xichan.dispatch import Dispatcher

pytest.importorskip("concurrent.interpreters")
from xichan.pool import refusals  # noqa: E402

SWALLOWING = """
try:
    import faulthandler
    fast = True
except ImportError:
    fast = False

def is_fast(*_):
    from support import pool_tasks
    return fast, pool_tasks.interpreter_id()
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The path of swallowing.py, which workers can import; no warning has been issued."""
    monkeypatch.setattr(refusals, "_warned", {})
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "swallowing.py"
    path.write_text(SWALLOWING)
    yield path
    sys.modules.pop("swallowing", None)


@pytest.fixture
def caught():
    """The RefusedModuleWarnings that are issued."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", xichan.RefusedModuleWarning)
        yield found


def refusal(name):
    return f"module {name} does not support loading in subinterpreters"


def test_stats_show_the_module_and_the_line_that_imports_it(package, caught):
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.stats().refused == {}
        assert pool.submit(is_fast).result(PATIENCE)[0] is False
        record = xichan.RefusedModule(refusal("faulthandler"), f"{package}:3", workers=1, degraded=True)
        assert pool.stats().refused == {"faulthandler": record}
        assert pool.submit(is_fast).result(PATIENCE)[0] is False
        assert pool.stats().refused == {"faulthandler": record}  # the interpreter has the package
        assert pool.stats().finished == 2


def test_warning_is_issued_once_per_module_and_program_at_the_import(package, caught):
    for _ in range(2):
        with xichan.InterpreterPoolExecutor(1, restart_after=1) as pool:
            for _ in range(2):
                pool.submit(is_fast).result(PATIENCE)
            assert pool.stats().refused["faulthandler"].workers == 2
    (warning,) = caught
    assert (warning.category, warning.filename, warning.lineno) == (xichan.RefusedModuleWarning, str(package), 3)
    assert str(warning.message) == (
        f"workers cannot load faulthandler: {refusal('faulthandler')}. "
        "swallowing goes on without it: it may be slower, or lack functions"
    )


def test_filter_finds_the_module_that_imports(package):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", category=xichan.RefusedModuleWarning, module="swallowing")
        with xichan.InterpreterPoolExecutor(1) as pool:
            pool.submit(is_fast).result(PATIENCE)
    assert found == []


def test_refusal_that_the_task_raises_is_recorded_without_a_warning(package, caught):
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert str(pool.submit(raises).exception(PATIENCE)) == refusal("readline")
        found = pool.stats().refused["readline"]
        assert (found.degraded, found.workers) == (False, 1) and "refusing_tasks.py:" in found.importer
    assert caught == []


def test_only_what_is_swallowed_is_degraded(package, caught):
    with xichan.InterpreterPoolExecutor(1) as pool:
        assert str(pool.submit(swallows_one_and_raises_another).exception(PATIENCE)) == refusal("readline")
        found = pool.stats().refused
        assert {name: found[name].degraded for name in found} == {"faulthandler": True, "readline": False}
    assert [warning.filename for warning in caught] == [str(package)]


def test_standard_library_does_without_what_it_cannot_load(package, caught):
    def complete():
        import rlcompleter

        return rlcompleter._readline_available

    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(complete).result(PATIENCE) is False
        assert pool.stats().refused["readline"].degraded is False
    assert caught == []


def test_tasks_of_chunks_and_a_refused_extension(package, caught, tmp_path):
    extensions.build(tmp_path, "_speedups")
    (tmp_path / "slow.py").write_text("try:\n    import _speedups\nexcept ImportError:\n    pass\n")

    def use(name):
        return __import__(name).__name__

    names = ["slow", "swallowing", "readline", "math"]
    with xichan.InterpreterPoolExecutor(1) as pool:
        results = pool.map(use, names, chunksize=4)
        assert [next(results), next(results)] == ["slow", "swallowing"]
        with pytest.raises(ImportError):
            next(results)
        found = pool.stats().refused
        degraded = {name: found[name].degraded for name in found}
        assert degraded == {"_speedups": True, "faulthandler": True, "readline": False}
    assert len(caught) == 2


def test_initializer_and_exit_and_threads_of_tasks_are_covered(package, caught):
    def initialize():
        import swallowing  # noqa: F401

    def leave():
        raises_quietly("readline")
        sys.exit()

    def raises_quietly(name):
        try:
            __import__(name)
        except ImportError:
            pass

    def start():
        thread = threading.Thread(target=raises_quietly, args=("_curses",))
        thread.start()
        thread.join()

    with xichan.InterpreterPoolExecutor(1, initializer=initialize) as pool:
        assert isinstance(pool.submit(leave).exception(PATIENCE), xichan.BrokenWorker)
        pool.submit(start).result(PATIENCE)
        assert pool.stats().refused.keys() == {"faulthandler", "readline", "_curses"}
        assert pool.stats().refused["faulthandler"].workers == 2
    assert len(caught) == 3


def test_finalizers_in_a_worker_may_import(package, caught):
    def work():
        class Importing:
            def __del__(self):
                import swallowing  # noqa: F401

        Importing()
        cycle = Importing()
        cycle.itself = cycle
        try:
            import faulthandler  # noqa: F401
        except ImportError:
            return "refused"

    with xichan.InterpreterPoolExecutor(1) as pool:
        assert pool.submit(work).result(PATIENCE) == "refused"
        assert pool.stats().refused["faulthandler"].importer == f"{package}:3"


def test_signal_handler_may_use_the_pool_while_modules_are_refused(package, caught):
    seen = []

    def handler(*_):
        seen.append((pool.submit(is_fast).result(PATIENCE)[0], "faulthandler" in pool.stats().refused))

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with xichan.InterpreterPoolExecutor(1, restart_after=1) as pool:
            for delay in (0.001, 0.005, 0.02):
                signal.setitimer(signal.ITIMER_REAL, delay)
                assert pool.submit(is_fast).result(PATIENCE)[0] is False
            wait_until(lambda: len(seen) == 3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(seen) == {(False, True)} and len(caught) == 1


def test_warning_hook_may_use_the_pool(package, monkeypatch):
    seen = []

    def show(*_):
        seen.append(pool.submit(is_fast).result(PATIENCE)[0])

    with warnings.catch_warnings(), xichan.InterpreterPoolExecutor(1) as pool:
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", show)
        assert pool.submit(is_fast).result(PATIENCE)[0] is False
        wait_until(lambda: seen)
    assert seen == [False]


def test_warning_that_is_an_error_goes_to_the_excepthook(package, monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", lambda args: seen.append(args.exc_type))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with xichan.InterpreterPoolExecutor(1) as pool:
            assert pool.submit(is_fast).result(PATIENCE)[0] is False
    assert seen == [xichan.RefusedModuleWarning]


def test_degraded_ignore_only_records(package, caught):
    with xichan.InterpreterPoolExecutor(1, degraded="ignore") as pool:
        pool.submit(is_fast).result(PATIENCE)
        assert pool.stats().refused["faulthandler"].degraded
    assert caught == []


def test_degraded_main_runs_later_calls_in_the_main_interpreter(package, caught):
    main = interpreter_id()
    with xichan.InterpreterPoolExecutor(1, fallback="main", degraded="main") as pool:
        fast, place = pool.submit(is_fast).result(PATIENCE)
        assert not fast and place != main
        assert pool.submit(is_fast).result(PATIENCE) == (True, main)
        assert list(pool.map(is_fast, range(4), chunksize=2)) == [(True, main)] * 4
        assert pool.submit(where).result(PATIENCE) != main
        stats = pool.stats()
        assert (stats.in_workers, stats.in_main) == (2, 5)
        assert stats.reasons == {refusal("faulthandler").removeprefix("module "): 5}
    assert caught == []


def test_degraded_main_takes_back_calls_that_are_queued(package):
    main = interpreter_id()
    tx, rx = xichan.channel(1)
    with tx, rx, xichan.InterpreterPoolExecutor(1, fallback="main", degraded="main") as pool:
        first = pool.submit(is_fast, 0)
        waiting = pool.submit(operator.methodcaller("recv"), rx)  # the worker runs nothing else meanwhile
        queued = [pool.submit(is_fast, number) for number in range(50)]
        wait_until(lambda: pool.stats().in_main == 50)
        tx.send(None)
        assert waiting.result(PATIENCE) is None
        assert first.result(PATIENCE)[1] != main
        assert [future.result(PATIENCE) for future in queued] == [(True, main)] * 50


def test_degraded_main_distinguishes_the_functions_among_arguments(package):
    main = interpreter_id()
    with xichan.InterpreterPoolExecutor(1, fallback="main", degraded="main") as pool:
        functions = [is_fast, where] * 3
        found = [pool.submit(apply, function).result(PATIENCE) for function in functions]
        assert [place[1] == main for place in found[2::2]] == [True, True]
        assert [place == main for place in found[1::2]] == [False] * 3


@pytest.mark.parametrize("owner", ["pinned", "main"])
def test_degraded_main_uses_the_pinned_interpreter_if_that_may_load_the_module(package, owner):
    run_script(f"""
    import sys
    sys.path.insert(0, {str(package.parent)!r})
    with open({str(package)!r}) as file:
        source = file.read().replace("faulthandler", "_curses")
    with open({str(package.with_name("curses_user.py"))!r}, "w") as file:
        file.write(source)
    import xichan
    from support.pool_tasks import interpreter_id
    def is_fast():
        import curses_user
        return curses_user.is_fast()
    if {owner!r} == "main":
        import _curses
    with xichan.InterpreterPoolExecutor(1, fallback="pinned", degraded="main") as pool:
        found = [pool.submit(is_fast).result() for _ in range(4)]
        stats = pool.stats()
    main, owner = interpreter_id(), {owner!r}
    assert [fast for fast, _ in found] == [False, True, True, True], found
    assert len({{place for _, place in found[1:]}}) == 1 and found[0][1] != found[1][1]
    assert (found[1][1] == main) == (owner == "main"), found
    assert (stats.in_pinned, stats.in_main) == ((3, 0) if owner == "pinned" else (0, 3)), stats
    assert stats.refused["_curses"].degraded
    """)


def test_degraded_main_learns_from_the_import_of_the_function(package, caught):
    import swallowing

    main = interpreter_id()
    with xichan.InterpreterPoolExecutor(1, fallback="main", degraded="main") as pool:
        assert list(pool.map(swallowing.is_fast, range(3), chunksize=3))[0][0] is False
        assert pool.submit(swallowing.is_fast).result(PATIENCE) == (True, main)
        assert pool.submit(lambda: swallowing.is_fast()).result(PATIENCE) == (True, main)
        assert pool.submit(where).result(PATIENCE) != main


def test_degraded_main_respects_the_lists_of_a_dispatcher(package):
    main = interpreter_id()
    with xichan.InterpreterPoolExecutor(1, fallback="main", degraded="main") as pool:
        for anywhere in ([is_fast], ["faulthandler"]):
            with_list = Dispatcher(pool, anywhere=anywhere)
            for _ in range(2):
                assert with_list.submit(is_fast).result(PATIENCE)[1] != main
            with_list._policy.join()


def test_task_that_raises_the_refusal_falls_back_and_is_not_degraded(package, caught):
    def enabled():
        import faulthandler

        return faulthandler.is_enabled() in (False, True), interpreter_id()

    with xichan.InterpreterPoolExecutor(1, fallback="main") as pool:
        assert pool.submit(enabled).result(PATIENCE) == (True, interpreter_id())
        assert pool.stats().refused["faulthandler"].degraded is False
    assert caught == []


def test_other_values_of_degraded_are_refused():
    with pytest.raises(ValueError, match="degraded must be 'warn', 'ignore' or 'main', got None"):
        xichan.InterpreterPoolExecutor(degraded=None)
    with pytest.raises(ValueError, match="degraded='main' .* requires fallback='main' or 'pinned'"):
        xichan.InterpreterPoolExecutor(degraded="main")
    with pytest.raises(ValueError, match="degraded must be 'warn' or 'ignore', got 'main'"):
        xichan.Workers(1, where, degraded="main")


def test_workers_report_while_they_run(package, caught):
    with xichan.Workers(2, swallow_and_wait) as workers:
        workers.ready(PATIENCE)
        record = xichan.RefusedModule(refusal("faulthandler"), f"{package}:3", workers=2, degraded=True)
        assert workers.refused == {"faulthandler": record}
        workers.stop()
    assert workers.refused == {"faulthandler": record}
    assert [warning.filename for warning in caught] == [str(package)]


@pytest.mark.parametrize("standby", [0, 1])
def test_preloaded_package_that_goes_on_without_a_module_is_reported(package, caught, standby):
    record = xichan.RefusedModule(refusal("faulthandler"), f"{package}:3", workers=1, degraded=True)
    with xichan.InterpreterPoolExecutor(1, preload=["swallowing"], standby=standby) as pool:
        wait_until(lambda: pool.stats().standby == standby)
        assert pool.submit(where).result(PATIENCE) != interpreter_id()
        wait_until(lambda: pool.stats().refused == {"faulthandler": record})
    with xichan.Workers(1, swallow_and_wait, preload=["swallowing"], standby=standby) as workers:
        workers.ready(PATIENCE)
        wait_until(lambda: workers.refused == {"faulthandler": record})
        workers.stop()
    assert len(caught) == 1


def test_workers_that_ignore_and_that_fail(package, caught):
    with xichan.Workers(1, is_fast, degraded="ignore") as workers:
        pass
    assert workers.refused["faulthandler"].workers == 1 and caught == []
    with pytest.raises(ImportError), xichan.Workers(1, raises, restart=1, degraded="ignore") as workers:
        pass
    assert workers.refused["readline"].workers == 2


def test_array_without_numpy_in_the_worker_is_reported(package, caught):
    numpy = pytest.importorskip("numpy")

    def name(value):
        return type(value).__name__

    with xichan.InterpreterPoolExecutor(1) as pool:
        found = pool.submit(name, numpy.zeros(3)).result(PATIENCE)
        refused = pool.stats().refused
    assert (found == "ArrayView") == any(name.startswith("numpy.") for name in refused)
    assert not any(record.degraded or record.importer for record in refused.values()) and caught == []


def test_program_that_ends_with_reports_on_their_way(package):
    for _ in range(2):
        done = run_script(f"""
        import sys, threading
        sys.path.insert(0, {str(package.parent)!r})
        import xichan
        def work(n):
            import swallowing
            return swallowing.fast
        def linger():
            xichan.worker().ready()
            threading.Event().wait()
        pool = xichan.InterpreterPoolExecutor(2, restart_after=1)
        futures = [pool.submit(work, n) for n in range(8)]
        print(futures[0].result())
        """)
        assert done.stdout == "False\n"
        assert done.stderr.count("RefusedModuleWarning") == 1 and "import faulthandler" in done.stderr


def test_time_of_a_start_is_not_spent_on_what_is_not_refused():
    """A worker imports nothing more for the watch than modules that Python has loaded anyway."""
    with xichan.InterpreterPoolExecutor(1) as pool:
        loaded = set(pool.run_string("import sys; result = list(sys.modules)").result(PATIENCE))
    assert not loaded & {"dataclasses", "inspect", "xichan._stats", "xichan._probe", "xichan.pool.refusals"}
