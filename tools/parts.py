"""The parts of ./dev test. To add one: write what runs it, and enter it in PARTS."""

from __future__ import annotations

import os
import platform
import time
from typing import Callable, NamedTuple

from . import build, cpython, fuzz, layers, lint, spin, stress
from .console import ROOT, DevError, end, output
from .counts import Counts
from .runners import Pytest, Request, ctest, pytest

OLD = ("3.13",)  # without concurrent.interpreters


class NotFor(Exception):
    """A part has nothing to test of what was asked for, which the text names."""


class Part(NamedTuple):
    """A part: what it is, the folder it tests, whether a plain ./dev test runs it, and how."""

    about: str
    folder: str
    default: bool
    run: Callable[[Request], Counts]


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
    """All versions at once: one of them leaves half of two processors idle."""
    chosen = versions(request)
    for version in chosen:
        build.require_python(version)  # first, for a compiler would take the processors from the tests
    running = [Pytest("tests/python", version, request, later=version != chosen[0]) for version in chosen]
    try:
        return sum((each.counts() for each in running), Counts())
    except KeyboardInterrupt:
        for each in running:
            end(each.process)
        raise


def run_package(request):
    chosen = versions(request, OLD)
    if not chosen:
        raise NotFor(f"CPython {' and '.join(OLD)}")
    return sum((pytest("tests/package", version, request) for version in chosen), Counts())


def run_model(request, environment=None):
    """All models, in the short form unless the environment, or what goes on top of it, has XICHAN_STRESS."""
    environment = environment or {}
    folder, program = build.require_cpp()
    options, longer = ["-L", "model", "-j", str(build.jobs())], {**os.environ, **environment}
    found = ctest(folder, program, "model-cpp", options, request, env=longer)
    if any((ROOT / "tests/model").glob("**/test_*.py")):
        try:
            checker = {"XICHAN_SPIN": str(spin.get())}
        except DevError as error:  # its tests are skipped then, and say why
            checker = {"XICHAN_NO_SPIN": f"no SPIN: {error}".partition("\n")[0]}
        found += pytest("tests/model", request.only or "3.14", request, (), {**environment, **checker})
    return found


def run_tsan(request):
    prefix = fixed_addresses()
    folder, program = build.require_cpp("thread", prefix)
    found = ctest(folder, program, "tsan", ["-LE", "model"], request, prefix)
    return found + run_sanitized_python(request, "thread", prefix)


def run_asan(request):
    folder, program = build.require_cpp("address")
    found = ctest(folder, program, "asan", ["-LE", "model"], request)
    return found + run_sanitized_python(request, "address")


# Of the Python tests those in which interpreters come and go and threads meet; for AddressSanitizer also those in which
# memory runs out and views look into blocks. Not all: some count allocations of a Python that is not watched, and all
# together would take an hour.
MEETINGS = (
    "flavor_traffic", "fork", "interpreters", "lifecycle", "queue_interpreters", "select_traffic", "shared", "stress",
    "transport", "views_receiving",
)  # fmt: skip
SANITIZED_TESTS = {
    "thread": MEETINGS,
    "address": (*MEETINGS, "out_of_memory", "values", "views_bytes", "views_memory", "views_str", "views_tuple"),
}


SANITIZED_LEFT_OUT = (
    # A sanitizer keeps what is freed, to find its use: the size of the process says nothing.
    "test_views_memory.py::test_views_leak_no_memory",
    "test_stress.py::test_short_run[soak]",
    # Its allocator has locks, which a thread that is stopped, or was left behind by a fork, holds for good.
    "test_stress.py::test_short_run[stopped_peers]",
    "test_stress.py::test_short_run[forks]",
)


def run_sanitized_python(request, sanitizer, prefix=()):
    """A selection of the Python tests with a sanitizer's runtime preloaded: so it sees the locks of CPython too."""
    version = request.only or "3.14"
    _, environment = build.require_sanitized_python(version, sanitizer)
    environment["PYTHONPATH"] += os.pathsep + str(ROOT / "tests/python")
    files = [f"tests/python/test_{name}.py" for name in SANITIZED_TESTS[sanitizer]]
    # What a sanitizer reports goes past pytest.
    options = ["--capture=sys", *(f"--deselect=tests/python/{name}" for name in SANITIZED_LEFT_OUT)]
    request = Request(request.only, [*options, *request.extra])
    return pytest("tests/python", version, request, files, environment, prefix)


# What CPython's debug build cannot run, each with the reason.
REFS_LEFT_OUT = (
    # With a timeout of 0, the module below test.support.channels runs into its own `assert(timeout > 0)`.
    "test_compat_channels.py::test_send_times_out[test.support.channels]",
    # At exit CPython ends the interpreters that are left, and asserts that no daemon thread is inside one: it aborts
    # also where that thread does no more than sleep.
    "test_exit.py::test_blocked_thread_does_not_prevent_process_exit[a call into another-True",
    "test_lifecycle.py::test_process_exits_with_daemon_threads_blocked_in_another_interpreter",
    "test_stress.py::test_short_run[exits]",
)


def run_refs(request):
    """All Python tests on CPython's debug build, with assertions in CPython, in its headers and in the core.

    It counts references: tests/python/test_references.py, and the loops of test_leaks.py and others, which look only at
    memory elsewhere, see each that an operation leaves. `-- -k references` runs the former alone, in a few minutes.
    """
    left_out = [f"--deselect=tests/python/{name}" for name in REFS_LEFT_OUT]
    version = (request.only or "3.14") + cpython.DEBUG
    return pytest("tests/python", version, Request(request.only, [*left_out, *request.extra]))


def run_stress(request):
    """The stress programs at full size, one after the other, and the C++ stress tests ten times as long."""
    stress.check_names(request.extra, ["cpp"])
    wanted = {name: size.full for name, size in stress.sizes().items()}
    found = sum((stress.run_programs(v, wanted, request.extra) for v in versions(request, OLD)), Counts())
    if not request.extra or "cpp" in request.extra:
        found += stress_cpp(10)
    return found


def stress_cpp(times: int) -> Counts:
    """The C++ stress tests, so many times as long as usual."""
    folder, program = build.require_cpp()
    options, longer = ["-L", "stress", "-V", "--timeout", "3600"], {**os.environ, "XICHAN_STRESS": str(times)}
    return ctest(folder, program, "stress", options, Request("", []), env=longer)


# Besides the programs: the tests of each single call, and of what only the inside of a ring shows.
FAULT_TESTS = ("exit", "fork", "lifecycle", "out_of_memory", "signals")
FAULT_CTESTS = "Stopped|OutOfMemory|WithoutMemory|NoMemory|NeedsMemory|Fork"


def run_faults(request):
    """The programs that inject faults, some minutes of each, and the tests that do."""
    stress.check_names(request.extra, ["tests", "cpp"])
    wanted = {name: size.fault for name, size in stress.sizes().items() if size.fault is not None}
    found = Counts()
    for version in versions(request, OLD):
        found += stress.run_programs(version, wanted, request.extra)
        if not request.extra or "tests" in request.extra:
            files = [f"tests/python/test_{name}.py" for name in FAULT_TESTS]
            found += pytest("tests/python", version, Request(request.only, []), files)
    if not request.extra or "cpp" in request.extra:
        folder, program = build.require_cpp()
        found += ctest(folder, program, "faults", ["-R", FAULT_CTESTS], Request("", []))
    return found


PARTS = {
    "layers": Part("each layer includes only those below it", "src", True, lambda request: layers.check()),
    "lint": Part("style of the Python and C++ files", "tools", True, lambda request: lint.check()),
    "cpp": Part("C++ tests", "tests/cpp", True, run_cpp),
    "python": Part("Python tests, on every CPython version at hand", "tests/python", True, run_python),
    "package": Part("what is installed, and programs that embed Python", "tests/package", True, run_package),
    "model": Part("models of the algorithms, and their tests", "tests/model", True, run_model),
    "tsan": Part("C++ tests and some Python tests under ThreadSanitizer", "tests/cpp", False, run_tsan),
    "asan": Part("C++ tests and some Python tests under AddressSanitizer", "tests/cpp", False, run_asan),
    "refs": Part("Python tests on CPython's debug build, which counts references", "tests/python", False, run_refs),
    "stress": Part(
        "stress programs at full size, hours; -- NAME ... or cpp for some", "tests/stress", False, run_stress
    ),
    "faults": Part(
        "allocations fail, peers stop, signals rain, ...: half an hour; -- NAME ..., tests or cpp for some",
        "tests/stress",
        False,
        run_faults,
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
