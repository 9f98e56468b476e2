"""python -m xichan: the version, and the paths of the C++ headers, the library and the CMake package."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the requested values, one line each, in the order of the options below."""
    parser = argparse.ArgumentParser(prog="python -m xichan", description=__doc__.partition(": ")[2])
    parser.add_argument("--version", action="store_true", help="the version")
    parser.add_argument("--includedir", action="store_true", help="for -I: #include <xichan/xichan.h>")
    parser.add_argument("--libdir", action="store_true", help="for -L and -rpath, with -l:libxichan.so.0")
    parser.add_argument("--cmakedir", action="store_true", help="for -Dxichan_DIR: find_package(xichan)")
    options = vars(parser.parse_args(arguments))
    values = {
        "version": __version__,
        "includedir": PACKAGE / "include",
        "libdir": PACKAGE,
        "cmakedir": PACKAGE / "cmake",
    }
    if not any(options.values()):
        parser.print_help()
    for name, value in values.items():
        if options[name]:
            print(value)


if __name__ == "__main__":
    main()
