"""The model checker SPIN: that of the machine, otherwise Debian's package unpacked into the cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import debian
from .cache import cache_folder
from .console import DevError, output


def cached() -> Path:
    """Return the path of a fetched SPIN, whether or not it exists."""
    return cache_folder() / "spin" / "usr" / "bin" / "spin"


def find():
    """Return a SPIN that runs, or None."""
    for program in (shutil.which("spin"), cached()):
        if program and (output([program, "-V"]) or "").startswith("Spin Version 6"):
            return Path(program)
    return None


def suite() -> str:
    """Return the name of this Debian release: packages of another one may need a newer C library."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    release = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    if release.get("ID") != "debian" or not release.get("VERSION_CODENAME"):
        raise DevError("SPIN is not installed and this is not a Debian release: install spin")
    return release["VERSION_CODENAME"]


def get() -> Path:
    """Return a SPIN that runs; fetch it if necessary, which does not need root."""
    place = cached().parents[2]
    return find() or debian.fetch("SPIN", [suite()], ["spin"], find, lambda prefix: debian.move(prefix, place))
