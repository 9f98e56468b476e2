"""python -m xichan: a check of the installation, the version and the paths of the C++ side; probe; top."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

import xichan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGE = Path(__file__).resolve().parent
PATIENCE = 30.0  # seconds for each step of a check
VALUE = {"a key": [1, 2.5, ("text", b"bytes", None)]}

COMMANDS = """\
Other commands:
  python -m xichan --version | --includedir | --libdir | --cmakedir
  python -m xichan probe NAME...       whether packages load in worker interpreters
  python -m xichan top [PID]           what the channels, workers and waiting calls of a process do
  python -m xichan.bench --help        measure this machine
  python -c "help('xichan')"           the public names on one page
"""


class Failed(Exception):
    """A check failed; the message says what was expected, what was found and what to do."""


def check_channel() -> str:
    """Send a value through a channel of this interpreter."""
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send(VALUE, timeout=PATIENCE)
        expect(VALUE, rx.recv(timeout=PATIENCE))
    return "a dict came back equal"


def check_interpreters() -> str:
    """Send a value to another interpreter and back."""
    if sys.version_info < (3, 14):
        return f"not available: CPython {platform.python_version()} lacks concurrent.interpreters; 3.14 has it"
    from concurrent import interpreters

    (to_worker, requests), (replies, from_worker) = xichan.channel(1), xichan.channel(1)
    worker = interpreters.create()
    try:
        worker.prepare_main(requests=requests, replies=replies)
        to_worker.send(VALUE, timeout=PATIENCE)
        begin = time.perf_counter()
        worker.exec("replies.send(requests.recv(timeout=30), timeout=30)")
        expect(VALUE, from_worker.recv(timeout=PATIENCE))
        return f"a dict went to another interpreter and back in {(time.perf_counter() - begin) * 1e3:.1f} ms"
    finally:
        worker.close()


def check_pool() -> str:
    """Call a function in a worker of a pool."""
    if sys.version_info < (3, 14):
        return "not available: needs CPython 3.14"
    with xichan.InterpreterPoolExecutor(1) as pool:
        expect(1024, pool.submit(pow, 2, 10).result(PATIENCE))
    return "a worker interpreter computed 2**10"


def check_cpp() -> str:
    """Find what a C++ program is built against."""
    for name in ("include/xichan/xichan.h", "libxichan.so.0", "cmake/xichan-config.cmake"):
        if not (PACKAGE / name).is_file():
            raise Failed(f"{PACKAGE / name} is missing: reinstall xichan")
    return f"headers, libxichan.so.0 and the CMake package are in {PACKAGE}"


CHECKS: dict[str, Callable[[], str]] = {
    "channel": check_channel,
    "interpreters": check_interpreters,
    "pool": check_pool,
    "C++": check_cpp,
}


def expect(sent: object, found: object) -> None:
    """Raise Failed unless both are equal."""
    if sent != found:
        raise Failed(f"expected {sent!r}, got {found!r}")


def check() -> int:
    """Run all checks and print a line for each; return the exit code."""
    system = f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver()) or 'C library unknown'}"
    print(f"xichan {xichan.__version__}{commit()}, CPython {platform.python_version()}, {system}")
    failures = 0
    for name, function in CHECKS.items():
        try:
            print(f"  ok      {name:13} {function()}")
        except Exception as error:
            failures += 1
            print(f"  FAILED  {name:13} {error if isinstance(error, Failed) else f'{type(error).__name__}: {error}'}")
    print(COMMANDS, end="")
    if failures:
        print(f"{failures} of {len(CHECKS)} checks failed", file=sys.stderr)
    return 1 if failures else 0


def commit() -> str:
    """Return the commit that a wheel was built from, in parentheses, or "" if it is unknown."""
    try:
        return f" (commit {(PACKAGE / 'commit.txt').read_text(encoding='ascii').strip()})"
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the requested values, one line each, in the order of the options below; without any, run the checks.

    After "probe" or "top", the arguments are those of xichan._probe or xichan.top.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments[:1]) == ["probe"]:
        from ._probe import main as probe_packages

        return probe_packages(arguments[1:])
    if list(arguments[:1]) == ["top"]:
        from .top.cli import main as show_top

        return show_top(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m xichan",
        description="Check the installation, or print the requested values, one line each.",
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="the version")
    parser.add_argument("--includedir", action="store_true", help="for -I: #include <xichan/xichan.h>")
    parser.add_argument("--libdir", action="store_true", help="for -L and -rpath, with -l:libxichan.so.0")
    parser.add_argument("--cmakedir", action="store_true", help="for -Dxichan_DIR: find_package(xichan)")
    options = vars(parser.parse_args(arguments))
    values = {
        "version": xichan.__version__,
        "includedir": PACKAGE / "include",
        "libdir": PACKAGE,
        "cmakedir": PACKAGE / "cmake",
    }
    if not any(options.values()):
        return check()
    for name, value in values.items():
        if options[name]:
            print(value)
    return 0


if __name__ == "__main__":
    sys.exit(main())
