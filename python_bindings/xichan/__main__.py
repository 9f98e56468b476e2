"""python -m xichan: print the version, and the paths of the headers, the library and the CMake package."""

import argparse
from pathlib import Path

from . import __version__

PACKAGE = Path(__file__).resolve().parent


def main(arguments=None):
    """Print each requested item on its own line, in the order of the options."""
    parser = argparse.ArgumentParser(
        prog="python -m xichan",
        description="Print the version, and the paths of the headers, the library and the CMake package.",
    )
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
