"""One virtual environment per CPython version, in build/, for the tests and the benchmarks."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from . import bootstrap, cpython
from .cache import lock
from .console import BUILD, DevError, output, run, step

STAMP = "xichan-stamp.json"  # what the environment was made from; if that changes, it is made again
PEERS_STAMP = "xichan-peers-stamp.json"


def folder(version: str) -> Path:
    """Return the path of a version's environment."""
    return BUILD / f"venv-{version}"


def site_packages(version: str) -> Path:
    """Return the folder of its packages."""
    return folder(version) / "lib" / f"python{cpython.release(version)}" / "site-packages"


def identity(version: str) -> dict:
    """Return what an environment depends on."""
    interpreter = cpython.get(version)
    return {
        "folder": str(folder(version)),
        "interpreter": str(interpreter),
        "version": output([interpreter, "-V"]),
        "requirements": bootstrap.dependency_groups(),
    }


def require(version: str) -> Path:
    """Return the environment's interpreter; create the environment if it is missing or out of date."""
    place, wanted = folder(version), identity(version)
    python, stamp = place / "bin" / "python", place / STAMP
    if stamp.exists() and json.loads(stamp.read_text()) == wanted and python.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    title = cpython.title(version)
    say = f"creating an environment for {title}"
    # Without pip, because Debian's interpreter comes without ensurepip.
    run([wanted["interpreter"], "-m", "venv", "--without-pip", place], f"venv-{version}", say=say)
    say = f"installing the test requirements for {title}"
    bootstrap.pip_install(python, bootstrap.group("test"), f"requirements-{version}", say)
    stamp.write_text(json.dumps(wanted))
    return python


def add_peers(version: str) -> None:
    """Add the contenders of the benchmarks to an environment, except those that do not build for its version."""
    import nox.project

    with lock(BUILD / "dev.lock"):
        stamp = folder(version) / PEERS_STAMP
        wanted = nox.project.dependency_groups(nox.project.load_toml(bootstrap.PYPROJECT), "bench-peers")
        if stamp.exists() and json.loads(stamp.read_text()) == list(wanted):
            return
        python = folder(version) / "bin" / "python"
        for peer in wanted:
            log = f"{re.split('[=<>]', peer)[0]}-{version}"
            try:
                bootstrap.pip_install(python, [peer], log, f"installing {peer}")
            except DevError:
                step(f"{peer} does not install on CPython {version}: the benchmarks will list it as missing")
        stamp.write_text(json.dumps(wanted))
