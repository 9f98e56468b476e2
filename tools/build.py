"""CMake builds: the extension for each CPython version, and the C++ tests and benchmarks."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from . import cpython, system, venv
from .cache import lock
from .console import BUILD, ROOT, DevError, make_folder, output, run, step

STAMP = "xichan-stamp.txt"

# What they are called for short, and what they are told when they watch Python. Memory that is not there is refused, as
# without a sanitizer. No leaks: CPython gives much back to nobody when it ends, and threads that never come back keep
# theirs; the tests count what is xichan's.
SANITIZERS = {
    "address": (
        "asan",
        {
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
    ),
    "thread": (
        "tsan",
        {
            # Of the locks of CPython, which is not instrumented, only those that are mutexes are seen.
            "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:allocator_may_return_null=1:report_signal_unsafe=0:"
            f'die_after_fork=0:atexit_sleep_ms=0:suppressions="{ROOT}/tests/tsan.supp"'
        },
    ),
}


def jobs() -> int:
    """How many compilers to run at once: the processors that this process may use."""
    return len(os.sched_getaffinity(0))


def lock_builds():
    """Two ./dev at once take turns at setting up."""
    return lock(make_folder(BUILD) / "dev.lock")


def cmake(toolchain, name: str, settings: dict, depends="", prefix=()) -> Path:
    """Configure (where that is needed) and build build/NAME; `prefix` is a command to run the build under."""
    folder = BUILD / name
    options = [f"-D{key}={value}" for key, value in settings.items()]
    if toolchain.compiler:
        options.append(f"-DCMAKE_CXX_COMPILER={toolchain.compiler}")
    # A build folder keeps paths of the compiler, the generator and the sources: with other ones it starts afresh.
    identity = repr([toolchain.identity, str(ROOT), options, depends])
    stamp = folder / STAMP
    if not (stamp.exists() and stamp.read_text() == identity):
        if folder.exists():
            step(f"build/{name} was made differently: starting afresh")
            shutil.rmtree(folder)
        run(
            [toolchain.cmake, "-S", ROOT, "-B", folder, "-G", toolchain.generator]
            + [f"-DCMAKE_MAKE_PROGRAM={toolchain.make}", *options],
            f"configure-{name}",
            say=f"configuring build/{name}",
        )
        stamp.write_text(identity)
    # A caller's own choice of how many jobs to run wins.
    parallel = [] if "CMAKE_BUILD_PARALLEL_LEVEL" in os.environ else ["--parallel", str(jobs())]
    run([*prefix, toolchain.cmake, "--build", folder, *parallel], f"build-{name}", say=f"building build/{name}")
    return folder


def require_cpp(sanitizer=None, prefix=()):
    """The C++ tests and benchmarks, built, with a sanitizer if one is named: (their folder, ctest)."""
    settings = {"CMAKE_BUILD_TYPE": "Release", "XICHAN_PYTHON": "OFF", "XICHAN_TESTS": "ON"}
    name = "cpp"
    if sanitizer:
        name = SANITIZERS[sanitizer][0]
        settings.update(CMAKE_BUILD_TYPE="Debug", XICHAN_SANITIZE=sanitizer)  # with assertions
    else:
        settings.update(XICHAN_BENCH="ON" if (ROOT / "bench" / "CMakeLists.txt").exists() else "OFF")
    with lock_builds():
        toolchain = system.require()
        return cmake(toolchain, name, settings, prefix=prefix), toolchain.ctest


def require_python(version: str) -> Path:
    """The interpreter of a virtual environment of that version with xichan installed, as of the sources now."""
    with lock_builds():
        toolchain = system.require()
        wanted = venv.identity(version)
        python = venv.require(version, wanted)
        settings = {
            "CMAKE_BUILD_TYPE": "Release",
            "XICHAN_PYTHON": "ON",
            "XICHAN_TESTS": "OFF",
            "Python_EXECUTABLE": python,
        }
        if version.endswith(cpython.DEBUG):
            settings["CMAKE_BUILD_TYPE"] = "Debug"  # with assertions, those in CPython's headers among them
            # Debian's headers of the debug build are links to the release's, all but pyconfig.h. In system folders GCC
            # follows links first, would find the release's pyconfig.h, and the extension would count no references.
            settings["CMAKE_NO_SYSTEM_FROM_IMPORTED"] = "ON"
        name = f"py{version}"
        folder = cmake(toolchain, name, settings, depends=wanted["interpreter"] + wanted["version"])
        install(toolchain, folder, venv.site_packages(version), f"install-{name}")
    return python


def require_sanitized_python(version: str, sanitizer: str):
    """The same interpreter, and the environment in which it imports a build of xichan with a sanitizer."""
    python = require_python(version)
    short, options = SANITIZERS[sanitizer]
    with lock_builds():
        toolchain = system.require()
        wanted = venv.identity(version)
        settings = {
            "CMAKE_BUILD_TYPE": "Debug",  # with assertions
            "XICHAN_PYTHON": "ON",
            "XICHAN_TESTS": "OFF",
            "XICHAN_SANITIZE": sanitizer,
            "Python_EXECUTABLE": python,
        }
        name = f"{short}-py{version}"
        folder = cmake(toolchain, name, settings, depends=wanted["interpreter"] + wanted["version"])
        site = make_folder(folder / "site")
        install(toolchain, folder, site, f"install-{name}")
    compiler = toolchain.compiler or os.environ["CXX"]
    runtime = output([*shlex.split(compiler), f"-print-file-name=lib{short}.so"]) or ""
    if not os.path.isabs(runtime):
        raise DevError(f"{compiler} has no lib{short}.so to preload into Python")
    return python, {
        "LD_PRELOAD": os.path.realpath(runtime),
        "PYTHONPATH": os.fspath(site),
        # Python's own allocators would hide what lies in their pools.
        "PYTHONMALLOC": "malloc",
        **options,
    }


def install(toolchain, folder: Path, target: Path, log: str) -> None:
    """Install the component `python`, and remove what an earlier one installed that is no longer part of it."""
    manifest = folder / "install_manifest_python.txt"
    before = manifest.read_text().split("\n") if manifest.exists() else []
    run([toolchain.cmake, "--install", folder, "--component", "python", "--prefix", target], log)
    now = set(manifest.read_text().split("\n"))
    for path in before:
        if path not in now and Path(path).is_relative_to(target):
            Path(path).unlink(missing_ok=True)
