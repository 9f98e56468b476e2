"""What only the code of an interpreter can see of it: its threads, event loops and signal handlers.

``look`` is called in each interpreter, by a thread that may belong to another one.
"""

from __future__ import annotations

import sys

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

spectators: set[int] = set()  # native ids of threads that only look: that of watch

# The last parts of the names of files in which threads wait for another thread of their interpreter.
_LOCKS = ("/threading.py", "/queue.py", "/concurrent/futures/_base.py", "/xichan/pool/atomic.py")
_LIBRARY = (*_LOCKS, "/selectors.py", "/contextlib.py")
_FOLDERS = ("/asyncio/", "/concurrent/futures/", "/concurrent/interpreters/")


def look() -> bytes:
    """Return what can be seen in the calling interpreter: the dump of a dict."""
    found: dict[str, Any] = {"exiting": _core._exit_patience() is not None, "loops": _quiet_loops()}
    if is_main():
        found["threads"] = _threads()
        found["handlers"] = _has_signal_handlers()
        found["has_faulthandler"] = "faulthandler" in sys.modules
        found["spectators"] = tuple(spectators)
        pool: Any = sys.modules.get("xichan.pool.atomic")
        found["nap"] = pool.nap() if pool is not None else 0
    return _core.dumps(found)


def is_main() -> bool:
    """Return whether the calling interpreter is the main one."""
    import _interpreters

    return bool(_interpreters.get_current()[0] == _interpreters.get_main()[0])


# Threads


def _threads() -> tuple[tuple[int, str | None, bool, str | None, str | None, str | None], ...]:
    """Return for each thread what Outside has: whether it waits in a lock of this interpreter, the call, and so on."""
    names = {thread.native_id: thread.name for thread in _python_threads().values()}
    found: list[Any] = []
    for native, frame in _core._threads():
        if frame is None:
            found.append((native, names.get(native), False, None, None, None))
        else:
            # Thread.run() may have called any function that is implemented in C.
            in_lock = frame.f_code.co_filename.endswith(_LOCKS) and frame.f_code.co_name != "run"
            found.append((native, names.get(native), in_lock, *_caller(frame)))
    return tuple(found)


def _python_threads() -> dict[int, Any]:
    threading: Any = sys.modules.get("threading")
    return dict(threading._active) if threading is not None else {}


def _caller(frame: FrameType) -> tuple[str | None, str | None, str | None]:
    """Return the function of a library that a thread has called, and the code of the program that has called it."""
    call: str | None = None
    at: FrameType | None = frame
    while at is not None and _is_library(at.f_code):
        call = at.f_code.co_qualname
        at = at.f_back
    if at is None:
        return call, None, None
    return call, at.f_code.co_qualname, f"{at.f_code.co_filename}:{at.f_lineno}"


def _is_library(code: CodeType) -> bool:
    name = code.co_filename
    package = __file__.rpartition("_deadlocks")[0]
    if name.startswith((package, "<frozen ")) or name.endswith(_LIBRARY):
        return True
    return any(folder in name for folder in _FOLDERS)


# Signal handlers


def _has_signal_handlers() -> bool:
    """Return whether a signal runs code of the program, which may do anything.

    Ctrl-C does not count, nor does SIGALRM unless a timer sends it again and again: both end what hangs.
    """
    import signal

    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    if signal.getitimer(signal.ITIMER_REAL)[1] == 0:
        del handlers[signal.SIGALRM]
    return any(callable(handler) and not _is_interrupt(handler) for handler in handlers.values())


def _is_interrupt(handler: Any) -> bool:
    """Return whether a handler raises KeyboardInterrupt, or cancels the main task of ``asyncio.run()``."""
    import signal

    function = getattr(handler, "func", handler)
    return function is signal.default_int_handler or getattr(function, "__qualname__", "") == "Runner._on_sigint"


# Event loops


def _quiet_loops() -> tuple[int, ...]:
    """Return the native ids of the threads whose event loops wait for endpoints, shared objects and threads alone."""
    aio: Any = sys.modules.get("xichan._aio")
    notifiers = {} if aio is None else {loop: reference() for loop, reference in list(aio._notifiers.items())}
    threads = _python_threads()
    quiet: list[int] = []
    for loop in {**notifiers, **dict.fromkeys(_running_loops())}:
        thread = threads.get(getattr(loop, "_thread_id", 0) or 0)
        if thread is not None and _is_quiet(loop, notifiers.get(loop)):
            quiet.append(thread.native_id)
    return tuple(quiet)


def _running_loops() -> list[Any]:
    """Return the event loops of asyncio that run in the main interpreter."""
    if not is_main() or "asyncio" not in sys.modules:
        return []
    loops = []
    for _, frame in _core._threads():
        while frame is not None:
            if frame.f_code.co_name == "run_forever" and frame.f_code.co_filename.endswith("/asyncio/base_events.py"):
                loops.append(frame.f_locals["self"])
                break
            frame = frame.f_back
    return loops


def _is_quiet(loop: Any, notifier: Any) -> bool:
    try:
        if loop._ready or any(not timer.cancelled() for timer in list(loop._scheduled)):
            return False
        own = {loop._ssock.fileno()}
        if notifier is not None:
            own.add(notifier._core.fileno())
        return {key.fd for key in list(loop._selector.get_map().values())} <= own
    except (AttributeError, RuntimeError):  # an event loop of another library, or one that has changed meanwhile
        return False
