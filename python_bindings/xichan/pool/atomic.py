"""Building blocks that no interrupted call can leave half done: a counter, and waiting without a lock.

A signal handler, a finalizer or a trace function may run between two steps of a call and use the same pool, see
reentrancy in ``interrupt_safe``. One call of a function that is implemented in C has no such steps.
"""

from __future__ import annotations

import collections
import functools
import itertools
import math
import operator
import threading
import time
from _thread import LockType, allocate_lock, get_ident
from collections.abc import Callable

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout
from .worker_results import runs_task

exhaust = collections.deque[object](maxlen=0).extend  # runs an iterator to its end in one step

_SIGNAL_INTERVAL = 0.05  # seconds, as in the calls of channels
_naps = itertools.count(1)

Sleepers = list[Callable[[], object]]  # what wakes each waiting thread: a function implemented in C

_current_nap: tuple[int, Callable[[], object], Sleepers] | None = None  # of the main thread, see nap()


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
    it has added itself to the sleepers, so no wake-up is lost.

    A task sleeps in a call of xichan, because an interrupt does not end a wait for a lock. Any other thread uses a
    lock, whose acquisition ends at once when a signal arrives. The main thread, which runs signal handlers, wakes at
    intervals besides: CPython looks for signals and then waits, and one that arrives in between wakes nothing.
    """
    wake_this, wait = _receiver() if runs_task() else _lock(sleepers)
    sleepers.append(wake_this)
    try:
        if not is_over():
            wait(left_until(deadline))
    finally:
        try:
            sleepers.remove(wake_this)
        except ValueError:  # woken
            pass


def _lock(sleepers: Sleepers) -> tuple[Callable[[], object], Callable[[float], object]]:
    """Return a function that wakes a thread, and one in which it waits for so many seconds; -1: indefinitely."""
    lock = allocate_lock()
    lock.acquire()
    if get_ident() != threading.main_thread().ident:
        return lock.release, functools.partial(lock.acquire, True)
    return lock.release, functools.partial(_nap, lock, sleepers)


def _nap(lock: LockType, sleepers: Sleepers, seconds: float) -> None:
    """Wait for a lock in the main thread; seconds as above."""
    global _current_nap
    deadline = math.inf if seconds < 0 else time.monotonic() + seconds
    outer, _current_nap = _current_nap, None if seconds >= 0 else (next(_naps), lock.release, sleepers)
    try:
        while not lock.acquire(True, max(min(deadline - time.monotonic(), _SIGNAL_INTERVAL), 0)):
            if time.monotonic() >= deadline:
                return
    finally:
        _current_nap = outer


def nap() -> int:
    """Return the number of the wait without a timeout in which the main thread sleeps; 0 if there is none.

    A thread that has been woken does not sleep any more, even if it has not run yet. While the number is the same, the
    thread has only looked for signals.
    """
    current = _current_nap
    return current[0] if current is not None and current[1] in current[2] else 0


def _receiver() -> tuple[Callable[[], object], Callable[[float], object]]:
    """Return the same for a task."""
    tx, rx = _core._own_channel("wait for tasks", 1)
    _core._outlast_exit(rx)

    def wait(seconds: float) -> None:
        try:
            rx.recv(None if seconds < 0 else seconds)
        except (ChannelClosed, ChannelTimeout):
            pass

    return tx.close, wait


def wake(sleepers: Sleepers) -> None:
    """Wake all threads. Removing one from the list and waking it is one step."""
    while sleepers:
        try:
            exhaust(map(operator.call, map(sleepers.pop, itertools.repeat(-1, len(sleepers)))))
        except IndexError:
            pass  # another thread has woken the last one
