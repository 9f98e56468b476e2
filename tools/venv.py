"""One virtual environment per CPython version, in build/, with what the tests need."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from . import cpython, pypi
from .cache import lock
from .console import BUILD, ROOT, DevError, output, run, step

STAMP = "xichan-stamp.json"  # what the environment was made from: another answer means to make it again
BENCH_STAMP = "xichan-bench-stamp.json"  # what was added to it for the benchmarks


def requirements(extra="test"):
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
    return folder(version) / "lib" / f"python{version}" / "site-packages"


def identity(version: str) -> dict:
    """What an environment depends on."""
    interpreter = cpython.get(version)
    return {
        "folder": str(folder(version)),
        "interpreter": str(interpreter),
        "version": output([interpreter, "-V"]),
        "requirements": requirements(),
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
        say=f"making an environment for CPython {version}",
    )
    run(
        [uv, "pip", "install", "--python", python, *wanted["requirements"]],
        f"requirements-{version}",
        env=environment,
        say=f"installing the test requirements for CPython {version}",
    )
    stamp.write_text(json.dumps(wanted))
    return python


def add_bench(version: str) -> None:
    """Add what the benchmarks need to an environment, and the contenders from PyPI, but for those that do not build."""
    stamp = folder(version) / BENCH_STAMP
    with lock(BUILD / "dev.lock"):
        wanted = [requirements("bench"), requirements("bench-peers")]
        if stamp.exists() and json.loads(stamp.read_text()) == wanted:
            return
        install = [pypi.tool("uv"), "pip", "install", "--python", folder(version) / "bin" / "python"]
        environment = pypi.uv_environment()
        run(
            [*install, *wanted[0]],
            f"bench-requirements-{version}",
            env=environment,
            say=f"installing what the benchmarks need for CPython {version}",
        )
        for peer in wanted[1]:
            name = re.split(r"[=<>]", peer)[0]
            try:
                run(
                    [*install, peer],
                    f"bench-{name}-{version}",
                    env=environment,
                    say=f"installing {peer} to compare with",
                )
            except DevError:
                step(f"{peer} does not install on CPython {version}: it will be named as missing")
        stamp.write_text(json.dumps(wanted))
