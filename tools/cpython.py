"""CPython interpreters: one that the machine has, or else Debian's packages unpacked into the cache."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import debian
from .cache import cache_folder, lock
from .console import DevError, output, run, step
from .pypi import tool

FIRST = {"3.13": (3, 13, 1), "3.14": (3, 14, 0), "3.15": (3, 15, 0)}  # the oldest release that serves
FETCHED = ("3.14", "3.15")  # 3.13 is used where it is at hand
DEBUG = "d"  # a version with this at its end is CPython's debug build of it, as in the names of its own files
SUITES = ("forky", "sid")

# The interpreter, its headers, and every shared library that it or its standard library loads.
LIBRARIES = (
    "libc6 libexpat1 zlib1g libssl3t64 libffi8 liblzma5 libncursesw6 libreadline8t64 libsqlite3-0 libtinfo6 "
    "libuuid1 libzstd1 libbz2-1.0 libgcc-s1 libstdc++6"
).split()

# Prints the version, release level, and whether the headers are there; fails for a shim without an interpreter.
PROBE = (
    "import sys, os, sysconfig; "
    "print(*sys.version_info[:4], sys.implementation.name, "
    "os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')), "
    "sysconfig.get_config_var('Py_GIL_DISABLED') or 0, hasattr(sys, 'gettotalrefcount'))"
)
SMOKE = (
    "import ssl, ctypes, sqlite3, lzma, bz2, zlib, uuid, readline, multiprocessing; "
    "from concurrent import interpreters; interpreters.create().close()"
)


def release(version: str) -> str:
    """The version without the mark of a debug build."""
    return version.removesuffix(DEBUG)


def title(version: str) -> str:
    """What to call an interpreter of that version."""
    return f"CPython {release(version)}" + (" (debug build)" if version.endswith(DEBUG) else "")


def usable(python, version: str) -> bool:
    """Whether an executable runs, is a release of that version new enough, and has its headers."""
    answer = output([python, "-I", "-c", PROBE])
    if not answer:
        return False
    major, minor, micro, level, name, headers, no_gil, debug = answer.split()
    found = (int(major), int(minor), int(micro))
    oldest = FIRST[release(version)]
    return (
        f"{major}.{minor}" == release(version)
        and (found > oldest or found == oldest and level == "final")
        and (name, headers, no_gil) == ("cpython", "True", "0")
        and (debug == "True" or not version.endswith(DEBUG))
    )


def cached(version: str) -> Path:
    """Where a fetched interpreter is, or would be."""
    return cache_folder() / f"cpython-{version}" / "usr" / "bin" / f"python{version}"


def on_path(version: str):
    """A usable interpreter of the machine's own, or None."""
    for folder in os.get_exec_path():
        python = os.path.join(folder, f"python{version}")
        if os.access(python, os.X_OK) and usable(python, version):
            return Path(python)
    return None


def find(version: str):
    """A usable interpreter that is already there, or None."""
    python = on_path(version)
    if python is None and release(version) in FETCHED and usable(cached(version), version):
        python = cached(version)
    return python


def get(version: str) -> Path:
    """A usable interpreter, fetched if need be."""
    python = find(version)
    if python is None and release(version) in FETCHED:
        python = fetch(version)
    if python is None:
        oldest = ".".join(map(str, FIRST[release(version)]))
        raise DevError(f"no usable python{version} on PATH ({title(version)}, {oldest} or newer, with its headers)")
    return python


def fetch(version: str) -> Path:
    """Unpack Debian's packages of an interpreter into the cache."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise DevError(
                f"no usable python{version} on PATH, and no {program} to fetch Debian's packages of it with: "
                f"install {title(version)} with its headers"
            )
    patchelf = tool("patchelf")  # first: without it no suite would do
    cache = cache_folder()
    with lock(cache / "fetch.lock"):
        if usable(cached(version), version):  # another process was faster
            return cached(version)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as work:
            return fetch_into(Path(work), version, patchelf)


def fetch_into(work: Path, version: str, patchelf: Path) -> Path:
    """Try every suite of every archive until one gives an interpreter that works."""
    errors = []
    for number, (mirror, keyring) in enumerate(debian.archives()):
        for suite in SUITES:
            archive = debian.Archive(work / f"{suite}-{number}", mirror, keyring, suite)
            try:
                return place(archive, work / f"prefix-{suite}-{number}", version, patchelf)
            except DevError as error:
                errors.append(f"from {archive.name}: {error}")
                step(f"no {title(version)} from {archive.name}")
    raise DevError(f"could not fetch {title(version)}\n" + "\n".join(errors))


def place(archive, prefix: Path, version: str, patchelf: Path) -> Path:
    """Download, unpack, make the interpreter find its own loader and libraries, move it to its place."""
    name = f"python{release(version)}"
    packages = [name, f"{name}-minimal", f"lib{name}", f"lib{name}-minimal", f"lib{name}-stdlib", f"lib{name}-dev"]
    if version.endswith(DEBUG):  # beside the others: the standard library and most headers are theirs
        packages += [f"{name}-dbg", f"lib{name}-dbg"]
    debs = archive.fetch(packages + LIBRARIES)
    step(f"unpacking {title(version)}")
    debian.unpack(debs, prefix)
    home = cached(version).parents[2]
    triplet = next((prefix / "usr" / "lib").glob("*-linux-gnu*")).name
    # pyconfig.h includes <TRIPLET/pythonX.Y/pyconfig.h>: with this link one include path is enough.
    (prefix / "usr" / "include" / f"python{version}" / triplet).symlink_to(f"../{triplet}")
    binary = prefix / "usr" / "bin" / f"python{version}"
    loader = os.path.basename(output([patchelf, "--print-interpreter", binary]) or "")
    libraries = home / "usr" / "lib" / triplet  # in the final place: the temporary one is about to go
    run(
        [patchelf, "--set-interpreter", libraries / loader, "--force-rpath", "--set-rpath", libraries, binary],
        "patchelf",
    )
    if home.exists():
        shutil.rmtree(home)
    prefix.rename(home)
    python = cached(version)
    try:
        run([python, "-I", "-c", SMOKE], f"cpython-{version}")
        if not usable(python, version):
            raise DevError(f"{python} is no release of {title(version)} with headers")
    except DevError:
        shutil.rmtree(home)
        raise
    step(f"{title(version)} is in {home}")
    return python


def available():
    """The versions to work with: those that can be fetched, and 3.13 where it is at hand."""
    return [version for version in FIRST if version in FETCHED or find(version)]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or FETCHED:
        print(get(wanted))
