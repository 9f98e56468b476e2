"""What waits for a future: threads of the pool's own calls, done callbacks, and the waiters of ``concurrent.futures``.

1. ``concurrent.futures.wait`` and ``as_completed`` need a stable ``_state`` while they hold the condition. So once
   there is one, ``_state`` changes only under it, in a thread of Callbacks ("published"). A thread that completes the
   future stores the outcome in ``_final`` and then looks for a condition and callbacks. A thread that adds one of these
   looks for the outcome afterwards. So at least one of them schedules the notification.
2. Each callback is removed in the step that fetches it, so it is called once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future as _Future
from concurrent.futures._base import LOGGER, PENDING
from typing import TYPE_CHECKING, Any

from .. import _core
from .atomic import Sleepers, wake
from .interrupt_safe import acquired_uninterrupted

if TYPE_CHECKING:
    from .scheduler import Scheduler


class _Condition(threading.Condition):
    published = False  # whether the waiters of the future know the outcome


class AwaitedFuture(_Future[Any]):
    """A future that notifies what waits for it."""

    _lazy_condition: _Condition | None = None  # most futures need none
    _completion: tuple[_core.Sender[None], _core.Receiver[None]] | None = None  # see completion()

    def __init__(self, scheduler: Scheduler) -> None:
        # super().__init__ is not called: it creates the condition.
        self._final = PENDING
        self._result = self._exception = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Callable[..., object]] = []
        self._sleepers: Sleepers = []
        self._scheduler = scheduler

    @property
    def _state(self) -> str:  # type: ignore[override]
        condition = self._lazy_condition
        return self._final if condition is None or condition.published else PENDING

    @property
    def _condition(self) -> threading.Condition:  # type: ignore[override]
        condition = self._lazy_condition
        if condition is None:
            made: _Condition = self.__dict__.setdefault("_lazy_condition", _Condition())
            condition = made
        if self._final != PENDING and not condition.published:  # (1)
            if not condition._is_owned():  # type: ignore[attr-defined]
                self._publish_without_waiters(condition)
            if not condition.published:
                self._scheduler.callbacks.schedule(self, publish=True)
        return condition

    def _publish_without_waiters(self, condition: _Condition) -> None:
        for acquired in acquired_uninterrupted(condition, blocking=False):
            if acquired:
                try:
                    if not self._waiters:
                        condition.published = True
                finally:
                    condition.release()

    def completion(self) -> _core.Receiver[None]:
        """Return a Receiver that is finished once the task is over, for ``select``. The future owns it."""
        made: Any = self.__dict__.setdefault("_completion", _core._own_channel("end of a task", 1))
        if self._final != PENDING:  # (1)
            made[0].close()
        return made[1]

    def add_done_callback(self, fn: Callable[[_Future[Any]], object]) -> None:
        if self._final == PENDING:
            self._done_callbacks.append(fn)
            if self._final != PENDING:  # (1)
                self._scheduler.callbacks.schedule(self, publish=False)
        else:
            self._call_back(fn)

    # For Callbacks

    def call_back(self) -> None:
        """Call the callbacks that have not been called. (2)"""
        while self._done_callbacks:
            try:
                callback = self._done_callbacks.pop(0)
            except IndexError:
                return  # another thread has removed the last one
            try:
                self._call_back(callback)
            except BaseException:  # it must not end the thread
                LOGGER.exception("exception calling callback for %r", self)

    def _call_back(self, callback: Callable[[_Future[Any]], object]) -> None:
        try:
            callback(self)
        except Exception:
            LOGGER.exception("exception calling callback for %r", self)

    def publish(self) -> None:
        """Notify the waiters of ``concurrent.futures``. (1) Blocks while another thread holds the condition."""
        condition = self._lazy_condition
        if condition is None or condition.published:
            return
        with condition:
            if not condition.published:
                condition.published = True
                for waiter in self._waiters:
                    if self.cancelled():
                        waiter.add_cancelled(self)
                    elif self._exception is not None:
                        waiter.add_exception(self)
                    else:
                        waiter.add_result(self)
                condition.notify_all()

    def _notify(self) -> None:
        if self._sleepers:
            wake(self._sleepers)
        if self._completion is not None:
            self._completion[0].close()
        if self._lazy_condition is not None:  # (1)
            self._scheduler.callbacks.schedule(self, publish=True)
        if self._done_callbacks:
            self._scheduler.callbacks.schedule(self, publish=False)
