"""A thread that calls functions for other threads, which no signal handler interrupts there."""

from __future__ import annotations

import collections
import threading
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable
from typing import Any

from . import threads
from .atomic import Sleepers, sleep, wake
from .interrupt_safe import has_started


class RequestThread:
    """The thread. A subclass defines what it does besides. name: of the thread.

    A request is stored first; then ``notify`` wakes the thread. A finalizer may run in this thread, too: if it waits,
    ``_help`` does the work of the thread meanwhile.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests: collections.deque[_Request] = collections.deque()
        self.thread: threading.Thread | None = None
        self.ident = 0  # of the thread
        self.over = False  # the thread has handled everything
        self._joining: Sleepers = []
        self._launching = allocate_lock()  # acquired in launched threads only

    def _run(self) -> None:
        """Set ``ident`` and serve requests until the end; then set ``over``, serve once more, and wake ``_joining``."""
        raise NotImplementedError

    def notify(self) -> None:
        """Wake the thread."""
        raise NotImplementedError

    def _help(self, is_over: Callable[[], bool], deadline: float | None) -> None:
        """Do the work of the thread in the middle of it, until a condition holds or the deadline has passed."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the thread if it is not running. Raises RuntimeError if that fails.

        The thread is started by another one, because Thread.start() acquires locks that an interrupted call would keep.
        """
        if not self.started:
            launch = _Request(self._launch)
            start_new_thread(launch.run, ())
            sleep(launch.sleepers, launch.is_over, None)
            if launch.error is not None:
                raise launch.error

    def _launch(self) -> None:
        with self._launching:
            if not self.started:
                thread = threads.make(self._run, self.name)
                thread.start()
                self.thread = thread

    @property
    def started(self) -> bool:
        return self.thread is not None and has_started(self.thread)

    def call(self, function: Callable[[], Any]) -> Any:
        """Have the thread call a function, and return the result; None if it has ended."""
        if get_ident() == self.ident or self.over:
            return function()
        request = _Request(function)
        self.requests.append(request)
        self.notify()
        self.block(request.sleepers, lambda: request.over or self.over, None)
        if request.error is not None:
            raise request.error
        return request.result

    def send(self, function: Callable[[], Any]) -> None:
        """Have the thread call a function later, without waiting for it."""
        self.requests.append(_Request(function))
        self.notify()

    def join(self, deadline: float | None = None) -> None:
        """Wait until the thread has handled everything, or the deadline."""
        self.block(self._joining, lambda: self.over, deadline)

    def block(self, sleepers: Sleepers, is_over: Callable[[], bool], deadline: float | None) -> None:
        """Block until another thread has called wake(sleepers), or the deadline."""
        if get_ident() == self.ident:
            self._help(is_over, deadline)
        else:
            sleep(sleepers, is_over, deadline)

    def _serve_requests(self) -> None:
        while self.requests:
            self.requests.popleft().run()


class _Request:
    """A call that a thread has requested from another."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.sleepers: Sleepers = []
        self.over = False
        self.result: Any = None
        self.error: BaseException | None = None

    def is_over(self) -> bool:
        return self.over

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as error:
            self.error = error
        self.over = True
        wake(self.sleepers)
