"""The programs of tests/stress: in full (./dev test stress), those that inject faults at a size of minutes (./dev test
faults), or as much as fits a time (./dev soak)."""

from __future__ import annotations

import os
import runpy
import subprocess
import time
from typing import NamedTuple

from . import build
from .console import ROOT, DevError
from .counts import Counts

FOLDER = ROOT / "tests" / "stress" / "python"


class Outcome(NamedTuple):
    """One run of a program."""

    passed: bool
    seconds: float
    line: str  # what it said it did


def sizes() -> dict:
    """What tests/stress/python/sizes.py says."""
    return runpy.run_path(os.fspath(FOLDER / "sizes.py"))["SIZES"]


def check_names(extra, others) -> None:
    """What was named after `--` must be programs, or one of `others`."""
    known = [*sizes(), *others]
    for name in extra:
        if name not in known:
            raise DevError(f"no program {name!r}; there are: {', '.join(known)}")


def run_program(version: str, name: str, size: int) -> Outcome:
    """Run one program; what it prints is shown as it comes."""
    python = build.require_python(version)
    print(f"-- {name} {size}, CPython {version}", flush=True)
    start, line = time.monotonic(), ""
    with subprocess.Popen(
        [os.fspath(python), os.fspath(FOLDER / f"{name}.py"), str(size)],
        cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", errors="backslashreplace",
    ) as process:  # fmt: skip
        for line in process.stdout:
            print(f"   {line}", end="", flush=True)
    passed, seconds = process.returncode == 0, time.monotonic() - start
    print(f"   {seconds:.0f} s, {'passed' if passed else f'FAILED with status {process.returncode}'}", flush=True)
    return Outcome(passed, seconds, line.strip())


def run_programs(version: str, wanted: dict, extra) -> Counts:
    """Run programs, each at its size; `extra` names those to run, empty: all."""
    found = Counts()
    for name, size in wanted.items():
        if not extra or name in extra:
            passed = run_program(version, name, size).passed
            found += Counts(passed=int(passed), failed=int(not passed))
    return found
