"""CPython interpreters: those of the machine, otherwise Debian's packages unpacked into the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import debian
from .bootstrap import tool
from .cache import cache_folder
from .console import DevError, output, run, step

FIRST = {"3.13": (3, 13, 1), "3.14": (3, 14, 0), "3.15": (3, 15, 0)}  # the oldest usable releases
NEWEST = "3.14"  # the version of everything that uses a single one
TESTED = ("3.14", "3.15")  # 3.13 too, if the machine has it; it is fetched on request and for its wheel only
DEBUG = "d"  # the suffix of CPython's debug build, as in its file names
SUITES = {"3.13": ("trixie",), "3.14": ("forky", "sid"), "3.15": ("forky", "sid")}

# The shared libraries that the interpreter and its standard library load.
LIBRARIES = (
    "libc6 libexpat1 zlib1g libssl3t64 libffi8 liblzma5 libncursesw6 libreadline8t64 libsqlite3-0 libtinfo6 "
    "libuuid1 libzstd1 libbz2-1.0 libgcc-s1 libstdc++6"
).split()

# Prints the version, the release level and whether the headers exist; fails for a shim without an interpreter.
PROBE = (
    "import sys, os, sysconfig; "
    "print(*sys.version_info[:4], sys.implementation.name, "
    "os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')), "
    "sysconfig.get_config_var('Py_GIL_DISABLED') or 0, hasattr(sys, 'gettotalrefcount'))"
)
SMOKE = (
    "import ssl, ctypes, sqlite3, lzma, bz2, zlib, uuid, readline, multiprocessing, _interpreters; "
    "_interpreters.destroy(_interpreters.create())"
)


def release(version: str) -> str:
    """Return the version without the suffix of a debug build."""
    return version.removesuffix(DEBUG)


def title(version: str) -> str:
    """Return the name of a version for messages."""
    return f"CPython {release(version)}" + (" (debug build)" if version.endswith(DEBUG) else "")


def usable(python, version: str) -> bool:
    """Return True if an executable runs, is a recent enough release of that version, and has its headers."""
    printed = output([python, "-I", "-c", PROBE])
    if not printed:
        return False
    major, minor, micro, level, name, headers, no_gil, debug = printed.split()
    found = (int(major), int(minor), int(micro))
    oldest = FIRST[release(version)]
    return (
        f"{major}.{minor}" == release(version)
        and (found > oldest or found == oldest and level == "final")
        and (name, headers, no_gil) == ("cpython", "True", "0")
        and (debug == "True" or not version.endswith(DEBUG))
    )


def cached(version: str) -> Path:
    """Return the path of a fetched interpreter, whether or not it exists."""
    return cache_folder() / f"cpython-{version}" / "usr" / "bin" / f"python{version}"


def on_path(version: str):
    """Return a usable interpreter on PATH, or None."""
    for folder in os.get_exec_path():
        python = os.path.join(folder, f"python{version}")
        if os.access(python, os.X_OK) and usable(python, version):
            return Path(python)
    return None


def find(version: str):
    """Return a usable interpreter without fetching one, or None."""
    python = on_path(version)
    if python is None and usable(cached(version), version):
        python = cached(version)
    return python


def get(version: str) -> Path:
    """Return a usable interpreter; fetch it if necessary."""
    python = find(version)
    if python is None and shutil.which("apt-get"):
        python = fetch(version)
    if python is None:
        oldest = ".".join(map(str, FIRST[release(version)]))
        raise DevError(
            f"no usable python{version} on PATH: install {title(version)}, {oldest} or newer, with its headers, "
            f"for example with `uv python install {release(version)}`"
        )
    return python


def fetch(version: str) -> Path:
    """Unpack Debian's packages of an interpreter into the cache; return the interpreter."""
    name = f"python{release(version)}"
    packages = [name, f"{name}-minimal", f"lib{name}", f"lib{name}-minimal", f"lib{name}-stdlib", f"lib{name}-dev"]
    if version.endswith(DEBUG):  # shares the standard library and most headers with the release build
        packages += [f"{name}-dbg", f"lib{name}-dbg"]

    def find():
        return cached(version) if usable(cached(version), version) else None

    return debian.fetch(
        title(version), SUITES[release(version)], packages + LIBRARIES, find, lambda prefix: place(prefix, version)
    )


def place(prefix: Path, version: str) -> None:
    """Make an unpacked interpreter use its own loader and libraries, and move it into the cache."""
    patchelf = tool("patchelf")
    home = cached(version).parents[2]
    triplet = next((prefix / "usr" / "lib").glob("*-linux-gnu*")).name
    # pyconfig.h includes <TRIPLET/pythonX.Y/pyconfig.h>: with this link one include path is enough.
    (prefix / "usr" / "include" / f"python{version}" / triplet).symlink_to(f"../{triplet}")
    binary = prefix / "usr" / "bin" / f"python{version}"
    loader = os.path.basename(output([patchelf, "--print-interpreter", binary]) or "")
    libraries = home / "usr" / "lib" / triplet  # the final path, not the temporary one
    paths = ["--set-interpreter", libraries / loader, "--force-rpath", "--set-rpath", libraries]
    run([patchelf, *paths, binary], "patchelf")
    debian.move(prefix, home)
    try:
        run([cached(version), "-I", "-c", SMOKE], f"cpython-{version}")
    except DevError:
        shutil.rmtree(home)
        raise
    step(f"{title(version)} is in {home}")


def available():
    """Return the versions to work with: TESTED, and others that are on PATH."""
    return [version for version in FIRST if version in TESTED or on_path(version)]
