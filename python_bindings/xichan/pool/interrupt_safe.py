"""Protection against Ctrl-C, and what happens to pools at exit and after fork.

The problem
-----------
CPython runs signal handlers in the main thread, and the default handler of SIGINT raises KeyboardInterrupt. The
interrupted code sees an exception between two of its steps, whichever they are. submit(), map(), cancel(), result() and
shutdown() run in the main thread of most programs. Wherever they are interrupted, no lock may stay acquired, each
future has to complete exactly once, and the pool has to remain usable.

Why ``with lock:`` is not enough
--------------------------------
CPython 3.14 checks for signals when a function begins, after each call and at each backward jump, and nowhere else. A
``with`` statement calls ``lock.__enter__()``. If a handler raises after that call and before the block begins, the lock
is acquired and never released. ``lock.acquire()`` in front of ``try:`` has the same gap.

A ``for`` loop of one step
--------------------------
Advancing an iterator that is implemented in C is not a call in that sense: there is no check between the advance and
the body of the loop. ``acquired_uninterrupted(lock)`` returns such an iterator, ``map(lock.acquire, (True,))``, whose
only step acquires the lock. So this stands for ``with lock:``

    for _ in acquired_uninterrupted(lock):
        try:
            ...
        finally:
            lock.release()

A handler runs before the lock is acquired (even while acquire() blocks), inside the ``try``, or after release().

Two effects in one step
-----------------------
``for _ in map(function, (argument,)): statement`` performs both or neither, provided that ``function`` is implemented
in C and that ``statement`` makes no call: an assignment, ``del``, or ``+=``. TaskQueue moves tasks this way:

    for _ in map(self.tx.send_nowait, (self.requeued[id],)):
        del self.requeued[id]

If send_nowait() raises, the task stays where it was; if it succeeds, the task is gone from ``requeued`` before any
handler can run.

Repair by another thread
------------------------
Some operations need several steps. They are ordered so that an interrupted one leaves either nothing behind or a state
that the collector recognizes and completes. The collector and the workers run in other threads, where no handler runs;
they use plain ``with``. What is called from the main thread wakes the collector in a ``finally``. What both may execute
for the same task can be repeated: Scheduler.complete_cancelled, Future.mark_cancelled, Collector.take_inline.

Verification
------------
The protocol depends on where CPython checks for signals, so it is tested rather than assumed: test_pool_interrupts.py
raises an exception at each of these places in turn, for each public call, and then requires that every future completes
and that nothing is left in the containers of the scheduler.

trio protects its internals by marking frames, which requires a SIGINT handler of its own. A library that does not own
the main loop cannot install one.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  # its exit hook has to be registered first, to run after _at_exit
import os
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .scheduler import Scheduler

exit_begun = False
_schedulers: weakref.WeakSet[Scheduler] = weakref.WeakSet()


class _Lock(Protocol):
    def acquire(self, blocking: bool = ...) -> bool: ...


def acquired_uninterrupted(lock: _Lock, blocking: bool = True) -> Iterator[bool]:
    """Return an iterator of one step, which acquires the lock and yields whether it did."""
    return map(lock.acquire, (blocking,))


def has_started(thread: threading.Thread) -> bool:
    """Return whether the thread exists, even if it has not run yet."""
    handle = getattr(thread, "_os_thread_handle", thread)  # CPython 3.14 and 3.15; Thread.ident is set slightly later
    return bool(handle.ident)


def register(scheduler: Scheduler) -> None:
    """Shut this pool down when the interpreter exits, and disable it in the child after fork()."""
    _schedulers.add(scheduler)


def _at_exit() -> None:
    """Shut down all pools and wait for their tasks, as the standard library does for its pools."""
    global exit_begun
    exit_begun = True
    schedulers = list(_schedulers)
    for scheduler in schedulers:
        scheduler.stop()
    for scheduler in schedulers:
        scheduler.join()


def _after_fork() -> None:
    for scheduler in list(_schedulers):
        scheduler.disable_after_fork()
    _schedulers.clear()


threading._register_atexit(_at_exit)  # type: ignore[attr-defined]  # runs before threading joins its threads
os.register_at_fork(after_in_child=_after_fork)
