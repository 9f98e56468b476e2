"""One virtual environment per CPython version, in build/, with what the tests and the benchmarks need."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from . import cpython, pypi
from .cache import lock
from .console import BUILD, ROOT, DevError, output, run, step

STAMP = "xichan-stamp.json"  # what the environment was made from: another answer means to make it again
PEERS_STAMP = "xichan-peers-stamp.json"  # what was added to it for the benchmarks to compare with


def requirements(extra):
    """An extra of pyproject.toml. (tomllib came with Python 3.11; this runs on 3.9.)"""
    text = (ROOT / "pyproject.toml").read_text()
    found = re.search(rf"^{extra} = \[(.*?)\]", text, re.S | re.M)
    if not found:
        raise DevError(f"pyproject.toml has no extra `{extra}`")
    return re.findall(r'"([^"]+)"', found.group(1))


def folder(version: str) -> Path:
    """Where the environment of a version is."""
    return BUILD / f"venv-{version}"


def site_packages(version: str) -> Path:
    """Where its packages are."""
    return folder(version) / "lib" / f"python{cpython.release(version)}" / "site-packages"


def identity(version: str) -> dict:
    """What an environment depends on."""
    interpreter = cpython.get(version)
    return {
        "folder": str(folder(version)),
        "interpreter": str(interpreter),
        "version": output([interpreter, "-V"]),
        "requirements": requirements("test") + requirements("bench"),
    }


def require(version: str, wanted: dict) -> Path:
    """The environment's interpreter; the environment is made if it is missing or was made from something else."""
    place = folder(version)
    python = place / "bin" / "python"
    stamp = place / STAMP
    if stamp.exists() and json.loads(stamp.read_text()) == wanted and python.exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    uv = pypi.tool("uv")
    environment = pypi.uv_environment()
    # uv, because Debian's interpreter comes without ensurepip.
    run(
        [uv, "venv", "--no-project", "--python", wanted["interpreter"], place],
        f"venv-{version}",
        env=environment,
        say=f"making an environment for {cpython.title(version)}",
    )
    run(
        [uv, "pip", "install", "--python", python, *wanted["requirements"]],
        f"requirements-{version}",
        env=environment,
        say=f"installing the test requirements for {cpython.title(version)}",
    )
    stamp.write_text(json.dumps(wanted))
    return python


def add_peers(version: str) -> None:
    """Add what the benchmarks compare with to an environment, but for what does not build on that version."""
    stamp = folder(version) / PEERS_STAMP
    with lock(BUILD / "dev.lock"):
        wanted = requirements("bench-peers")
        if stamp.exists() and json.loads(stamp.read_text()) == wanted:
            return
        uv, environment = pypi.tool("uv"), pypi.uv_environment()
        python = folder(version) / "bin" / "python"
        for peer in wanted:
            log = f"{re.split('[=<>]', peer)[0]}-{version}"
            try:
                run([uv, "pip", "install", "--python", python, peer], log, env=environment, say=f"installing {peer}")
            except DevError:
                step(f"{peer} does not install on CPython {version}: it will be named as missing")
        stamp.write_text(json.dumps(wanted))
