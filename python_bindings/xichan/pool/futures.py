"""The future of one task.

Future and Batch are the entries of the scheduler. It completes each of their tasks by ``deliver``, ``fail`` or
``mark_cancelled``, any of which may be repeated, and then calls ``task_ended`` once. No lock is held meanwhile.

1. The outcome is stored first; storing ``_final`` commits it. ``result``, ``done`` and ``cancelled`` read it without a
   lock.
2. ``concurrent.futures.wait`` and ``as_completed`` need a stable ``_state`` while they hold the condition. So once
   there is one, ``_state`` changes only under it, in a thread of Callbacks ("published"). A thread that completes the
   future stores the outcome and then looks for a condition and callbacks. A thread that adds one of these looks for
   the outcome afterwards. So at least one of them schedules the notification.
3. Each callback is removed in the step that fetches it, so it is called once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import Future as _Future
from concurrent.futures._base import CANCELLED_AND_NOTIFIED, FINISHED, LOGGER, PENDING
from typing import TYPE_CHECKING, Any

from .. import _core
from .atomic import Sleepers, wake
from .interrupt_safe import acquired_uninterrupted

if TYPE_CHECKING:
    from .byvalue.published import Definition
    from .call_kinds import Kind, Route
    from .fallback import Policy
    from .scheduler import Scheduler

    type _Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # function, args, kwargs


INTERRUPTED_BY_CALL = "it was interrupted by interrupt()"


class _Condition(threading.Condition):
    published = False  # whether the waiters of the future know the outcome


class Future(_Future[Any]):
    """The future of a task, which can be cancelled until a worker takes it."""

    _lazy_condition: _Condition | None = None  # most futures need none
    interrupted: str | None = None  # why the task is to be interrupted
    _kind: Kind | None = None  # of the call, if there is a policy
    _route: Route | None = None
    _completion: tuple[_core.Sender[None], _core.Receiver[None]] | None = None  # see completion()

    def __init__(
        self,
        scheduler: Scheduler,
        policy: Policy | None = None,
        call: _Call | None = None,
        kind: Kind | None = None,
        route: Route | None = None,
    ) -> None:
        # super().__init__ is not called: it creates the condition.
        self._final = PENDING
        self._result = self._exception = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Callable[..., object]] = []
        self._sleepers: Sleepers = []
        self._scheduler = scheduler
        self.id = -1  # of the task
        self.sent = False  # the task
        self.definition: Definition | None = None  # of its function, while it is published
        self.policy = policy  # that may have the task run in another interpreter
        self._call = call  # if there is a policy
        if kind is not None:
            self._kind = kind
            self._route = route

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
        if self._final != PENDING and not condition.published:  # (2)
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

    # For users

    def result(self, timeout: float | None = None) -> Any:
        if self._final == PENDING:
            self._scheduler.collector.wait_for(self, timeout)
        if self._final == FINISHED and self._exception is None:
            return self._result
        error = self.exception(0)
        if error is None:  # it has completed since the check
            return self._result
        try:
            raise error
        finally:
            self = error = None  # type: ignore[assignment]  # no cycle through the traceback

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if self._final == PENDING:
            self._scheduler.collector.wait_for(self, timeout)
        if self._final == FINISHED:
            return self._exception
        raise CancelledError if self.cancelled() else TimeoutError

    def done(self) -> bool:
        return self._final != PENDING

    def cancelled(self) -> bool:
        return self._final == CANCELLED_AND_NOTIFIED

    def cancel(self) -> bool:
        if self._final == PENDING:
            self._scheduler.cancellation.cancel((self.id,))
        return self.cancelled()

    def interrupt(self) -> bool:
        """Raise xichan.Interrupted in the task if it runs, or cancel it if it has not begun. Does not wait.

        The exception is raised once, between two bytecodes or in a call of xichan that blocks; a coroutine is
        cancelled. Then ``result()`` raises TaskInterrupted, unless the task catches the exception and returns. C code
        has to return first, such as ``time.sleep``: see ``running_for``. Another call for the same task has no effect.
        Returns False if the task was over.
        """
        if self._final != PENDING:
            return False
        self._scheduler.cancellation.interrupt(self.id, self, INTERRUPTED_BY_CALL)
        return self.cancelled() or self._final == PENDING

    @property
    def running_for(self) -> float | None:
        """The seconds since the task began in a worker; None if it does not run."""
        return self._scheduler.running_for(self.id) if self._final == PENDING else None

    def completion(self) -> _core.Receiver[None]:
        """Return a Receiver that is finished once the task is over, for ``select``. The future owns it."""
        made: Any = self.__dict__.setdefault("_completion", _core.channel(1))
        if self._final != PENDING:  # (2)
            made[0].close()
        return made[1]

    def running(self) -> bool:
        taken = self._scheduler.local.get(self.id)
        if taken is not None:
            return taken
        return self._final == PENDING and self.sent and self._scheduler.was_taken(self.id) and not self.done()

    def add_done_callback(self, fn: Callable[[_Future[Any]], object]) -> None:
        if self._final == PENDING:
            self._done_callbacks.append(fn)
            if self._final != PENDING:  # (2)
                self._scheduler.callbacks.schedule(self, publish=False)
        else:
            self._call_back(fn)

    # For Callbacks

    def call_back(self) -> None:
        """Call the callbacks that have not been called. (3)"""
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
        """Notify the waiters of ``concurrent.futures``. (2) Blocks while another thread holds the condition."""
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

    # For the scheduler

    def deliver(self, id: int, value: object) -> None:
        if self._final == PENDING:
            self._result = value
            self._final = FINISHED  # (1)
        self._notify()

    def fail(self, id: int, error: BaseException) -> None:
        if self._final == PENDING:
            self._exception = error
            self._final = FINISHED  # (1)
        self._notify()

    def mark_cancelled(self, id: int) -> None:
        if self._final == PENDING:
            self._final = CANCELLED_AND_NOTIFIED
            self._kind = None
        self._notify()

    def _notify(self) -> None:
        if self._sleepers:
            wake(self._sleepers)
        if self._completion is not None:
            self._completion[0].close()
        if self._lazy_condition is not None:  # (2)
            self._scheduler.callbacks.schedule(self, publish=True)
        if self._done_callbacks:
            self._scheduler.callbacks.schedule(self, publish=False)

    def note_interrupt(self, id: int, reason: str) -> None:
        if self.interrupted is None:
            self.interrupted = reason

    def interrupt_of(self, id: int) -> str | None:
        return self.interrupted

    def task_ended(self, id: int) -> None:
        if self._kind is not None:
            self._kind.succeeded(self._route)
        self._call = None
        self.definition = None
        if self.interrupted is not None:  # see cancellation
            self._scheduler.board.forget(self.id)

    def call_of(self, id: int) -> _Call:
        assert self._call is not None
        return self._call

    def kind_of(self, id: int) -> Kind | None:
        return self._kind

    def route_of(self, id: int) -> Route | None:
        return self._route

    def move(self, id: int, route: Route) -> None:
        """Note that the task runs elsewhere."""
        self._route = route

    def message_of(self, id: int) -> tuple[Any, ...]:
        raise LookupError  # only a chunk is sent again, and a future is never part of one


class ViewFuture(Future):
    """The future of a task whose result is a Shared. It has the view."""

    def deliver(self, id: int, value: Any) -> None:
        super().deliver(id, value.view())
