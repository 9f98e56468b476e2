"""NATS: the C client library and servers, those of the machine, otherwise Debian's packages unpacked into the cache.

Only the extension `_nats`, its tests and its benchmarks use them. If they cannot be fetched, these are left out.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import time
from pathlib import Path

from . import debian
from .bootstrap import tool
from .cache import cache_folder
from .console import DevError, output, run, step

OLDEST = "3.4"  # the oldest usable libnats
SUITE = "bookworm"  # its packages need no newer C library than 2.34
# Without OpenSSL: a process must not load two versions of it, and Python has loaded its own.
LIBRARY = ("libnats-dev", "libnats3.4", "libprotobuf-c1", "pkgconf-bin", "libpkgconf3")
NEWEST = (2, 10)  # the first server with what storage="durable" needs
# The packages of each server. The newest one comes with the C library that it was built for.
SERVERS = {"sid": ("nats-server", "libc6"), SUITE: ("nats-server",)}
CONTENDER = "nats-py==2.15.0"  # what ./dev bench nats compares with; python -m xichan.bench does not use it
DAY = 24 * 60 * 60  # seconds for which a failed attempt to fetch is not repeated


def library() -> Path:
    """Return the prefix of a fetched libnats, whether or not it exists."""
    return cache_folder() / "libnats" / "usr"


def server(suite: str) -> Path:
    """Return the path of a fetched server, whether or not it exists."""
    return cache_folder() / f"nats-server-{suite}" / "usr" / "sbin" / "nats-server"


def failure() -> Path:
    """Return the path of the file that holds the reason why fetching failed."""
    return cache_folder() / "nats-unavailable.txt"


def find_library():
    """Return the variables with which pkg-config finds libnats, none if it needs none; or None if it does not exist."""
    folders = map(os.fspath, library().glob("lib/*/pkgconfig"))
    fetched = {"PKG_CONFIG_PATH": os.pathsep.join(filter(None, [os.environ.get("PKG_CONFIG_PATH"), *folders]))}
    program = os.environ.get("PKG_CONFIG", "pkg-config")
    if shutil.which(program) is None:
        program = fetched["PKG_CONFIG"] = os.fspath(library() / "bin" / "pkgconf")
    for found in ({}, fetched):
        query = [program, f"--atleast-version={OLDEST}", "libnats"]
        if output(query, env={**os.environ, **found}) is not None:
            return found
    return None


def version(program) -> tuple:
    """Return the version of a server as three numbers, or () if it does not run."""
    found = re.search(r"\bv(\d+)\.(\d+)\.(\d+)", output([program, "--version"]) or "")
    return tuple(map(int, found.groups())) if found else ()


def find_servers() -> list:
    """Return (version, path) of each usable server, the newest first. XICHAN_NATS_SERVER restricts them to one."""
    chosen = os.environ.get("XICHAN_NATS_SERVER")
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])  # where Debian installs it
    places = [chosen] if chosen else [shutil.which("nats-server", path=path), *map(server, SERVERS)]
    found = {version(place): Path(place) for place in places if place and os.access(place, os.X_OK)}
    return sorted(((numbers, place) for numbers, place in found.items() if numbers), reverse=True)


def place_library(prefix: Path) -> None:
    """Adapt the paths in an unpacked libnats to its place in the cache, and move it there."""
    home = library()
    for file in prefix.glob("usr/lib/*/pkgconfig/libnats.pc"):
        file.write_text(re.sub("^prefix=.*", f'prefix="{home}"', file.read_text(), flags=re.M))
    (folder,) = (file.parent for file in prefix.glob("usr/lib/*/libnats.so"))
    # DT_RPATH, because with DT_RUNPATH the loader would not look for OpenSSL where Python's own is.
    paths = ["--force-rpath", "--set-rpath", home / folder.relative_to(prefix / "usr")]
    for file in ((folder / "libnats.so").resolve(), prefix / "usr" / "bin" / "pkgconf"):
        run([tool("patchelf"), *paths, file], "patchelf-libnats")
    debian.move(prefix, home.parent)


def place_server(prefix: Path, suite: str) -> None:
    """Make an unpacked server use the C library that came with it, if any, and move it into the cache."""
    home = server(suite).parents[2]
    for loader in prefix.glob("usr/lib/*/ld-linux-*.so.*"):
        final = home / loader.relative_to(prefix)
        options = ["--set-interpreter", final, "--force-rpath", "--set-rpath", final.parent]
        run([tool("patchelf"), *options, prefix / "usr" / "sbin" / "nats-server"], "patchelf-nats-server")
    debian.move(prefix, home)


def fetch() -> None:
    """Fetch the library and the servers that are missing; raise DevError if that fails."""
    if find_library() is None:
        debian.fetch("libnats", [SUITE], LIBRARY, find_library, place_library)
    if os.environ.get("XICHAN_NATS_SERVER"):
        return
    for suite, packages in SERVERS.items():
        path = server(suite)
        if not version(path):
            place = functools.partial(place_server, suite=suite)
            debian.fetch(f"nats-server of {suite}", [suite], packages, lambda path=path: version(path), place)


def complete() -> bool:
    """Return True if the library and a server with all that the tests use exist."""
    servers = find_servers()
    chosen = "XICHAN_NATS_SERVER" in os.environ
    return find_library() is not None and bool(servers) and (chosen or servers[0][0] >= NEWEST)


@functools.cache
def environment() -> dict:
    """Return the variables with which CMake finds libnats; none if there is none. Fetches what is missing.

    A failure is reported, and the attempt is not repeated for a day; `./dev setup` repeats it at once.
    """
    file = failure()
    tried = file.exists() and time.time() - file.stat().st_mtime < DAY
    if not tried and not complete():
        try:
            fetch()
            file.unlink(missing_ok=True)
        except DevError as error:
            file.write_text(str(error).partition("\n")[0] + "\n")
            step(f"NATS is incomplete, and its tests are skipped: {error}")
    return find_library() or {}


def forget_failure() -> None:
    """Let the next call of environment() try again to fetch what is missing."""
    failure().unlink(missing_ok=True)
    environment.cache_clear()
