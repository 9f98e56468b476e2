"""No operation leaks references or releases too many. Needs a CPython that counts them: ./dev test refs."""

import importlib
from pathlib import Path

import pytest
from support import references, run_script

from xichan import _core

pytest.importorskip("concurrent.interpreters")
pytestmark = pytest.mark.skipif(not references.COUNTED, reason="only a debug build of CPython counts references")

MODULES = tuple(f"support.reference_{name}" for name in ("operations", "failures", "async", "workers"))

# Prints how the number of references changes in each run.
RUN = """
import asyncio, importlib, inspect, sys
from support import references

module = importlib.import_module(sys.argv[1])
operation = getattr(module, sys.argv[2])
rounds = module.OPERATIONS[operation]
loop = asyncio.new_event_loop() if inspect.iscoroutinefunction(operation) else None

def run():
    for _ in range(rounds):
        if loop is not None:
            loop.run_until_complete(operation())
        else:
            operation()

references.check(run)
"""

# What a defect would do, in each of ten rounds: leave a reference, take one too many, leave one in another interpreter.
DEFECTS = {
    "left": ("lambda: increment(kept)", 1),
    "taken": ("lambda: decrement(kept)", -1),
    "left in another interpreter": ("elsewhere", 1),
}
DEFECT = """
import ctypes, sys
from support import references
from support import interpreter

increment, decrement = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.Py_DecRef
for function in increment, decrement:
    function.argtypes, function.restype = [ctypes.py_object], None
kept = object()
for _ in range(1000):
    increment(kept)  # enough to take away

def elsewhere():
    with interpreter() as other:
        other.exec("import ctypes; ctypes.pythonapi.Py_IncRef(ctypes.py_object(object()))")

defect, amount = eval(sys.argv[1]), int(sys.argv[2])

def run():
    for _ in range(10):
        defect()

assert references.changes(run) == [10 * amount] * references.RUNS
try:
    references.check(run)
except AssertionError as error:
    assert "references left by each run" in str(error)
else:
    raise SystemExit("not seen")
"""


OPERATIONS = [(name, function.__name__) for name in MODULES for function in importlib.import_module(name).OPERATIONS]


@pytest.mark.parametrize("module, name", OPERATIONS)
def test_operation_leaks_no_references(module, name):
    run_script(RUN, module, name, timeout=200)


@pytest.mark.parametrize("name", DEFECTS)
def test_leak_of_one_reference_is_detected(name):
    run_script(DEFECT, *DEFECTS[name], timeout=200)


def test_extension_counts_references():
    """The extension must be compiled with the debug headers; otherwise its references are not counted."""
    assert b"_Py_INCREF_IncRefTotal" in Path(_core.__file__).read_bytes()
