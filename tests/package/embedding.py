"""How to build and run C++ programs that embed an interpreter of tools/cpython.py."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple, Optional

from tools import cpython
from tools.console import output

PROBE = """
import json, os, sys, sysconfig
get = sysconfig.get_config_var
# An interpreter that was moved reports folders that do not exist.
own = os.path.join(sys.base_prefix, "lib")
homes = [get("LIBDIR"), own, os.path.join(own, get("MULTIARCH") or "")]
places = [os.path.join(home, get("LDLIBRARY")) for home in homes]
found = [place for place in places if place.endswith(".so") and os.path.exists(place)]
print(json.dumps({"home": sys.base_prefix, "include": sysconfig.get_path("include"), "library": (found or [None])[-1]}))
"""


class Embedding(NamedTuple):
    """Settings for building a program that embeds the interpreter, and the environment for running it."""

    settings: dict  # for cmake -D
    environment: dict  # in addition to the current one


def find(version: str, packages: Path) -> Optional[Embedding]:
    """Return how to embed a version with `packages` importable, or None if the interpreter has no shared library."""
    interpreter = cpython.get(version)
    printed = output([interpreter, "-I", "-c", PROBE])
    assert printed, f"{interpreter} does not run"
    found = json.loads(printed)
    if found["library"] is None:
        return None
    settings = {
        "Python_EXECUTABLE": interpreter,
        "Python_INCLUDE_DIR": found["include"],
        "Python_LIBRARY": found["library"],
    }
    folder = Path(found["library"]).parent
    loader = next(folder.glob("ld-linux-*.so.*"), None)
    if loader is not None:
        # Unpacked from packages of a newer system, with its own C library: the program needs the loader of that one.
        settings["CMAKE_EXE_LINKER_FLAGS"] = (
            f"-Wl,--allow-shlib-undefined,--disable-new-dtags,-rpath,{folder},--dynamic-linker={loader}"
        )
    return Embedding(settings, {"PYTHONHOME": found["home"], "PYTHONPATH": os.fspath(packages)})
