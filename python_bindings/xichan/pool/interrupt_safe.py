"""Reentrancy of pools and protection against Ctrl-C, and what happens to pools at exit and after fork.

The problem
-----------
CPython runs signal handlers, finalizers, weakref callbacks and trace functions in the middle of other code, between any
two of its steps. Such code may use the pool whose method it interrupts. It may also raise: the default handler of
SIGINT raises KeyboardInterrupt. submit(), map(), cancel(), result() and shutdown() run in the main thread of most
programs. Wherever they are interrupted, the inner call has to find the outer one finished or not begun and must not
wait for it; each future has to complete exactly once, and the pool has to remain usable.

No locks
--------
A lock that the outer call holds would block the inner one, and a lock that the same thread may acquire again would let
it in while the state is inconsistent. So the methods for users hold no lock, and they start no thread by
Thread.start(), which holds one. What they change is changed by a single call of C code: a dict or deque operation, a
counter (see ``atomic``), an operation of a channel. What takes several steps, such as a cancellation, is a request to
the collector, in whose thread no signal handler runs. Code that waits sleeps on a lock of its own.

Two effects in one step
-----------------------
CPython 3.14 checks for signals when a function begins, after each call and at each backward jump, and nowhere else.
Advancing an iterator that is implemented in C is not a call in that sense: CPython does not check between the advance
and the body of the loop. So ``for _ in map(function, (argument,)): statement`` performs both or neither, provided that
``function`` is implemented in C and that ``statement`` makes no call but, as its last effect, one of a C function.
TaskQueue sends tasks this way, and ``acquired_uninterrupted(condition)`` stands for ``with condition:``, whose block a
handler could prevent from beginning after the condition is acquired.

A trace function may even run between these two. It then finds a task that is sent and not yet counted.

Repair by another thread
------------------------
Some operations need several steps. They are ordered so that an interrupted one leaves either nothing behind or a state
that the collector recognizes and completes, after it has been woken. What both may execute for the same task can be
repeated: Future.deliver, Results.end, Callbacks.schedule.

Verification
------------
The protocol depends on where CPython checks for signals, so it is tested rather than assumed: test_pool_interrupts.py
raises an exception at each of these places in turn, for each public call, and then requires that every future completes
and that nothing is left in the containers of the pool. test_pool_reentrancy.py makes each public call in the
middle of each other one, at these places and between other instructions.

trio protects its internals by marking frames, which requires a SIGINT handler of its own. A library that does not own
the main loop cannot install one.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401  # its exit hook has to be registered first, to run after _at_exit
import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .._errors import Interrupted

if TYPE_CHECKING:
    from .stopping import Shutdown
    from .supervisor import Supervisor

STOP_TIMEOUT = 0.5  # seconds that interrupted tasks have to end

exit_begun = False
_left_behind: list[Shutdown | Supervisor] = []  # that have not ended at the end of the process
_pools: weakref.WeakSet[Shutdown | Supervisor] = weakref.WeakSet()


class _Lock(Protocol):
    def acquire(self, blocking: bool = ...) -> bool: ...


def acquired_uninterrupted(lock: _Lock, blocking: bool = True) -> Iterator[bool]:
    """Return an iterator of one step, which acquires the lock and yields whether it did."""
    return map(lock.acquire, (blocking,))


def has_started(thread: threading.Thread) -> bool:
    """Return whether the thread exists, even if it has not run yet."""
    handle = getattr(thread, "_os_thread_handle", thread)  # CPython 3.14 and 3.15; Thread.ident is set slightly later
    return bool(handle.ident)


def register(pool: Shutdown | Supervisor) -> None:
    """Shut this pool down when the interpreter exits, and disable it in the child after fork()."""
    _pools.add(pool)


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether an exception leaves a block because that was interrupted or cancelled."""
    asyncio: Any = sys.modules.get("asyncio")
    cancelled = getattr(asyncio, "CancelledError", KeyboardInterrupt)
    return isinstance(error, (KeyboardInterrupt, cancelled)) or (
        isinstance(error, Interrupted) and not isinstance(error, Exception)
    )


def ends_interrupted_loop() -> bool:
    """Return whether the calling thread shuts a pool down for an event loop that Ctrl-C ends.

    A Runner of asyncio, and so asyncio.run(), handles the first SIGINT itself: it cancels its main task, and leaves its
    block by KeyboardInterrupt. There it waits, for minutes, until another thread has shut its default executor down.
    """
    main = threading.main_thread().ident
    runners: Any = sys.modules.get("asyncio.runners")
    frame = None if runners is None or threading.get_ident() == main else sys._current_frames().get(main or 0)
    while frame is not None:
        if frame.f_code is runners.Runner.__exit__.__code__:
            return isinstance(frame.f_locals.get("exc_val"), KeyboardInterrupt)
        frame = frame.f_back
    return False


def _at_exit() -> None:
    """Shut down all pools and wait for their tasks, as the standard library does for its pools.

    If Ctrl-C ends the program, interrupt the tasks instead. A task that goes on is left behind: the exception keeps
    ``threading`` from joining its thread.
    """
    global exit_begun
    exit_begun = True
    pools = list(_pools)
    for pool in pools:
        pool.stop()
    try:
        if not _ended_by_ctrl_c():
            for pool in pools:
                pool._at_exit()
            return
    except KeyboardInterrupt:
        pass
    left = [pool for pool in pools if not pool._stop_now()]
    if left:
        _left_behind.extend(left)
        raise KeyboardInterrupt(
            "Ctrl-C ends the program before its pools have ended; what their workers run ends with it"
        )


def _leave() -> None:
    """End the process if threads of a pool were left behind: CPython would wait for their GIL, or crash.

    One of the last functions that ``atexit`` calls.
    """
    if _left_behind:
        logging.shutdown()
        for stream in sys.stdout, sys.stderr:
            try:
                stream.flush()
            except Exception:  # it may be None, or closed
                pass
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)


def _ended_by_ctrl_c() -> bool:
    """Return whether an uncaught KeyboardInterrupt ends the program. At a prompt it does not."""
    return isinstance(getattr(sys, "last_exc", None), KeyboardInterrupt) and not hasattr(sys, "ps1")


def _after_fork() -> None:
    for pool in list(_pools):
        pool._disable_after_fork()
    _pools.clear()


atexit.register(_leave)
threading._register_atexit(_at_exit)  # type: ignore[attr-defined]  # runs before threading joins its threads
os.register_at_fork(after_in_child=_after_fork)
