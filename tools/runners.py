"""What runs tests: pytest and ctest."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from . import build, counts, cpython
from .console import BUILD, LOGS, ROOT, call, make_folder, start, wait
from .counts import Counts

HANG = 120  # seconds without an end of a test after which its stacks are shown
LIMIT = 300  # seconds that one test may take


class Request(NamedTuple):
    """What the user asked for."""

    only: str  # the one Python version to test, or ""
    extra: list  # further arguments for pytest or ctest


def report(name: str) -> Path:
    """A fresh place for a JUnit file."""
    path = make_folder(BUILD / "reports") / f"{name}.xml"
    path.unlink(missing_ok=True)
    return path


class Pytest:
    """A folder's tests, or those of some files of it, with one Python version; `env` goes on top, `prefix` in front.
    They run from the start on, and show what they say as they say it, or, with `later`, when they are waited for.
    """

    def __init__(self, folder: str, version: str, request: Request, files=(), env=None, prefix=(), later=False):
        python = build.require_python(version)
        self.label = f"{folder}, {cpython.title(version)}"
        self.selected = bool(request.extra)
        self.xml = report(f"{Path(folder).name}-{version}")
        self.log = make_folder(LOGS) / f"{self.xml.stem}.log" if later else None
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
        # Subinterpreters do not see the paths that pytest adds to sys.path: functions of test modules need them there.
        folders = [ROOT / folder, *sorted({file.parent for file in (ROOT / folder).rglob("test_*.py")})]
        environment["PYTHONPATH"] = os.pathsep.join(map(str, dict.fromkeys(folders)))
        environment.update(env or {})
        command = [
            *prefix,
            python,
            "-m",
            "pytest",
            *(files or [folder]),
            "-p",
            "no:cacheprovider",
            f"--junitxml={self.xml}",
        ]
        command += ["-o", f"faulthandler_timeout={HANG}", f"--timeout={LIMIT}", *request.extra]
        if self.log is None:
            print(f"-- {self.label}", flush=True)
            self.process = start(command, cwd=ROOT, env=environment)
            return
        with open(self.log, "w") as file:
            self.process = start(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)

    def counts(self) -> Counts:
        """Wait for the end."""
        code = wait(self.process)
        if self.log is not None:
            print(f"-- {self.label}", self.log.read_text(errors="replace"), sep="\n", flush=True)
        if code == 5:  # no test was collected: only a selection may do that
            return Counts(failed=0 if self.selected else 1)
        if code < 0:
            print(f"{self.label}: pytest died of signal {-code}")
        return counts.read(self.xml, code)


def pytest(*arguments) -> Counts:
    """Run a folder's tests."""
    return Pytest(*arguments).counts()


def ctest(folder: Path, program: str, name: str, options, request: Request, prefix=(), env=None) -> Counts:
    """Run the tests of a C++ build, with `env` in place of this program's environment."""
    xml = report(name)
    command = [*prefix, program, "--test-dir", folder, "--output-on-failure", "--output-junit", xml]
    code = call(command + ["--timeout", str(LIMIT), *options, *request.extra], cwd=ROOT, env=env)
    return counts.read(xml, code)
