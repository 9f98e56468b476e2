"""The future of one task.

Future and Batch are the entries of the scheduler. For each task of an entry it calls, with no lock held:

* ``task_ended`` and then ``deliver`` or ``fail``, or
* ``mark_cancelled`` and then ``task_ended``, if no worker has taken the task.

1. Most futures are awaited by one thread, which receives the result itself or comes after it has arrived. So the
   condition of ``concurrent.futures.Future`` is created on first use, under ``_lock``. While there is none, the result
   is stored under ``_lock`` and no thread is notified.
2. Ctrl-C may interrupt any call of the main thread, see interrupt_safe. So no condition is acquired by ``with``, and
   ``_state`` is read without a lock. ``mark_cancelled`` can be repeated after an interrupt: it changes PENDING to
   CANCELLED, notifies the waiters, changes to CANCELLED_AND_NOTIFIED, and removes each callback in the step that
   fetches it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, InvalidStateError
from concurrent.futures import Future as _Future
from concurrent.futures._base import CANCELLED, CANCELLED_AND_NOTIFIED, FINISHED, LOGGER, PENDING
from typing import TYPE_CHECKING, Any

from .interrupt_safe import acquired_uninterrupted

if TYPE_CHECKING:
    from .byvalue.published import Definition
    from .fallback import Policy
    from .scheduler import Scheduler

    type _Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # function, args, kwargs

_lock = threading.Lock()
_CANCELLED = (CANCELLED, CANCELLED_AND_NOTIFIED)
_FIRST = (0,)


class Future(_Future[Any]):
    """The future of a task, which can be cancelled until a worker takes it."""

    def __init__(self, scheduler: Scheduler, policy: Policy | None = None, call: _Call | None = None) -> None:
        # super().__init__ is not called: it creates the condition (1).
        self._state = PENDING
        self._result = self._exception = None
        self._lazy_condition: threading.Condition | None = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Callable[..., object]] = []
        self._sleepers: list[threading.Lock] = []  # of waiting threads, each released when the future is done
        self._scheduler = scheduler
        self.id = -1  # of the task
        self.position = 0  # of the task among all messages sent to the workers, from 1
        self.definition: Definition | None = None  # of its function, while it is published
        self.policy = policy
        self._call = call  # if the policy may have to run the task in this interpreter

    @property
    def _condition(self) -> threading.Condition:  # type: ignore[override]
        condition = self._lazy_condition
        if condition is None:
            made = threading.Condition()
            for _ in acquired_uninterrupted(_lock):
                try:
                    condition = self._lazy_condition = self._lazy_condition or made  # (1)
                finally:
                    _lock.release()
        return condition  # type: ignore[return-value]  # the loop makes exactly one step

    # For users

    def result(self, timeout: float | None = None) -> Any:
        if self._state == PENDING:
            self._wait(timeout)
        if self._state == FINISHED and self._exception is None:
            return self._result
        error = self.exception(0)
        if error is None:  # it has completed since the check
            return self._result
        try:
            raise error
        finally:
            self = error = None  # type: ignore[assignment]  # no cycle through the traceback

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if self._state == PENDING:
            self._wait(timeout)
        state = self._state
        if state == FINISHED:
            return self._exception
        raise CancelledError if state in _CANCELLED else TimeoutError

    def done(self) -> bool:
        return self._state != PENDING

    def cancelled(self) -> bool:
        return self._state in _CANCELLED

    def cancel(self) -> bool:
        if self._state == PENDING:
            self._scheduler.cancel(range(self.id, self.id + 1))
        return self.cancelled()

    def running(self) -> bool:
        taken = self._scheduler.local.get(self.id)
        if taken is not None:
            return taken
        return self._state == PENDING and self._scheduler.was_taken(self)

    def _wait(self, timeout: float | None) -> None:
        """Receive the result in this thread if possible, else sleep until it arrives.

        Does not wait in the condition: Ctrl-C could leave it acquired, and the thread that brings the result would
        then block.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._scheduler.collector.take_inline(self, timeout)
        for _ in acquired_uninterrupted(_lock):
            try:
                if self._state != PENDING:
                    return
                sleeper = threading.Lock()
                sleeper.acquire()
                self._sleepers.append(sleeper)
            finally:
                _lock.release()
        left = -1 if deadline is None else min(max(deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)
        if not sleeper.acquire(timeout=left):
            for _ in acquired_uninterrupted(_lock):
                try:
                    if sleeper in self._sleepers:
                        self._sleepers.remove(sleeper)
                finally:
                    _lock.release()

    def _wake(self) -> None:
        for _ in acquired_uninterrupted(_lock):
            try:
                while self._sleepers:
                    self._sleepers.pop().release()
            finally:
                _lock.release()

    # For the scheduler

    def mark_cancelled(self, id: int) -> None:
        """Complete as cancelled. Idempotent (2)."""
        condition = self._condition
        for _ in acquired_uninterrupted(condition):
            try:
                if self._state == PENDING:
                    self._state = CANCELLED
                if self._state == CANCELLED:
                    for waiter in self._waiters:
                        waiter.add_cancelled(self)
                    self._state = CANCELLED_AND_NOTIFIED
            finally:
                condition.release()
        self._invoke_callbacks()

    def _invoke_callbacks(self) -> None:
        self._wake()  # first, because a callback may take long or raise
        try:
            while self._done_callbacks:
                for callback in map(self._done_callbacks.pop, _FIRST):
                    try:
                        callback(self)
                    except Exception:
                        LOGGER.exception("exception calling callback for %r", self)
        except IndexError:
            pass  # another thread has removed the last one

    def accept(self, result: Any) -> bool:
        """Complete with a result message if it is the value of this task and no other thread waits for the future.

        Returns whether it did. For Collector.take_inline.
        """
        if type(result) is not tuple or len(result) != 2 or result[0] != self.id:
            return False
        if self._lazy_condition is not None or self._sleepers:
            return False
        scheduler = self._scheduler
        self.task_ended()
        self.set_result(result[1])
        self._wake()
        # Last: until then the collector may repeat all of this.
        for entry in map(scheduler.in_flight.pop, (self.id,), (None,)):
            if entry is not None:
                scheduler.counts["finished"] += 1
        return True

    def deliver(self, id: int, value: object) -> None:
        try:
            self.set_result(value)
        except InvalidStateError:
            pass  # set by a thread that was interrupted in accept()
        self._wake()

    def set_result(self, result: object) -> None:
        for _ in acquired_uninterrupted(_lock):
            try:
                if self._lazy_condition is None and self._state == PENDING:  # (1)
                    self._result = result
                    self._state = FINISHED
                    return
            finally:
                _lock.release()
        super().set_result(result)

    def fail(self, id: int, error: BaseException) -> None:
        try:
            self.set_exception(error)
        except InvalidStateError:
            pass  # likewise

    def task_ended(self) -> None:
        self._call = None
        if self.definition is not None:
            self._scheduler.release(self)

    def call_of(self, id: int) -> _Call:
        assert self._call is not None
        return self._call

    def message_of(self, id: int) -> tuple[Any, ...]:
        raise LookupError  # only a chunk is sent again, and a future is never part of one
