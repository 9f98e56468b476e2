"""``standby=``: interpreters that are kept ready, so that a worker starts at once.

One thread creates them, one after another, so at most one CPU is busy with it, and no worker waits for it. An
interpreter on standby has imported what workers need, and the modules of ``preload``. What belongs to one worker, such
as its initializer, runs when a worker has taken it. A worker that is replaced has closed its interpreter before, so
that the new one finds the files and ports free that the old one has used.

1. A worker takes an interpreter in one step, and wakes the thread afterwards, which looks before it sleeps. So each is
   taken once, and none remains missing.
2. After a failure the thread waits until a worker asks for an interpreter. That may find the same failure and raise it.
"""

from __future__ import annotations

import collections
import logging
import threading
from concurrent import interpreters

from . import threads
from .atomic import Sleepers, sleep, wake
from .launch import cause_of, close_interpreter, prepare

_logger = logging.getLogger("xichan")


class Standby:
    """Keeps interpreters ready for workers.

    number: how many. preload: names of modules that are imported in them. name: of the thread.
    """

    def __init__(self, number: int, preload: tuple[str, ...], name: str) -> None:
        self._number = number
        self._preload = preload
        self._ready: collections.deque[interpreters.Interpreter] = collections.deque()
        self._paused = False  # (2)
        self._closing = False
        self._sleepers: Sleepers = []
        self._thread: threading.Thread = threads.make(self._run, name)

    def __len__(self) -> int:
        """Return the number of interpreters that are ready."""
        return len(self._ready)

    def start(self) -> bool:
        """Start the thread. Returns False if that fails."""
        try:
            self._thread.start()
        except Exception as error:  # too many threads, no memory
            self._warn(error)
            return False
        return True

    def take(self) -> interpreters.Interpreter | None:
        """Return an interpreter, or None if none is ready."""
        try:
            return self._ready.popleft()
        except IndexError:
            return None
        finally:
            self._paused = False
            wake(self._sleepers)

    def close(self) -> None:
        """Close all interpreters, and end the thread. The workers have ended."""
        self._closing = True
        wake(self._sleepers)
        self._thread.join()

    # The thread

    def _run(self) -> None:
        while not self._closing:
            if self._is_short():
                self._create()
            else:
                sleep(self._sleepers, lambda: self._closing or self._is_short(), None)
        while self._ready:
            close_interpreter(self._ready.popleft())

    def _is_short(self) -> bool:
        return len(self._ready) < self._number and not self._paused

    def _create(self) -> None:
        interpreter = None
        try:
            interpreter = interpreters.create()
            prepare(interpreter, self._preload)
        except BaseException as error:  # no memory; a module that cannot be imported
            self._paused = True
            if interpreter is not None:
                close_interpreter(interpreter)
            self._warn(error)
        else:
            self._ready.append(interpreter)

    def _warn(self, error: BaseException) -> None:
        _logger.warning("%s cannot keep an interpreter ready: %s", self._thread.name, cause_of(error))


def new_interpreter(standby: Standby | None) -> tuple[interpreters.Interpreter, bool]:
    """Return an interpreter for a worker, and whether it is prepared."""
    ready = None if standby is None else standby.take()
    return (interpreters.create(), False) if ready is None else (ready, True)
