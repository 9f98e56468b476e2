"""The stress programs of tests/stress and the C++ stress tests, at any size."""

from __future__ import annotations

import os
import runpy
import subprocess
import time
from typing import NamedTuple

from . import build, runners
from .console import ROOT, DevError, start
from .counts import Counts, one

FOLDER = ROOT / "tests" / "stress" / "python"
SKIPPED = 77  # the exit status of a program that lacks what it needs; its last line names that


class Outcome(NamedTuple):
    """One run of a program."""

    counts: Counts
    seconds: float
    line: str  # the last line of its output, which sums it up


def sizes() -> dict:
    """Return SIZES of tests/stress/python/sizes.py."""
    return runpy.run_path(os.fspath(FOLDER / "sizes.py"))["SIZES"]


def check_names(extra, others) -> None:
    """Raise DevError if an argument after `--` is neither a program nor one of `others`."""
    known = [*sizes(), *others]
    for name in extra:
        if name not in known:
            raise DevError(f"no program {name!r}; there are: {', '.join(known)}")


def run_program(version: str, name: str, size: int) -> Outcome:
    """Run one program and print its output as it arrives."""
    python = build.require_python(version)
    print(f"-- {name} {size}, CPython {version}", flush=True)
    begin, line = time.monotonic(), ""
    command = [python, FOLDER / f"{name}.py", str(size)]
    with start(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", errors="backslashreplace") as process:
        for line in process.stdout:
            print(f"   {line}", end="", flush=True)
    seconds, code = time.monotonic() - begin, process.returncode
    result = {0: "passed", SKIPPED: "skipped"}.get(code, f"FAILED with status {code}")
    print(f"   {seconds:.0f} s, {result}", flush=True)
    return Outcome(Counts(skipped=1) if code == SKIPPED else one(code == 0), seconds, line.strip())


def run_programs(version: str, wanted: dict, extra) -> Counts:
    """Run the programs of {name: size}, restricted to the names in `extra` unless that is empty."""
    chosen = {name: size for name, size in wanted.items() if not extra or name in extra}
    return sum((run_program(version, name, size).counts for name, size in chosen.items()), Counts())


def run_cpp(times: int) -> Counts:
    """Run the C++ stress tests with `times` as many rounds as usual."""
    environment = {"XICHAN_STRESS": str(times)}
    options = ["-L", "stress", "-V", "--timeout", "3600"]
    return runners.ctest("release", "stress", options, runners.Request(), environment=environment)
