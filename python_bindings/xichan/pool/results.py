"""Ends tasks by the results of their workers, see worker for their form.

Ending a task can be repeated. It is popped from ``in_flight`` last, and the one call that pops it counts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from .._errors import DecodeError, Interrupted, MemoryLimitExceeded
from .._pickling import loads
from .._remote import rebuild_error, summary_of, text_of, type_name_of
from .errors import BrokenInterpreterPool, BrokenWorker, TaskInterrupted
from .worker_results import ResultKind

if TYPE_CHECKING:
    from .._loader_watch import _Place
    from .scheduler import Scheduler


class Results:
    """Ends the tasks of a Scheduler. A thread may call its methods in the middle of another call."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._finished = scheduler.counts["finished"].add

    def handle(self, result: Any) -> None:
        """End the tasks of a result, or of a DecodeError in place of one. Any thread but the main one."""
        try:
            if type(result) is tuple and len(result) == 2:
                self.deliver(*result)
            elif type(result) is int:
                self.fail(result, MemoryLimitExceeded("no memory for the result of a task"))
            elif isinstance(result, DecodeError):
                self._handle_undecodable(result)
            elif result is not None:
                self._handle_other(*result)
        except BaseException as error:  # raised by user code where it is not expected: it must not end this thread
            self.fail(result if type(result) is int else result[0], error)

    def _handle_undecodable(self, error: DecodeError) -> None:
        """Fail the task whose result cannot be decoded; of a chunk, handle the other results."""
        message: Any = error._message
        id, *rest = message
        if len(message) > 2 and rest[0] == ResultKind.CHUNK:
            for view in rest[1]:
                try:
                    result = view.value()
                except DecodeError as failure:
                    result = failure
                self.handle(result)
        else:
            self.fail(id, error)

    def _handle_other(self, id: int, kind: int, *rest: Any) -> None:
        """Handle a result other than a plain value."""
        scheduler = self._scheduler
        match kind:
            case ResultKind.CHUNK:
                for result in rest[0]:
                    self.handle(result)
            case ResultKind.PICKLED:
                self._deliver_pickled(id, *rest)
            case ResultKind.RAISED:
                *parts, refusal = rest
                entry = scheduler.in_flight.get(id) if refusal else None
                policy = entry.policy if entry is not None else None
                if entry is None or policy is None or not policy.run_refused(scheduler, entry, id, refusal):
                    self.fail(id, rebuild_error(*parts))
            case ResultKind.REFUSED:
                self._note_refusal(id, *rest)
            case ResultKind.ENDED:
                reason, not_begun = rest
                if self.fail(id, BrokenWorker(f"the worker ended while it ran this task: {reason}")):
                    scheduler.counts["lost"].add()
                    self._send_again(not_begun)

    def _deliver_pickled(self, id: int, data: bytes, external: tuple[object, ...]) -> None:
        self._scheduler.counts["pickled_results"].add()
        try:
            value = loads(data, external)
        except BaseException as error:
            error.add_note("while the result of the task was unpickled")
            self.fail(id, error)
        else:
            self.deliver(id, value)

    def _send_again(self, ids: Collection[int]) -> None:
        """Send tasks of a chunk whose worker ended before it came to them."""
        for id in ids:
            entry = self._scheduler.in_flight.get(id)
            if entry is not None:
                self._scheduler.queue.late.append(entry.message_of(id))

    def _note_refusal(
        self, id: int | None, module: str, reason: str, place: _Place | None, package: str | None, degraded: bool
    ) -> None:
        """Record a module that a worker has refused. See refusal_reports."""
        scheduler = self._scheduler
        if scheduler.refusals.add(module, reason, place, degraded):
            scheduler.callbacks.schedule(scheduler.refusals, publish=False)
        entry = None if id is None else scheduler.in_flight.get(id)
        if entry is not None and entry.policy is not None and degraded and scheduler.refusals.degraded == "main":
            assert id is not None
            entry.policy.learn_degraded(scheduler, entry, id, module, package)

    def deliver(self, id: int, value: object) -> None:
        """End a task with its result. Not in the main thread."""
        in_flight = self._scheduler.in_flight
        entry = in_flight.get(id)
        if entry is not None:
            entry.deliver(id, value)
            if in_flight.pop(id, None) is not None:
                self._finished()
                entry.task_ended(id)

    def fail(self, id: int, error: BaseException) -> bool:
        """End a task with an exception. Returns whether this call ended it."""
        entry = self._scheduler.in_flight.get(id)
        if entry is None:
            return False
        if isinstance(error, Interrupted) and not isinstance(error, TaskInterrupted):
            error = _failed_by(error, entry.interrupt_of(id))
        self._scheduler.last_error = summary_of(type_name_of(error), text_of(error))
        entry.fail(id, error)
        return self.end(id, "failed")

    def end(self, id: int, count: str) -> bool:
        """End a task that is completed. Returns whether this call did so."""
        add = self._scheduler.counts[count].add
        for entry in map(self._scheduler.in_flight.pop, (id,), (None,)):
            if entry is not None:
                add()
                entry.task_ended(id)
                return True
        return False

    def fail_all(self, ids: Iterable[int]) -> None:
        """End tasks because the pool is broken."""
        for id in ids:
            self.fail(id, BrokenInterpreterPool(self._scheduler.broken or "no workers are left"))
        self._scheduler.collector.nudge()


def _failed_by(error: Interrupted, reason: str | None) -> TaskInterrupted:
    """Return the error of a task that raised Interrupted. reason: of the interrupt; None if there was none."""
    failure = TaskInterrupted(reason or str(error) or "it raised xichan.Interrupted")
    failure.__cause__ = error
    return failure
