"""Reference counts, as in CPython's own tests (regrtest -R). Standard library only: scripts import this."""

import array
import gc
import sys

COUNTED = hasattr(sys, "gettotalrefcount")  # in a debug build of CPython
WARM_UP = 3  # runs that fill caches, not counted
RUNS = 5


def tidy():
    """Clear what a run leaves behind: garbage, and the names in the type cache."""
    sys._clear_internal_caches()
    gc.collect()


def changes(run):
    """Return the change of the number of references, over all interpreters, for each of several runs of a function."""
    found = array.array("q", bytes(8 * RUNS))  # an array, because storing int objects would add references
    for i in range(-WARM_UP, RUNS):
        tidy()
        before = sys.gettotalrefcount()
        run()
        tidy()
        if i >= 0:
            found[i] = sys.gettotalrefcount() - before
    return found.tolist()


def check(run):
    """Assert that runs neither leak references nor release too many. Changes in both directions are noise."""
    found = changes(run)
    assert min(found) <= 0 <= max(found), f"change of references per run: {found}"
