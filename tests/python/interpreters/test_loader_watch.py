"""Refused modules are reported where they are loaded. faulthandler, which is built in, and readline are examples."""

import textwrap

import pytest
from support import extensions, interpreter, run_script

import xichan
from xichan import _loader_watch

pytest.importorskip("concurrent.interpreters")

PROLOGUE = """
import importlib.util, sys, traceback
from xichan import _loader_watch

def failure(name):
    try:
        __import__(name)
    except ImportError as error:
        return str(error)

def report(name, reason):
    tx.send((name, reason))
"""


def run(source, *folders):
    """Run source in a new interpreter; return what it has sent. report() sends refusals."""
    tx, rx = xichan.channel(None)
    with tx, rx, interpreter(tx=tx) as interp:
        interp.exec(f"import sys; sys.path[:0] = {[str(folder) for folder in folders]!r}")
        interp.exec(PROLOGUE + textwrap.dedent(source))
        return list(rx.drain())


def refusal(name):
    return name, f"module {name} does not support loading in subinterpreters"


def test_each_refused_module_is_reported_once():
    assert run("""
    _loader_watch.install(report)
    for _ in range(3):
        for name in "faulthandler", "readline", "math", "zlib", "no_such_module":
            tx.send(failure(name))
    assert list(_loader_watch.refused) == ["faulthandler", "readline"]
    """)[:4] == [refusal("faulthandler"), refusal("faulthandler")[1], refusal("readline"), refusal("readline")[1]]


def test_report_comes_before_the_exception_and_also_if_it_is_swallowed(tmp_path):
    package = tmp_path / "swallowing"
    package.mkdir()
    package.joinpath("__init__.py").write_text("try:\n    import faulthandler\nexcept ImportError:\n    fast = False\n")
    found = run(
        """
        _loader_watch.install(report)
        import swallowing
        tx.send(swallowing.fast)
        """,
        tmp_path,
    )
    assert found == [refusal("faulthandler"), False]


def test_users_of_importlib_are_watched():
    assert run("""
    import importlib
    _loader_watch.install(report)
    spec = importlib.util.find_spec("readline")
    try:
        importlib.util.module_from_spec(spec)
    except ImportError:
        tx.send("raised")
    try:
        importlib.import_module("faulthandler")
    except ImportError:
        tx.send("raised")
    """) == [refusal("readline"), "raised", refusal("faulthandler"), "raised"]


def test_exception_is_the_same_as_without_a_watch(tmp_path):
    (tmp_path / "importing.py").write_text("import faulthandler\n")
    extensions.build(tmp_path, "failing", 'PyErr_SetString(PyExc_RuntimeError, "not today"); return -1;')
    extensions.build(tmp_path, "lacking", 'PyErr_SetString(PyExc_ImportError, "lib.so: cannot open"); return -1;')
    source = """
    def one():
        import importing
    def two():
        importlib.util.module_from_spec(importlib.util.find_spec("readline"))
    def three():
        import failing
    def four():
        try:
            1 / 0
        except ArithmeticError:
            import lacking
    def described(function):
        try:
            function()
        except Exception as error:
            parts = error.args, getattr(error, "name", 0), getattr(error, "path", 0), vars(error)
            return repr(parts), "".join(traceback.format_exception(error))
    before = [described(function) for function in (one, two, three, four)]
    _loader_watch.install(report)
    after = [described(function) for function in (one, two, three, four)]
    assert before == after, (before, after)
    assert "lib.so" in after[3][1] and "ZeroDivisionError" in after[3][1]
    """
    assert [name for name, _ in run(source, tmp_path)] == ["faulthandler", "readline"]


@pytest.mark.parametrize("text", [None, "cannot load module more than once per process"])
def test_module_that_loads_a_refused_module_is_not_refused_itself(tmp_path, text):
    extensions.build(tmp_path, "inner", text and f'PyErr_SetString(PyExc_ImportError, "{text}"); return -1;')
    load = """
    PyObject* other = PyImport_ImportModule("inner");
    if (!other) return -1;
    Py_DECREF(other);
    """
    extensions.build(tmp_path, "outer", load)
    extensions.build(tmp_path, "careful", load.replace("return -1;", "PyErr_Clear(); else"))
    found = run(
        """
        _loader_watch.install(report)
        for name in ("careful", "outer", "outer", "inner"):
            tx.send(failure(name))
        """,
        tmp_path,
    )
    reason = text or refusal("inner")[1]
    assert found == [("inner", reason), None, reason, reason, reason]


def test_refused_submodule_has_its_full_name(tmp_path):
    package = tmp_path / "accelerated"
    package.mkdir()
    package.joinpath("__init__.py").write_text("from . import _speedups\n")
    extensions.build(package, "accelerated._speedups")
    found = run("_loader_watch.install(report); tx.send(failure('accelerated'))", tmp_path)
    reason = refusal("_speedups")[1]  # CPython names the part that the module itself knows
    assert found == [("accelerated._speedups", reason), reason]


def test_failing_callback_goes_to_the_excepthook_and_the_import_fails_as_it_would():
    assert run("""
    def fail(name, reason):
        raise LookupError(name)
    sys.excepthook = lambda kind, error, trace: tx.send(("hook", repr(error)))
    _loader_watch.install(fail)
    _loader_watch.install(report)
    tx.send(failure("faulthandler"))
    """) == [("hook", "LookupError('faulthandler')"), refusal("faulthandler"), refusal("faulthandler")[1]]


def test_interrupt_in_a_callback_leaves_the_import():
    assert run("""
    def interrupt(name, reason):
        raise KeyboardInterrupt
    _loader_watch.install(interrupt)
    try:
        import faulthandler
    except KeyboardInterrupt as error:
        tx.send(str(error.__context__))
    """) == [refusal("faulthandler")[1]]


def test_callback_and_finalizer_may_import():
    assert run("""
    class Importing:
        def __del__(self):
            tx.send(failure("_curses"))
    def nested(name, reason):
        report(name, reason)
        if name == "faulthandler":
            tx.send((failure("faulthandler"), failure("readline")))
            Importing()
    _loader_watch.install(nested)
    tx.send(failure("faulthandler"))
    """) == [
        refusal("faulthandler"), refusal("readline"), (refusal("faulthandler")[1], refusal("readline")[1]),
        refusal("_curses"), refusal("_curses")[1], refusal("faulthandler")[1],
    ]  # fmt: skip


def test_optional_module_of_traceback_is_not_reported():
    assert run("_loader_watch.install(report); tx.send(failure('_suggestions'))")[-1:] != [refusal("_suggestions")]


def test_other_interpreters_are_not_watched():
    run("_loader_watch.install(report)")
    assert not _loader_watch._callbacks
    from importlib.machinery import ExtensionFileLoader

    assert ExtensionFileLoader.create_module.__module__ != _loader_watch.__name__


def test_imports_at_the_end_of_the_interpreter():
    done = run_script("""
    from concurrent import interpreters
    for _ in range(3):
        interp = interpreters.create()
        interp.exec('''if True:
            import atexit, importlib.machinery, importlib.util, sys
            from xichan import _loader_watch
            _loader_watch.install(lambda name, reason: print(name))
            spec = importlib.util.find_spec("readline")
            class Late:
                def __init__(self, load=spec.loader.create_module):
                    self.load = load
                def __del__(self):
                    try:
                        self.load(spec)
                    except ImportError:
                        pass
                    try:
                        import faulthandler
                    except ImportError:
                        pass
            keep = Late()
            keep.itself = keep
            sys.late = Late()
            atexit.register(Late)
        ''')
        interp.close()
    """)
    assert done.stdout.split() == ["readline", "faulthandler"] * 3
    assert done.stderr == ""
