"""The thread of ``XICHAN_DEADLOCK=warn``, which reports deadlocks while the program runs.

It runs in the main interpreter, as a daemon thread: the process ends without it. It looks for deadlocks only while each
wait of the process is older than a second, so a program that exchanges messages pays for one glance per second.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING

from . import deadlocks, interior

if TYPE_CHECKING:
    from . import Deadlock

_INTERVAL = 1.0  # seconds

_enabled = False


def enable(value: str) -> None:
    """Start the thread, if this is the main interpreter. value: that of the environment variable."""
    global _enabled
    if _enabled or not interior.is_main():
        return
    if value != "warn":
        warnings.warn(f"XICHAN_DEADLOCK must be 'warn' or '0', got {value!r}", RuntimeWarning, stacklevel=2)
        return
    _enabled = True
    os.register_at_fork(after_in_child=_start)
    _start()


def _start() -> None:
    interior.spectators.clear()
    threading.Thread(target=_watch, name="xichan deadlocks", daemon=True).start()


def _watch() -> None:
    interior.spectators.add(threading.get_native_id())
    reported: set[frozenset[int]] = set()
    while True:
        time.sleep(_INTERVAL)
        try:
            if _all_sleep():
                for deadlock in deadlocks():
                    waits = frozenset(wait.id for wait in deadlock.waits)
                    if waits not in reported:
                        reported.add(waits)
                        _warn(deadlock)
        except Exception:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            return


def _all_sleep() -> bool:
    from .._inspect_process import inspect

    waits = inspect().waits
    return bool(waits) and all(wait.seconds >= _INTERVAL for wait in waits)


def _warn(deadlock: Deadlock) -> None:
    """Issue a RuntimeWarning for the line of the oldest wait. Prints it if the filters raise warnings."""
    file, _, line = (deadlock.waits[0].place or "").rpartition(":")
    place = (file, int(line)) if line.isdecimal() else ("unknown", 0)
    try:
        warnings.warn_explicit(str(deadlock), RuntimeWarning, *place)
    except RuntimeWarning as warning:
        print(f"RuntimeWarning: {warning}", file=sys.stderr, flush=True)
