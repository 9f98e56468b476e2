"""Counting references, as CPython's own tests do (regrtest -R). Standard library only: scripts import it."""

import array
import gc
import sys

COUNTED = hasattr(sys, "gettotalrefcount")  # in a debug build of CPython
WARM_UP = 3  # runs that fill caches
RUNS = 5


def tidy():
    """Have go what a run leaves for others: garbage, and the names that the cache of types holds."""
    sys._clear_internal_caches()
    gc.collect()


def changes(run):
    """How the number of references, in all interpreters together, changes with each of some runs of a function."""
    found = array.array("q", bytes(8 * RUNS))  # its numbers are no objects: keeping one is no further reference
    for i in range(-WARM_UP, RUNS):
        tidy()
        before = sys.gettotalrefcount()
        run()
        tidy()
        if i >= 0:
            found[i] = sys.gettotalrefcount() - before
    return found.tolist()


def check(run):
    """No run leaves references, or takes away some that are not its own; what goes up and down again is noise."""
    found = changes(run)
    assert min(found) <= 0 <= max(found), f"references left by each run: {found}"
