"""The future of one task.

Future and Batch are the entries of the scheduler. It completes each of their tasks by ``deliver``, ``fail`` or
``mark_cancelled``, any of which may be repeated, and then calls ``task_ended`` once. No lock is held meanwhile.

The outcome is stored first; storing ``_final`` commits it. ``result``, ``done`` and ``cancelled`` read it without a
lock. Then what waits for the future is notified, see awaited_future.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures._base import CANCELLED_AND_NOTIFIED, FINISHED, PENDING
from typing import TYPE_CHECKING, Any

from .awaited_future import AwaitedFuture

if TYPE_CHECKING:
    from .byvalue.published import Definition
    from .call_kinds import Kind, Route
    from .fallback import Policy
    from .scheduler import Scheduler

    type _Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # function, args, kwargs


INTERRUPTED_BY_CALL = "it was interrupted by interrupt()"


class Future(AwaitedFuture):
    """The future of a task, which can be cancelled until a worker takes it."""

    interrupted: str | None = None  # why the task is to be interrupted
    _kind: Kind | None = None  # of the call, if there is a policy
    _route: Route | None = None

    def __init__(
        self,
        scheduler: Scheduler,
        policy: Policy | None = None,
        call: _Call | None = None,
        kind: Kind | None = None,
        route: Route | None = None,
    ) -> None:
        super().__init__(scheduler)
        self.id = -1  # of the task
        self.sent = False  # the task
        self.definition: Definition | None = None  # of its function, while it is published
        self.policy = policy  # that may have the task run in another interpreter
        self._call = call  # if there is a policy
        if kind is not None:
            self._kind = kind
            self._route = route

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

    def running(self) -> bool:
        taken = self._scheduler.local.get(self.id)
        if taken is not None:
            return taken
        return self._final == PENDING and self.sent and self._scheduler.was_taken(self.id) and not self.done()

    # For the scheduler

    def deliver(self, id: int, value: object) -> None:
        if self._final == PENDING:
            self._result = value
            self._final = FINISHED  # commits it
        self._notify()

    def fail(self, id: int, error: BaseException) -> None:
        if self._final == PENDING:
            self._exception = error
            self._final = FINISHED  # commits it
        self._notify()

    def mark_cancelled(self, id: int) -> None:
        if self._final == PENDING:
            self._final = CANCELLED_AND_NOTIFIED
            self._kind = None
        self._notify()

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
