"""Building and running C++ programs that embed an interpreter of tools/cpython.py."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple, Optional

from . import cpython
from .console import DevError, output

PROBE = """
import json, os, sys, sysconfig
get = sysconfig.get_config_var
# An interpreter that was moved names folders that are not there.
own = os.path.join(sys.base_prefix, "lib")
homes = [get("LIBDIR"), own, os.path.join(own, get("MULTIARCH") or "")]
places = [os.path.join(home, get("LDLIBRARY")) for home in homes]
found = [place for place in places if place.endswith(".so") and os.path.exists(place)]
print(json.dumps({"home": sys.base_prefix, "include": sysconfig.get_path("include"), "library": (found or [None])[-1]}))
"""


class Embedding(NamedTuple):
    """What CMake needs to build a program that embeds the interpreter, and what the program needs to run."""

    settings: dict  # for cmake -D
    environment: dict  # besides what is there


def find(version: str, packages: Path) -> Optional[Embedding]:
    """How to embed a version with `packages` importable; None if the interpreter has no shared library."""
    interpreter = cpython.get(version)
    answer = output([interpreter, "-I", "-c", PROBE])
    if answer is None:
        raise DevError(f"{interpreter} does not run")
    found = json.loads(answer)
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
        # Unpacked from packages of a newer system, with a C library of its own: its loader has to run the program.
        settings["CMAKE_EXE_LINKER_FLAGS"] = (
            f"-Wl,--allow-shlib-undefined,--disable-new-dtags,-rpath,{folder},--dynamic-linker={loader}"
        )
    return Embedding(settings, {"PYTHONHOME": found["home"], "PYTHONPATH": os.fspath(packages)})
