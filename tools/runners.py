"""Runs pytest and ctest, and selects tests by name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from . import build, counts, cpython
from .bootstrap import tool
from .console import BUILD, LOGS, ROOT, DevError, call, make_folder, output, start, wait
from .counts import Counts


class Request(NamedTuple):
    """What the user asked for."""

    only: str = ""  # the only Python version to test, or ""
    extra: tuple = ()  # further arguments for pytest or ctest


def test_file(folder: str, name: str) -> str:
    """Return the path of test_NAME.py, which is anywhere below a folder; raise DevError if it does not exist."""
    found = sorted((ROOT / folder).rglob(f"test_{name}.py"))
    if len(found) != 1:
        raise DevError(f"expected one test_{name}.py below {folder}, found {len(found)}: update noxfile.py")
    return os.fspath(found[0].relative_to(ROOT))


def deselect(folder: str, tests) -> list:
    """Return pytest's options that deselect tests given as NAME::FUNCTION[...], for test_NAME.py below a folder."""
    options = []
    for test in tests:
        name, _, identifier = test.partition("::")
        path = test_file(folder, name)
        if f"def {identifier.partition('[')[0]}" not in (ROOT / path).read_text():
            raise DevError(f"{path} has no test {identifier}: update noxfile.py")
        options.append(f"--deselect={path}::{identifier}")
    return options


def report(name: str) -> Path:
    """Return the path for a new JUnit file."""
    path = make_folder(BUILD / "reports") / f"{name}.xml"
    path.unlink(missing_ok=True)
    return path


class Pytest:
    """A running pytest: the tests of a folder, or those of `files`, with one Python version.

    It prints its output directly, or, if `later` is true, when counts() waits for it. `environment` overrides
    variables; `prefix` is a command to run pytest under.
    """

    def __init__(self, folder: str, version: str, request: Request, files=(), environment=(), prefix=(), later=False):
        python = build.require_python(version)
        self.label = f"{folder}, {cpython.title(version)}"
        self.selected = bool(request.extra)
        self.xml = report(f"{Path(folder).name}-{version}")
        self.log = make_folder(LOGS) / f"{self.xml.stem}.log" if later else None
        variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
        variables.update(environment)
        # Subinterpreters do not inherit the paths that pytest adds to sys.path, but import functions of test modules.
        folders = {file.parent for file in (ROOT / folder).rglob("test_*.py")} | {ROOT / folder}
        paths = [variables.get("PYTHONPATH", ""), *map(os.fspath, sorted(folders))]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        command = [*prefix, python, "-m", "pytest", *(files or [folder]), f"--junitxml={self.xml}", *request.extra]
        if self.log is None:
            print(f"-- {self.label}", flush=True)
            self.process = start(command, cwd=ROOT, env=variables)
            return
        with open(self.log, "w") as file:
            self.process = start(command, cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT)

    def counts(self) -> Counts:
        """Wait for the end of the tests and return their counts."""
        code = wait(self.process)
        if self.log is not None:
            print(f"-- {self.label}", self.log.read_text(errors="replace"), sep="\n", flush=True)
        if code == 5:  # pytest collected no test: expected only with a selection
            return Counts(failed=0 if self.selected else 1)
        if code < 0:
            print(f"{self.label}: signal {-code} terminated pytest")
        return counts.read(self.xml, code)


def pytest(*arguments, **options) -> Counts:
    """Run a folder's tests with one Python version."""
    return Pytest(*arguments, **options).counts()


def ctest(preset: str, name: str, options, request: Request, prefix=(), environment=()) -> Counts:
    """Build the C++ tests by a preset and run them; their JUnit file is NAME.xml."""
    build.require_cpp(preset, prefix)
    extra = request.extra
    if output([tool("ctest"), "--test-dir", BUILD / preset, "--show-only", *extra]) is None:
        print(f"-- ctest, without the arguments for pytest: {' '.join(extra)}", flush=True)
        extra = ()
    xml = report(name)
    command = [*prefix, tool("ctest"), "--preset", preset, "--output-junit", xml, *options, *extra]
    return counts.read(xml, call(command, cwd=ROOT, env={**os.environ, **dict(environment)}))
