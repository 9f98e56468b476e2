"""What the stress programs share: a watchdog, their size, and the helpers of the tests.

Each program runs as `python NAME.py [n]`, with a larger n for a longer run, and ends with one line that says what it
did. A program that makes no progress for a minute shows its stacks and exits.
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


def progress():
    """Tell the watchdog that the program is alive."""
    import faulthandler  # here, because other interpreters cannot import it

    faulthandler.dump_traceback_later(60, exit=True)


def size():
    """How much to do: the argument of the program, or what sizes.py says."""
    progress()
    return int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[Path(sys.argv[0]).stem].full


def settle(before, patience=10):
    """Everything that was made since `before` has gone."""
    from support import alive

    deadline = time.monotonic() + patience
    while (now := alive()) != before and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.001)
    assert now == before, f"left over: {now}, before: {before}"


def checked(answers, calls):
    """Receive an answer, or raise what ended one of the calls that should give it."""
    while True:
        try:
            return answers.recv(timeout=1)
        except TimeoutError:
            for call in calls:
                if not call.is_alive():
                    call.result()
