"""The threads of pools and their names."""

from __future__ import annotations

import _thread
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_PREFIX = "xichan.InterpreterPoolExecutor"
_MAX_OS_NAME = 15  # bytes
_MAX_THREADS = 2**22  # the largest limit that Linux allows


def make(target: Callable[[], object], name: str) -> threading.Thread:
    """Return a thread that has not been started."""
    # daemon is given, because otherwise Thread looks for the calling thread and may acquire locks for that.
    return threading.Thread(target=_run, args=(target, name), name=name, daemon=False)


def _run(target: Callable[[], object], name: str) -> None:
    _set_os_name(name)
    target()


def most() -> int:
    """Return the largest number of threads that the system can have: it limits their ids, and their memory."""
    limits = []
    for name in "pid_max", "threads-max":
        try:
            with open(f"/proc/sys/kernel/{name}") as file:
                limits.append(int(file.read()))
        except (OSError, ValueError):  # no /proc, no free descriptor
            pass
    return min(limits, default=_MAX_THREADS)


def adopt(name: str) -> None:
    """Name the calling thread in an interpreter that has not created it."""
    threading.current_thread().name = name
    _set_os_name(name)  # which CPython has cut to the same beginning for all


def os_name(name: str) -> str:
    """Return a name of at most 15 bytes for the operating system that keeps the number of the worker."""
    name = name.replace(DEFAULT_PREFIX, "xichan").encode("ascii", "replace").decode()
    prefix, separator, number = name.rpartition("_")
    if len(name) <= _MAX_OS_NAME or not number.isdecimal():
        return name[:_MAX_OS_NAME]
    return prefix[: _MAX_OS_NAME - 1 - len(number)] + separator + number


def _set_os_name(name: str) -> None:
    if hasattr(_thread, "set_name"):  # CPython 3.14
        try:
            _thread.set_name(os_name(name))
        except OSError:
            pass
