"""Building blocks that no interrupted call can leave half done: a counter, and waiting without a lock.

A signal handler, a finalizer or a trace function may run between two steps of a call and use the same pool, see
reentrancy in ``interrupt_safe``. One call of a function that is implemented in C has no such steps.
"""

from __future__ import annotations

import collections
import functools
import itertools
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import Any

_release = type(allocate_lock()).release
exhaust = collections.deque[object](maxlen=0).extend  # runs an iterator to its end in one step

Sleepers = list[Any]  # the locks of waiting threads, each released by wake()


class Counter:
    """A number that any code may increase at any time. ``add()`` adds one."""

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = itertools.count()
        self.add = self._count.__next__

    def many(self, number: int) -> Callable[[], None]:
        """Return a function, implemented in C, that adds this number once."""
        return functools.partial(exhaust, itertools.islice(self._count, number))

    @property
    def value(self) -> int:
        return int(repr(self._count)[len("count(") : -1])  # the only way to read it


def deadline_of(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def left_until(deadline: float | None) -> float:
    """Return the seconds left, for Lock.acquire(): -1 means indefinitely."""
    return -1 if deadline is None else min(max(deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)


def sleep(sleepers: Sleepers, is_over: Callable[[], bool], deadline: float | None) -> None:
    """Block until ``wake(sleepers)`` or the deadline.

    is_over: returns whether the event has happened. The thread that wakes makes it true first, and this one looks after
    it has added its lock, so no wake-up is lost.
    """
    sleeper = allocate_lock()
    sleeper.acquire()
    sleepers.append(sleeper)
    try:
        if not is_over():
            sleeper.acquire(timeout=left_until(deadline))
    finally:
        try:
            sleepers.remove(sleeper)
        except ValueError:  # woken
            pass


def wake(sleepers: Sleepers) -> None:
    """Wake all threads. Removing a lock from the list and releasing it is one step."""
    while sleepers:
        try:
            exhaust(map(_release, map(sleepers.pop, itertools.repeat(-1, len(sleepers)))))
        except IndexError:
            pass  # another thread has woken the last one
