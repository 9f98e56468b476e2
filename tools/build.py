"""CMake builds: the extension for each CPython version, and the C++ tests and benchmarks, by the presets."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

from . import cpython, nats, system, venv
from .bootstrap import tool
from .cache import lock
from .console import BUILD, ROOT, DevError, make_folder, output, run, step

PRESETS = ROOT / "CMakePresets.json"
STAMP = "xichan-stamp.txt"

# The environment of Python with a sanitized extension. Failed allocations return NULL, as without a sanitizer. Leaks
# are not reported: CPython and threads that are parked forever keep memory until exit; the tests count xichan's.
SANITIZERS = {
    "asan": {
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    },
    "tsan": {
        # CPython is not instrumented: of its locks, ThreadSanitizer sees only those that are mutexes.
        "TSAN_OPTIONS": "ignore_noninstrumented_modules=1:allocator_may_return_null=1:report_signal_unsafe=0:"
        "die_after_fork=0:atexit_sleep_ms=0"
    },
}


class Toolchain(NamedTuple):
    """The programs of a build."""

    cmake: Path
    options: list  # for cmake: generator, make program, compiler
    identity: str  # a build folder is usable only with the toolchain that made it


def jobs() -> int:
    """Return how many compilers to run at once: the number of processors available to this process."""
    return len(os.sched_getaffinity(0))


def lock_builds():
    """Hold the lock of the build folder: concurrent runs of ./dev take turns."""
    return lock(make_folder(BUILD) / "dev.lock")


def require_toolchain(compiler=None) -> Toolchain:
    """Return the toolchain, with missing parts installed where that is possible."""
    default = system.require_compiler()
    name = compiler or default
    version = (output([*shlex.split(name), "--version"]) or "").partition("\n")[0]
    variables = [os.environ.get(variable, "") for variable in ("CXX", "CXXFLAGS", "LDFLAGS", "CMAKE_PREFIX_PATH")]
    options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"]
    if compiler or not os.environ.get("CXX"):  # CMake reads CXX itself
        options.append(f"-DCMAKE_CXX_COMPILER={shutil.which(name)}")
    return Toolchain(tool("cmake"), options, repr([name, version, variables]))


def cmake(toolchain: Toolchain, preset: str, name: str, settings=(), depends="", prefix=()) -> Path:
    """Configure build/NAME by a preset if necessary, and build it; return the folder. `prefix` is a command to run
    the build under."""
    folder = BUILD / name
    options = [*toolchain.options, *(f"-D{key}={value}" for key, value in dict(settings).items())]
    environment = {**os.environ, **nats.environment()}
    identity = repr([toolchain.identity, str(ROOT), preset, PRESETS.read_text(), options, depends, nats.find_library()])
    stamp = folder / STAMP
    say = f"building build/{name}"
    if not (stamp.exists() and stamp.read_text() == identity):
        if folder.exists():
            step(f"build/{name} was made with other settings: starting afresh")
            shutil.rmtree(folder)
        command = [toolchain.cmake, "-S", ROOT, "--preset", preset, "-B", folder, *options]
        run(command, f"configure-{name}", say=f"configuring build/{name}", cwd=ROOT, env=environment)
        stamp.write_text(identity)
        say += " (takes minutes)"
    # The variable of CMake takes precedence.
    parallel = [] if "CMAKE_BUILD_PARALLEL_LEVEL" in os.environ else ["--parallel", str(jobs())]
    run([*prefix, toolchain.cmake, "--build", folder, *parallel], f"build-{name}", say=say, env=environment)
    return folder


def require_cpp(preset="release", prefix=()) -> None:
    """Build the C++ tests by a preset, in the folder of the same name."""
    with lock_builds():
        cmake(require_toolchain(), preset, preset, prefix=prefix)


def extension(version: str, preset: str, name: str, python: Path, target=None) -> Path:
    """Build the extension for an interpreter and install the package into `target`, by default build/NAME/site."""
    settings = {"XICHAN_PYTHON": "ON", "XICHAN_TESTS": "OFF", "XICHAN_BENCH": "OFF", "Python_EXECUTABLE": python}
    if version.endswith(cpython.DEBUG):
        # Debian's headers of the debug build are links to the release's, except pyconfig.h. In system folders GCC
        # follows links first: it would find the release's pyconfig.h, and the extension would not count references.
        settings["CMAKE_NO_SYSTEM_FROM_IMPORTED"] = "ON"
    toolchain, interpreter = require_toolchain(), venv.identity(version)
    folder = cmake(toolchain, preset, name, settings, depends=interpreter["interpreter"] + interpreter["version"])
    target = target or make_folder(folder / "site")
    install(toolchain, folder, target, f"install-{name}")
    return target


def require_python(version: str) -> Path:
    """Return the interpreter of a virtual environment that has xichan installed, built from the current sources."""
    with lock_builds():
        system.require_compiler()  # before anything is fetched
        python = venv.require(version)
        preset = "dev" if version.endswith(cpython.DEBUG) else "release"
        extension(version, preset, f"py{version}", python, venv.site_packages(version))
    return python


def require_instrumented_python(version: str, preset: str):
    """Return the interpreter of require_python(), and the environment in which it imports a build by another preset."""
    python = require_python(version)
    with lock_builds():
        site = extension(version, preset, f"{preset}-py{version}", python)
    environment = {"PYTHONPATH": os.fspath(site)}
    if preset in SANITIZERS:
        compiler = system.require_compiler()
        runtime = output([*shlex.split(compiler), f"-print-file-name=lib{preset}.so"]) or ""
        if not os.path.isabs(runtime):
            raise DevError(f"{compiler} has no lib{preset}.so to preload into Python; use g++")
        # Python's own allocators would hide errors inside their pools.
        environment.update(LD_PRELOAD=os.path.realpath(runtime), PYTHONMALLOC="malloc", **SANITIZERS[preset])
    return python, environment


def install(toolchain: Toolchain, folder: Path, target: Path, log: str) -> None:
    """Install the component `python`, and remove files of the previous installation that are no longer part of it."""
    manifest = folder / "install_manifest_python.txt"
    before = manifest.read_text().split("\n") if manifest.exists() else []
    run([toolchain.cmake, "--install", folder, "--component", "python", "--prefix", target], log)
    now = set(manifest.read_text().split("\n"))
    for path in before:
        if path not in now and Path(path).is_relative_to(target):
            Path(path).unlink(missing_ok=True)
