"""The stress programs of tests/stress: all at full size (./dev test stress), those that inject faults (./dev test
faults), or as much as fits a time (./dev soak)."""

from __future__ import annotations

import os
import runpy
import time
from typing import NamedTuple

from . import build, cpython
from .console import ROOT, DevError, call, output_of
from .counts import Counts

FOLDER = ROOT / "tests" / "stress" / "python"
# Of the tests themselves: what is a fault in each call, and what needs the inside of a ring.
FAULT_TESTS = ("exit", "fork", "lifecycle", "out_of_memory", "signals", "views_memory")
FAULT_CTESTS = "RingStopped|OutOfMemory|Fork"


class Outcome(NamedTuple):
    """One run of a program."""

    passed: bool
    seconds: float
    line: str  # the last one it printed: what it did


def sizes() -> dict:
    """What tests/stress/python/sizes.py says."""
    return runpy.run_path(os.fspath(FOLDER / "sizes.py"))["SIZES"]


def versions(request):
    """The Python versions that a request is for: all that have the standard library's interpreters, or the one named."""
    return [request.only] if request.only else [version for version in cpython.available() if version != "3.13"]


def run_program(version: str, name: str, size=None) -> Outcome:
    """Run one program at low priority, at full size or at one of its own."""
    python = build.require_python(version)
    start = time.monotonic()
    command = ["nice", python, FOLDER / f"{name}.py", *([] if size is None else [str(size)])]
    code, text = output_of(command, cwd=ROOT)
    return Outcome(code == 0, time.monotonic() - start, (text.strip().splitlines() or [f"exit status {code}"])[-1])


def run_programs(version: str, wanted: dict, extra) -> Counts:
    """Run programs, each at its size (None: in full); `extra` names those to run, empty: all."""
    found = Counts()
    for name, size in sorted(wanted.items()):
        if extra and name not in extra:
            continue
        print(f"-- {name}, CPython {version}", flush=True)
        outcome = run_program(version, name, size)
        print(f"   {outcome.seconds:.0f} s, {'passed' if outcome.passed else 'FAILED'}", flush=True)
        found += Counts(passed=int(outcome.passed), failed=int(not outcome.passed))
    return found


def check_names(extra, others) -> None:
    """Names after `--` must be of programs or of `others`."""
    known = [*sizes(), *others]
    for name in extra:
        if name not in known:
            raise DevError(f"no program {name!r}; there are: {', '.join(known)}")
