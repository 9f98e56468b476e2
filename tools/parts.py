"""The parts of ./dev test. To add one: write what runs it, and enter it in PARTS."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Callable, NamedTuple

from . import build, counts, cpython, fuzz, layers, lint
from .console import BUILD, ROOT, DevError, call, make_folder, output
from .counts import Counts

HANG = 120  # seconds without an end of a test after which its stacks are shown
LIMIT = 300  # seconds that one test may take
OLD = ("3.13",)  # without concurrent.interpreters


class Request(NamedTuple):
    """What the user asked for."""

    only: str  # the one Python version to test, or ""
    extra: list  # further arguments for pytest or ctest


class NotFor(Exception):
    """A part has nothing to test of what was asked for, which the text names."""


class Part(NamedTuple):
    """A part: what it is, the folder it tests, whether a plain ./dev test runs it, and how."""

    about: str
    folder: str
    default: bool
    run: Callable[[Request], Counts]


def report(name: str) -> Path:
    """A fresh place for a JUnit file."""
    path = make_folder(BUILD / "reports") / f"{name}.xml"
    path.unlink(missing_ok=True)
    return path


def pytest(folder: str, version: str, request: Request) -> Counts:
    """Run a folder's tests with one Python version."""
    python = build.require_python(version)
    label = f"{folder}, CPython {version}"
    print(f"-- {label}", flush=True)
    xml = report(f"{Path(folder).name}-{version}")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    # Subinterpreters do not see the paths that pytest adds to sys.path: functions of test modules need them there.
    environment["PYTHONPATH"] = str(ROOT / folder)
    command = [python, "-m", "pytest", folder, "-p", "no:cacheprovider", f"--junitxml={xml}"]
    command += ["-o", f"faulthandler_timeout={HANG}", f"--timeout={LIMIT}", *request.extra]
    code = call(command, cwd=ROOT, env=environment)
    if code == 5:  # no test was collected: only a selection may do that
        return Counts(failed=0 if request.extra else 1)
    if code < 0:
        print(f"{label}: pytest died of signal {-code}")
    return counts.read(xml, code)


def ctest(folder: Path, program: str, name: str, options, request: Request, prefix=(), env=None) -> Counts:
    """Run the tests of a C++ build, with `env` in place of this program's environment."""
    xml = report(name)
    command = [*prefix, program, "--test-dir", folder, "--output-on-failure", "--output-junit", xml]
    code = call(command + ["--timeout", str(LIMIT), *options, *request.extra], cwd=ROOT, env=env)
    return counts.read(xml, code)


def versions(request: Request, but=()):
    """The Python versions to test: those at hand, or the one that was asked for; without those that do not do."""
    return [version for version in ([request.only] if request.only else cpython.available()) if version not in but]


def fixed_addresses():
    """A command to run ThreadSanitizer under: with full address randomisation older ones do not start."""
    prefix = ["setarch", platform.machine(), "-R"]
    return prefix if output([*prefix, "true"]) is not None else []


def run_cpp(request):
    folder, program = build.require_cpp()
    return ctest(folder, program, "cpp", ["-LE", "model"], request)


def run_python(request):
    return sum((pytest("tests/python", version, request) for version in versions(request)), Counts())


def run_package(request):
    chosen = versions(request, OLD)
    if not chosen:
        raise NotFor(f"CPython {' and '.join(OLD)}")
    return sum((pytest("tests/package", version, request) for version in chosen), Counts())


def run_model(request):
    folder, program = build.require_cpp()
    found = ctest(folder, program, "model-cpp", ["-L", "model", "-j", str(build.jobs())], request)
    if any((ROOT / "tests/model").glob("**/test_*.py")):
        found += pytest("tests/model", request.only or "3.14", request)
    return found


def run_tsan(request):
    prefix = fixed_addresses()
    folder, program = build.require_cpp("thread", prefix)
    return ctest(folder, program, "tsan", ["-LE", "model"], request, prefix)


def run_asan(request):
    folder, program = build.require_cpp("address")
    return ctest(folder, program, "asan", ["-LE", "model"], request)


def run_stress(request):
    """The stress programs at full size, one after the other, and the C++ stress tests ten times as long."""
    found = Counts()
    for version in versions(request, OLD):
        python = build.require_python(version)
        for program in sorted((ROOT / "tests/stress/python").glob("*.py")):
            if program.stem == "common" or (request.extra and program.stem not in request.extra):
                continue
            print(f"-- {program.stem}, CPython {version}", flush=True)
            start = time.monotonic()
            failed = call([python, program], cwd=ROOT) != 0
            print(f"   {time.monotonic() - start:.0f} s, {'FAILED' if failed else 'passed'}", flush=True)
            found += Counts(passed=1 - failed, failed=int(failed))
    if not request.extra or "cpp" in request.extra:
        folder, program = build.require_cpp()
        options, longer = ["-L", "stress", "-V", "--timeout", "3600"], {**os.environ, "XICHAN_STRESS": "10"}
        found += ctest(folder, program, "stress", options, Request("", []), env=longer)
    return found


PARTS = {
    "layers": Part("each layer includes only those below it", "src", True, lambda request: layers.check()),
    "lint": Part("style of the Python and C++ files", "tools", True, lambda request: lint.check()),
    "cpp": Part("C++ tests", "tests/cpp", True, run_cpp),
    "python": Part("Python tests, on every CPython version at hand", "tests/python", True, run_python),
    "package": Part("what is installed, and programs that embed Python", "tests/package", True, run_package),
    "model": Part("models of the algorithms, and their tests", "tests/model", True, run_model),
    "tsan": Part("C++ tests under ThreadSanitizer", "tests/cpp", False, run_tsan),
    "asan": Part("C++ tests under AddressSanitizer", "tests/cpp", False, run_asan),
    "stress": Part(
        "stress programs at full size, hours; -- NAME ... or cpp for some", "tests/stress", False, run_stress
    ),
    "fuzz": Part("fuzzers of what reads foreign input, a minute each", "tests/fuzz", False, fuzz.run),
}


def select(names):
    """The parts to run: those named, which must exist, or else every default one that exists."""
    for name in names:
        if name not in PARTS:
            raise DevError(f"no part {name!r}; there are: {', '.join(PARTS)}")
        if not (ROOT / PARTS[name].folder).is_dir():
            raise DevError(f"the part {name!r} needs the folder {PARTS[name].folder}, which is not there")
    return list(dict.fromkeys(names)) or [
        name for name, part in PARTS.items() if part.default and (ROOT / part.folder).is_dir()
    ]


def run(names, request: Request) -> int:
    """Run parts, the last line being the sum; the exit code."""
    lines = []
    total = Counts()
    for name in select(names):
        print(f"\n==== {name}: {PARTS[name].about}", flush=True)
        start = time.monotonic()
        try:
            found = PARTS[name].run(request)
            if not found.passed + found.failed and not request.extra:
                print(f"{name}: no test ran")
                found += Counts(failed=1)
        except NotFor as error:
            print(f"{name} is not for {error}")
            found = Counts(skipped=1)
        except DevError as error:  # the other parts may still say something useful
            print(f"{name} could not run: {error}")
            found = Counts(failed=1)
        total += found
        lines.append(f"{name:8} {time.monotonic() - start:7.1f} s   {found}")
    print("", *lines, f"{total.passed} passed, {total.failed} failed", sep="\n", flush=True)
    return 1 if total.failed or not total.passed else 0
