"""The parts of ./dev test, one nox session each.

`./dev test PART` and `nox -s PART` run the same; the former also prints the sum of the counts. To add a part, write a
function from Request to Counts here.
"""

from __future__ import annotations

import platform
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tools import bootstrap, build, cpython, fuzz, layers, lint, site, spin, stress, system  # noqa: E402
from tools.console import BUILD, ROOT, DevError, call, end, make_folder, output  # noqa: E402
from tools.counts import Counts, one  # noqa: E402
from tools.parts import NotApplicable, part  # noqa: E402
from tools.runners import Pytest, Request, ctest, deselect, pytest, test_file  # noqa: E402

OLD = ("3.13",)  # without concurrent.interpreters

# Tests in which interpreters are created and closed and threads interact. Running all tests under a sanitizer would
# take an hour, and some count allocations of a Python that is not instrumented.
CONCURRENT = (
    "flavor_traffic", "fork", "interpreters", "lifecycle", "queue_interpreters", "select_traffic", "shared", "stress",
    "transport", "views_receiving",
)  # fmt: skip
SANITIZED = {
    "tsan": CONCURRENT,
    # And those in which memory runs out and views point into blocks.
    "asan": (*CONCURRENT, "out_of_memory", "values", "views_bytes", "views_memory", "views_str", "views_tuple"),
}
SANITIZED_LEFT_OUT = (
    # A sanitizer keeps freed memory to detect its use: the size of the process means nothing.
    "views_memory::test_views_leak_no_memory",
    "stress::test_short_run[soak]",
    # Its allocator has locks; a thread that is stopped, or left behind by a fork, holds them forever.
    "stress::test_short_run[stopped_peers]",
    "stress::test_short_run[forks]",
)
# Tests that CPython's debug build cannot run.
REFS_LEFT_OUT = (
    # With a timeout of 0, test.support.channels fails its own `assert(timeout > 0)`.
    "compat_channels::test_send_times_out[test.support.channels]",
    # At exit CPython finalizes the remaining interpreters and asserts that no daemon thread is inside one. It aborts
    # even if that thread only sleeps.
    "exit::test_blocked_thread_does_not_prevent_process_exit[a call into another-True",
    "lifecycle::test_process_exits_with_daemon_threads_blocked_in_another_interpreter",
    "stress::test_short_run[exits]",
)
# Tests with faults, besides the stress programs: single calls, and states that are visible only inside a ring.
FAULTS = ("exit", "fork", "lifecycle", "out_of_memory", "signals")
FAULTS_CPP = "Stopped|OutOfMemory|WithoutMemory|NoMemory|NeedsMemory|Fork"


def versions(request, but=()):
    """Return the Python versions to test: the requested one or all available ones, without `but`."""
    return [version for version in ([request.only] if request.only else cpython.available()) if version not in but]


def check_names() -> None:
    """Raise DevError if a test named in this file does not exist."""
    for name in {*SANITIZED["tsan"], *SANITIZED["asan"], *FAULTS}:
        test_file("tests/python", name)
    deselect("tests/python", SANITIZED_LEFT_OUT + REFS_LEFT_OUT)


@part(name="layers")
def layer_test(request):
    """Each layer includes only those below it."""
    return layers.check()


@part(name="lint")
def style(request):
    """Layout, style and spelling of the files."""
    return lint.check()


@part()
def cpp(request):
    """C++ tests."""
    return ctest("release", "cpp", ["-LE", "model"], request)


@part()
def python(request):
    """Python tests, on every available CPython version at once."""
    check_names()
    chosen = versions(request)
    for version in chosen:
        build.require_python(version)  # first: a compiler would take the processors from the tests
    running = [Pytest("tests/python", version, request, later=version != chosen[0]) for version in chosen]
    try:
        return sum((each.counts() for each in running), Counts())
    except KeyboardInterrupt:
        for each in running:
            end(each.process)
        raise


@part()
def package(request):
    """What is installed, and programs that embed Python."""
    chosen = versions(request, OLD)
    if not chosen:
        raise NotApplicable(f"CPython {request.only}")
    return sum((pytest("tests/package", version, request) for version in chosen), Counts())


@part()
def model(request, environment=()):
    """Models of the algorithms, and their tests; XICHAN_STRESS selects the long form."""
    found = ctest("release", "model-cpp", ["-L", "model", "-j", str(build.jobs())], request, environment=environment)
    try:
        checker = {"XICHAN_SPIN": str(spin.get())}
    except DevError as error:  # its tests are skipped with this reason
        checker = {"XICHAN_NO_SPIN": f"no SPIN: {error}".partition("\n")[0]}
    checker.update(environment)
    return found + pytest("tests/model", request.only or cpython.NEWEST, request, environment=checker)


@part()
def docs(request):
    """The documentation as a site in build/docs: warnings, links, public names, and its width on a phone."""
    if request.only in OLD:
        raise NotApplicable(f"CPython {request.only}")
    return site.check(request.only or cpython.NEWEST, request.extra)


def instrumented(preset, request, names=(), left_out=(), prefix=()):
    """Run the C++ tests and Python tests, all or some by name, with a build by another preset."""
    found = ctest(preset, preset, ["-LE", "model"], request, prefix)
    version = request.only or cpython.NEWEST
    _, environment = build.require_instrumented_python(version, preset)
    # Sanitizers write their reports to file descriptor 2, which pytest must not capture.
    options = ["--capture=sys", *deselect("tests/python", left_out), *request.extra]
    files = [test_file("tests/python", name) for name in names]
    return found + pytest("tests/python", version, Request(version, options), files, environment, prefix)


@part(default=False)
def tsan(request):
    """C++ tests and some Python tests under ThreadSanitizer."""
    # Older versions do not start with full address randomization.
    prefix = ["setarch", platform.machine(), "-R"]
    prefix = prefix if output([*prefix, "true"]) is not None else []
    return instrumented("tsan", request, SANITIZED["tsan"], SANITIZED_LEFT_OUT, prefix)


@part(default=False)
def asan(request):
    """C++ tests and some Python tests under AddressSanitizer."""
    return instrumented("asan", request, SANITIZED["asan"], SANITIZED_LEFT_OUT)


@part(default=False)
def coverage(request):
    """C++ tests and Python tests with counters; the report is build/coverage/report/index.html."""
    for counters in BUILD.glob("coverage*/**/*.gcda"):
        counters.unlink()
    found = instrumented("coverage", request)
    bootstrap.pip_install(bootstrap.require(), bootstrap.group("coverage"), "gcovr", "installing gcovr")
    compiler = shlex.split(system.require_compiler())[-1]
    gcov = "llvm-cov gcov" if "clang" in compiler else compiler.replace("g++", "gcov").replace("c++", "gcov")
    report = make_folder(BUILD / "coverage" / "report") / "index.html"
    command = [bootstrap.tool("gcovr"), "--root", ROOT, "--filter", "(include|src|python_bindings)/"]
    command += ["--gcov-executable", gcov, "--txt", "-", "--html-details", report, *BUILD.glob("coverage*")]
    return found + one(call(command, cwd=ROOT) == 0)


@part(default=False)
def refs(request):
    """Python tests on CPython's debug build, which counts references.

    CPython, its headers and the core check their assertions. test_references.py, and loops that elsewhere observe the
    memory only, detect every reference that an operation leaks. `-- -k references` runs the former in a few minutes.
    """
    options = [*deselect("tests/python", REFS_LEFT_OUT), *request.extra]
    return pytest("tests/python", (request.only or cpython.NEWEST) + cpython.DEBUG, Request(request.only, options))


@part(default=False, name="stress")
def stress_programs(request):
    """Stress programs at full size, hours; -- NAME ... or cpp for some."""
    stress.check_names(request.extra, ["cpp"])
    wanted = {name: size.full for name, size in stress.sizes().items()}
    found = sum((stress.run_programs(v, wanted, request.extra) for v in versions(request, OLD)), Counts())
    return found + (stress.run_cpp(10) if not request.extra or "cpp" in request.extra else Counts())


@part(default=False)
def faults(request):
    """Failing allocations, stopped peers, signals, ...: half an hour; -- NAME ..., tests or cpp for some."""
    stress.check_names(request.extra, ["tests", "cpp"])
    wanted = {name: size.fault for name, size in stress.sizes().items() if size.fault is not None}
    found = Counts()
    for version in versions(request, OLD):
        found += stress.run_programs(version, wanted, request.extra)
        if not request.extra or "tests" in request.extra:
            files = [test_file("tests/python", name) for name in FAULTS]
            found += pytest("tests/python", version, Request(version), files)
    if not request.extra or "cpp" in request.extra:
        found += ctest("release", "faults", ["-R", FAULTS_CPP], Request())
    return found


@part(default=False, name="fuzz")
def fuzzers(request):
    """Fuzzers of the code that reads foreign input, a minute each."""
    return fuzz.run(request)
