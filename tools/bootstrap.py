"""The first stage of ./dev: creates a virtual environment in the cache and continues in its interpreter.

The environment holds the group `dev` of pyproject.toml: nox, CMake, Ninja and the formatters. This module and what it
imports (cache, console, system) use the standard library only.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
from pathlib import Path

from . import system
from .cache import cache_folder, lock
from .console import LOGS, ROOT, DevError, keep_start, network_failure, output, run, step

PYPROJECT = ROOT / "pyproject.toml"
PIP = "pip>=25.1"  # the first version with --group
STAMP = "xichan-stamp"  # written last: the environment is complete
VENV = ("Python's ensurepip module", "python3-venv")


def dependency_groups() -> str:
    """Return the text of [dependency-groups] in pyproject.toml. A change in it creates new environments."""
    return re.search(r"^\[dependency-groups\]\n(.*?)(?=^\[|\Z)", PYPROJECT.read_text(), re.S | re.M).group(1)


def group(name: str) -> list:
    """Return pip's arguments that install a dependency group."""
    return ["--group", f"{PYPROJECT}:{name}"]


def folder() -> Path:
    """Return the path of the environment. Checkouts with equal dependency groups share it."""
    return cache_folder() / f"tools-{hashlib.sha256(dependency_groups().encode()).hexdigest()[:12]}"


@functools.cache
def require() -> Path:
    """Return the interpreter of the environment, which is created if it is missing or broken."""
    place = folder()
    python = place / "bin" / "python"

    def ready():  # an upgrade of the machine's Python leaves an interpreter without its packages
        return (place / STAMP).exists() and output([python, "-c", "import pip"]) is not None

    if ready():
        return python
    with lock(cache_folder() / "tools.lock"):
        if not ready():
            if output([sys.executable, "-c", "import ensurepip"]) is None:
                system.install([*system.missing(), VENV])
            step(f"the first run sets up tools and builds, which takes minutes; it uses build/ and {cache_folder()}")
            say = "creating an environment for tools"
            run([sys.executable, "-m", "venv", "--clear", place], "tools-venv", say=say)
            run_pip([python, "-m", "pip"], ["--upgrade", PIP], "tools-pip", "updating its pip")
            run_pip([python, "-m", "pip"], group("dev"), "tools", "installing nox, CMake and formatters")
            (place / STAMP).touch()
    return python


def run_pip(pip, arguments, log: str, say: str) -> None:
    """Install packages with a pip; the user's pip settings apply.

    Files are compiled when they are first imported, which halves the time.
    """
    try:
        run([*pip, "install", "--no-user", "--no-compile", *arguments], log, say=say)
    except DevError as error:
        reason = network_failure(error)
        if not reason:
            raise
        raise DevError(
            f"pip cannot reach its package index: {reason}. The first run of ./dev needs a network connection. "
            "Proxies, mirrors and certificates are settings of pip, such as PIP_INDEX_URL and PIP_CERT. Its output is "
            f"in {LOGS / log}.log"
        ) from None


def pip_install(python: Path, requirements, log: str, say: str) -> None:
    """Install packages for another interpreter with the pip of the environment."""
    run_pip([require(), "-m", "pip", "--python", python], requirements, log, say)


def tool(name: str) -> Path:
    """Return the path of a program in the environment."""
    return require().with_name(name)


def main() -> int:
    """Run ./dev in the environment; return its exit code."""
    try:
        if os.path.realpath(sys.prefix) != os.path.realpath(folder()):
            python = os.fspath(require())
            keep_start()
            os.execv(python, [python, os.fspath(ROOT / "dev"), *sys.argv[1:]])
        from . import cli

        return cli.dispatch(sys.argv[1:])
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (DevError, OSError) as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
