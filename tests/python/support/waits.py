"""The waits of inspect(), for tests that block calls."""

import xichan

from . import wait_until


def waits():
    """Return the waits that are not idle."""
    return [wait for wait in xichan.inspect().waits if not wait.idle]


def wait_for_waits(count=1):
    """Wait until so many calls are blocked, and return their waits."""
    wait_until(lambda: len(waits()) == count)
    return waits()


def only_wait():
    """Wait until one call is blocked, and return its wait."""
    return wait_for_waits(1)[0]


def line_of(function, offset=1):
    """Return the place of a line of a function: that after its first by default."""
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno + offset}"
