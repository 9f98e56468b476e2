"""Shared code of the stress programs: the watchdog, the size of a run, and checks.

Each program runs as `python NAME.py [n]`, where a larger n means a longer run, and prints a summary line at the end. A
program that makes no progress for a minute dumps its stacks and exits.
"""

import gc
import random
import sys
import time
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
TESTS = str(Path(__file__).resolve().parents[2] / "python")
sys.path[:0] = [HERE, TESTS]

from sizes import SIZES  # noqa: E402

rng = random.Random(int(time.time()))


def feed_watchdog():
    """Restart the watchdog, which dumps all stacks and exits after a minute."""
    import faulthandler  # not at the top: other interpreters cannot import it

    faulthandler.dump_traceback_later(60, exit=True)


def size():
    """Return the size of the run: the argument of the program, by default the full size in sizes.py."""
    feed_watchdog()
    return int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[Path(sys.argv[0]).stem].full


def assert_released(before, timeout=10):
    """Wait until exactly the objects counted in `before`, an earlier result of alive(), are alive."""
    from support import alive

    deadline = time.monotonic() + timeout
    while (now := alive()) != before and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.001)
    assert now == before, f"left over: {now}, before: {before}"


def receive_result(results, calls):
    """Receive one result; re-raise the exception of a call that ended instead of sending it."""
    while True:
        try:
            return results.recv(timeout=1)
        except TimeoutError:
            for call in calls:
                if not call.is_alive():
                    call.result()
