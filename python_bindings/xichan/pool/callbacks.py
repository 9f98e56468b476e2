"""Runs done callbacks and notifies the waiters of ``concurrent.futures``, in threads of their own.

A callback is code of the program: it may be slow, and it may wait for other tasks of the same pool. So the collector
runs none. It hands futures to a runner, a thread that the first of them starts.

1. ``schedule`` may be called by any code at any time. It appends the future and then wakes an idle runner; a runner
   adds itself to the idle ones and then looks for futures. If no runner is idle, the collector looks after it, because
   a thread that may be interrupted starts no other, see interrupt_safe.
2. A runner that spends TOO_LONG on one callback is left alone with it: a watcher, which exists while futures are queued
   behind another, becomes a runner. So a callback that blocks delays the others by at most two such periods, until
   there are MAX_RUNNERS. A runner ends when it finds another one idle.
3. ``join`` does not wait for a runner that publishes: the thread that joins may hold the condition in a call of
   ``concurrent.futures`` that a signal handler has interrupted.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
from _thread import allocate_lock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import threads
from .atomic import Sleepers, wake

if TYPE_CHECKING:
    from .awaited_future import AwaitedFuture
    from .collector import Collector
    from .refusals import Refusals

TOO_LONG = 0.02  # seconds
MAX_RUNNERS = 100

_logger = logging.getLogger("concurrent.futures")
_LAST = (-1,)


class Callbacks:
    """The done callbacks and waiters of the futures of one pool. name: prefix of the names of threads."""

    def __init__(self, collector: Collector, name: str) -> None:
        self._collector = collector
        self._name = name
        self._queue: collections.deque[tuple[Any, bool]] = collections.deque()  # see schedule()
        self._idle: Sleepers = []  # runners
        self._runners: dict[int, None] = {}  # idents
        self._publishing: dict[int, None] = {}  # idents of runners, see (3)
        self._taken = 0  # number of items of the queue
        self._watching = False
        self._closed = False
        self._joining: Sleepers = []

    def schedule(self, future: AwaitedFuture | Refusals, publish: bool) -> None:
        """Have a runner notify the waiters of a completed future or else call its callbacks. (1)

        Refusals issue their warnings as callbacks, because that may run code of the program, too.
        """
        self._queue.append((future, publish))
        if self._idle:
            self._wake_one()
        elif self._closed and not self._runners:  # the task ended in a thread of this interpreter, after the pool
            self._drain()
        else:
            self._collector.attend()

    def supervise(self) -> None:
        """Start a runner if one is needed. For the collector."""
        if not self._queue or self._idle:
            return
        if not self._runners:
            self._start(self._run)
        elif not self._watching and len(self._runners) < MAX_RUNNERS:
            self._watching = True
            if not self._start(self._watch):
                self._watching = False

    def close(self) -> None:
        """End the runners once the queue is empty. For the collector, after the last task."""
        self._closed = True
        if not self._runners:
            self._drain()
        wake(self._idle)

    def is_runner(self) -> bool:
        """Return whether the calling thread runs a callback."""
        return threading.get_ident() in self._runners

    def join(self, deadline: float | None = None) -> None:
        """Wait until all callbacks have returned, or the deadline. Not in a runner."""
        self._collector.block(self._joining, self.is_over, deadline)

    def is_over(self) -> bool:
        return not self._queue and self._runners.keys() <= self._publishing.keys()

    def _start(self, run: Callable[[], None]) -> bool:
        thread = threads.make(run, f"{self._name}_callbacks")
        try:
            thread.start()
        except Exception as error:  # too many threads
            if self._runners:
                return False  # the others continue
            _logger.warning("%s runs callbacks in its collector: %s", self._name, error)
            self._drain()
            return False
        return True

    def _wake_one(self) -> None:
        try:
            for wake_runner in map(self._idle.pop, _LAST):
                wake_runner()
        except IndexError:
            self._collector.attend()

    # The threads

    def _run(self) -> None:
        ident = threading.get_ident()
        self._runners[ident] = None
        lock = allocate_lock()
        lock.acquire()
        try:
            while True:
                self._drain()
                if self._closed or self._idle:
                    return
                self._idle.append(lock.release)  # (1)
                if self._queue or self._closed:
                    try:
                        self._idle.remove(lock.release)
                        continue
                    except ValueError:
                        pass  # it is being released
                lock.acquire()
        finally:
            del self._runners[ident]
            if self._queue:
                self._collector.attend()
            wake(self._joining)

    def _drain(self) -> None:
        ident = threading.get_ident()
        while self._queue:
            try:
                future, publish = self._queue.popleft()
            except IndexError:
                return
            self._taken += 1
            try:
                if not publish:
                    future.call_back()
                    continue
                self._publishing[ident] = None
                wake(self._joining)
                future.publish()
            except BaseException:
                _logger.exception("exception while notifying the waiters of a future")
            finally:
                self._publishing.pop(ident, None)
                del future

    def _watch(self) -> None:
        """Become a runner if the others are blocked. (2)"""
        while self._queue:
            taken = self._taken
            time.sleep(TOO_LONG)
            if self._queue and self._taken == taken:
                self._watching = False
                self._collector.attend()  # which starts the next one
                self._run()
                return
        self._watching = False
        if self._queue:  # scheduled since the check
            self._collector.attend()
