"""What a build needs from the system: a C++20 compiler and the headers of some libraries."""

from __future__ import annotations

import functools
import os
import shlex
import shutil

from .console import DevError, network_failure, output, run, step

# Header names (one of them must exist), the library they belong to, and Debian's package of it.
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
COMPILER = ("a C++20 compiler: g++ 12 or newer, or clang++ 14 or newer", "g++")

# Preprocessed only: that takes 20 ms and needs no library.
PROBE = """
#if (defined(__clang__) ? __clang_major__ < 14 : __GNUC__ < 12) || !__has_include(<coroutine>)
too old
#endif
"""
for names, _, package in HEADERS:
    PROBE += f"#if !({' || '.join(f'__has_include(<{name}>)' for name in names)})\nmissing {package}\n#endif\n"


def probe(compiler: str):
    """Preprocess PROBE; return the output, or None if the compiler does not exist or is too old."""
    prefixes = filter(None, os.environ.get("CMAKE_PREFIX_PATH", "").split(":"))
    includes = [f"-I{os.path.join(prefix, 'include')}" for prefix in prefixes]
    found = output([*shlex.split(compiler), "-std=c++20", "-E", "-P", "-x", "c++", *includes, "-"], text=PROBE)
    return None if found is None or "too old" in found else found


def find_compiler():
    """Return (the first usable compiler, the packages whose headers it does not find), or (None, [])."""
    chosen = os.environ.get("CXX")
    for name in [chosen] if chosen else COMPILERS:
        found = probe(name)
        if found is not None:
            return name, [package for _, _, package in HEADERS if f"missing {package}" in found]
    return None, []


def missing():
    """Yield (description, Debian's package) of each missing requirement."""
    compiler, packages = find_compiler()
    if compiler is None:
        description, package = COMPILER
        chosen = os.environ.get("CXX")
        if chosen:
            description += f"; CXX={chosen} is not one: set it to one, or unset it"
        yield description, package
    for names, library, package in HEADERS:
        absent = not any(os.path.exists(f"/usr/include/{name}") for name in names)
        if package in packages or compiler is None and absent:
            yield library, package


@functools.cache
def require_compiler() -> str:
    """Return a usable compiler, installed with the headers where that is possible."""
    lacking = list(missing())
    if lacking:
        install(lacking)
        still = "\n".join(f"  {description}" for description, _ in missing())
        if still:
            raise DevError(f"still missing or too old after the installation of Debian's packages:\n{still}")
    return find_compiler()[0]


def install(lacking) -> None:
    """Install the Debian packages of (description, package) pairs as root; otherwise raise DevError with a remedy."""
    descriptions = "\n".join(f"  {description}" for description, _ in lacking)
    command = ["apt-get", "install", "-y", "--no-install-recommends", *(package for _, package in lacking)]
    if shutil.which("apt-get") is None:
        raise DevError(f"missing; install with the package manager of this system:\n{descriptions}")
    if os.geteuid() != 0:
        raise DevError(f"missing:\n{descriptions}\nto install, run as root: apt-get update && {shlex.join(command)}")
    step("the build needs " + shlex.join(command[4:]) + ", which apt-get installs")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    options = ["-q", "-oDPkg::Lock::Timeout=120"]
    try:
        run(["apt-get", *options, "update"], "apt-update", env=environment, say="reading the package lists")
        run(["apt-get", *options, *command[1:]], "apt-install", env=environment, say="installing packages")
    except DevError as error:
        reason = network_failure(error)
        if not reason:
            raise
        raise DevError(f"missing:\n{descriptions}\napt-get cannot fetch them: {reason}") from None
