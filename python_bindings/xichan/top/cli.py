"""The command line of ``python -m xichan top``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time

from . import text
from .page import Page, PageError, find_processes, open_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .model import Snapshot

EPILOG = """\
Without --once and --json it shows live tables in the terminal, which needs textual: pip install "xichan[top]".
If its input or output is not a terminal, it prints the tables once.
It works on processes of the same user, or of any user for root, also on those that hang or are stopped.
"""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    top = argparse.ArgumentParser(
        prog="python -m xichan top",
        description="Show the channels, waiting calls, workers and shared objects of a process.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("pid", nargs="?", type=int, metavar="PID", help="the process; default: the only one there is")
    top.add_argument("--once", action="store_true", help="print the tables as text, and exit")
    top.add_argument("--json", action="store_true", help="print one JSON object, and exit")
    top.add_argument("--internal", action="store_true", help="show the channels, too, that xichan itself uses: key i")
    top.add_argument(
        "--interval",
        type=_positive,
        default=1.0,
        metavar="SECONDS",
        help="time between two snapshots, from which rates are computed (default: %(default)s)",
    )
    return top


def _positive(argument: str) -> float:
    """Return a number of seconds."""
    try:
        seconds = float(argument)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"expected 0.01 to 3600 seconds, got {argument}")
    return seconds


def choose() -> int:
    """Return the id of the only process that keeps a page. Raises PageError if there is none or several."""
    found = find_processes()
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise PageError("no running process of this user uses xichan")
    lines = "\n".join(f"  {pid:7} {command[:100]}" for pid, command in found)
    raise PageError(f"several processes use xichan; give the PID of one:\n{lines}")


def sample(page: Page, interval: float) -> Snapshot:
    """Return a snapshot with rates. Blocks for the interval."""
    before = page.snapshot()
    time.sleep(interval)
    return page.snapshot().since(before)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_args(arguments)
    live = not (options.once or options.json)
    if live and importlib.util.find_spec("textual") is None:
        print(
            'the live tables need textual: pip install "xichan[top]"; or print them once with --once',
            file=sys.stderr,
        )
        return 2
    live = live and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        with open_page(choose() if options.pid is None else options.pid) as page:
            if live:
                from .app import TopApp

                TopApp(page, options.interval, internal=options.internal).run()
            else:
                snapshot = sample(page, options.interval)
                if options.internal:
                    snapshot = snapshot.with_internal()
                print(text.as_json(snapshot) if options.json else text.report(snapshot), flush=True)
    except BrokenPipeError:  # as `| head` does; what else is buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
