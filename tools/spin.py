"""The model checker SPIN: one that the machine has, or else Debian's package unpacked into the cache."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from . import debian
from .cache import cache_folder, lock
from .console import DevError, output, step


def cached() -> Path:
    """Where a fetched one is, or would be."""
    return cache_folder() / "spin" / "usr" / "bin" / "spin"


def find():
    """A SPIN that runs, or None."""
    for program in (shutil.which("spin"), cached()):
        if program and (output([program, "-V"]) or "").startswith("Spin Version 6"):
            return Path(program)
    return None


def suite() -> str:
    """The name of this Debian system: packages of another one may want a newer C library."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    release = dict(line.split("=", 1) for line in lines if "=" in line)
    name = release.get("VERSION_CODENAME", "").strip('"')
    if release.get("ID", "").strip('"') != "debian" or not name:
        raise DevError("this is no release of Debian")
    return name


def get() -> Path:
    """A SPIN that runs, fetched if need be; needs no root."""
    found = find()
    if found:
        return found
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise DevError(f"no spin on PATH, and no {program} to fetch Debian's package of it with")
    name, errors = suite(), []
    cache = cache_folder()
    with lock(cache / "fetch.lock"), tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as work:
        for number, (mirror, keyring) in enumerate(debian.archives()):
            archive = debian.Archive(Path(work) / str(number), mirror, keyring, name)
            try:
                debian.unpack(archive.fetch(["spin"]), Path(work) / "prefix")
                break
            except DevError as error:
                errors.append(f"from {archive.name}: {error}")
        else:
            raise DevError("could not fetch spin\n" + "\n".join(errors))
        home = cached().parents[2]
        shutil.rmtree(home, ignore_errors=True)
        os.rename(Path(work) / "prefix", home)
    found = find()
    if found is None:
        raise DevError(f"{cached()} does not run")
    step(f"SPIN is in {home}")
    return found
