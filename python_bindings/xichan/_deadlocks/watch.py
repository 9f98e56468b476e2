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

from .. import _core, _inspect_process  # noqa: F401  # imported here: the thread must not disturb imports of the program
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
        print(
            f"xichan: XICHAN_DEADLOCK must be 'warn' or '0', got {value!r}: it is ignored", file=sys.stderr, flush=True
        )
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
            if not sys.is_finalizing():
                sys.excepthook(*sys.exc_info())
            return


def _all_sleep() -> bool:
    """Return whether there are waits, all of them long. Costs little: it does not look at what the waits are for."""
    latest = time.monotonic_ns() - int(_INTERVAL * 1e9)
    waits = _core._inspect_waits()
    return bool(waits) and all(started <= latest for _, started, *_ in waits)


def _warn(deadlock: Deadlock) -> None:
    """Issue a RuntimeWarning for the line of the oldest wait that has one. Prints it if the filters raise warnings."""
    places = [wait.place for wait in deadlock.waits if wait.place]
    file, _, line = (places[0] if places else "").rpartition(":")
    place = (file, int(line)) if line.isdecimal() else ("unknown", 0)
    try:
        warnings.warn_explicit(str(deadlock), RuntimeWarning, *place)
    except RuntimeWarning as warning:
        print(f"RuntimeWarning: {warning}", file=sys.stderr, flush=True)
