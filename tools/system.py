"""What the build needs from the system: a compiler, CMake, a build program and some C++ headers."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import NamedTuple, Optional

from . import pypi
from .console import DevError, output, run, step

# Headers to look for (one of them is enough), what they belong to, and Debian's package of it.
HEADERS = (
    (["boost/lockfree/spsc_queue.hpp"], "Boost.Lockfree", "libboost-dev"),
    (
        [f"{folder}/concurrentqueue.h" for folder in ("concurrentqueue/moodycamel", "concurrentqueue", "moodycamel")],
        "moodycamel's ConcurrentQueue",
        "libconcurrentqueue-dev",
    ),
    (["gtest/gtest.h"], "GoogleTest", "libgtest-dev"),
    (["benchmark/benchmark.h"], "Google Benchmark", "libbenchmark-dev"),
    (["relacy/relacy.hpp"], "the Relacy model checker", "relacy-dev"),
)
COMPILERS = (
    "c++",
    "g++",
    "clang++",
    *(f"g++-{n}" for n in range(16, 11, -1)),
    *(f"clang++-{n}" for n in range(21, 13, -1)),
)
COMPILER = "a C++20 compiler: g++ 12 or newer, or clang++ 14 or newer"

# Preprocessed rather than compiled: that takes 20 ms and needs nothing else.
QUESTION = """
#if (defined(__clang__) ? __clang_major__ < 14 : __GNUC__ < 12) || !__has_include(<coroutine>)
too old
#endif
"""
for names, _, package in HEADERS:
    QUESTION += f"#if !({' || '.join(f'__has_include(<{name}>)' for name in names)})\nmissing {package}\n#endif\n"


class Toolchain(NamedTuple):
    """The programs that a build uses; `compiler` is None where $CXX names it to CMake."""

    compiler: Optional[str]
    cmake: str
    ctest: str
    generator: str
    make: str
    identity: str  # changes when a build folder made with it can no longer be used


def ask(compiler: str):
    """The preprocessor's answer to QUESTION: None if there is no such compiler or it is too old."""
    places = [
        f"-I{os.path.join(place, 'include')}" for place in os.environ.get("CMAKE_PREFIX_PATH", "").split(":") if place
    ]
    answer = output([*shlex.split(compiler), "-std=c++20", "-E", "-P", "-x", "c++", *places, "-"], text=QUESTION)
    return None if answer is None or "too old" in answer else answer


def compiler():
    """(name of a compiler that serves, the packages whose headers it does not find), or (None, [])."""
    chosen = os.environ.get("CXX")
    for name in [chosen] if chosen else COMPILERS:
        answer = ask(name)
        if answer is not None:
            return name, [package for _, _, package in HEADERS if f"missing {package}" in answer]
    return None, []


def missing():
    """(what is missing, Debian's package of it, whether PyPI has it as well) for each thing that is missing."""
    name, packages = compiler()
    if name is None:
        yield COMPILER, "g++", False
    for names, what, package in HEADERS:
        if package in packages or name is None and not any(os.path.exists(f"/usr/include/{name}") for name in names):
            yield what, package, False
    if not pypi.find("cmake"):
        yield "CMake 3.22 or newer", "cmake", True
    if not (pypi.find("ninja") or shutil.which("make")):
        yield "Ninja or make", "ninja-build", True
    if not (pypi.find("uv") or pypi.can_install()):
        yield "uv, or Python's venv and ensurepip modules to install it with", "python3-venv", False


def require() -> Toolchain:
    """Everything the build needs, installed where that is possible, as the programs to use."""
    lacking = list(missing())
    if lacking:
        install(lacking)
    name, _ = compiler()
    cmake = pypi.tool("cmake")
    ninja = pypi.find("ninja") or (None if shutil.which("make") else pypi.tool("ninja"))
    version = output([*shlex.split(name), "--version"]) or ""
    flags = [os.environ.get(flag, "") for flag in ("CXX", "CXXFLAGS", "LDFLAGS", "CMAKE_PREFIX_PATH")]
    return Toolchain(
        compiler=None if os.environ.get("CXX") else shutil.which(name),
        cmake=str(cmake),
        ctest=str(cmake.with_name("ctest")),
        generator="Ninja" if ninja else "Unix Makefiles",
        make=str(ninja or shutil.which("make")),
        identity=repr([name, version.partition("\n")[0], str(cmake), str(ninja), flags]),
    )


def install(lacking) -> None:
    """Install Debian's packages as root, else say what to do."""
    debian = shutil.which("apt-get") is not None
    if not debian or os.geteuid() != 0:
        lacking = [entry for entry in lacking if not entry[2]]
        if not lacking:
            return
    things = "\n".join(f"  {what}" for what, _, _ in lacking)
    packages = [package for _, package, _ in lacking]
    command = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if not debian:
        raise DevError(f"missing; install with the package manager of this system:\n{things}")
    if os.geteuid() != 0:
        raise DevError(f"missing:\n{things}\nto install, run as root: apt-get update && {command}")
    step("installing " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = ["apt-get", "-q", "-oDPkg::Lock::Timeout=120"]
    run([*apt, "update"], "apt-update", env=environment)
    run([*apt, *shlex.split(command)[1:]], "apt-install", env=environment)
    still = "\n".join(f"  {what}" for what, _, fallback in missing() if not fallback)
    if still:
        raise DevError(
            f"the packages {' '.join(packages)} are installed, but these are still missing or too old:\n{still}"
        )
