"""Ends tasks of a pool before their time: cancels those that no worker has taken, and interrupts the others.

The board (task_board.h) has what workers run and which tasks are to be interrupted. Requests for a task are forgotten
when its entry ends. ``interrupt`` notes the request in the entry, makes it, and then looks whether the entry is still
in flight; ``task_ended`` comes after the entry was popped. So at least one of them forgets it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from .endpoints import close_descriptors
from .task_queue import ids_of

if TYPE_CHECKING:
    from .batch import Batch
    from .futures import Future
    from .scheduler import Scheduler


class Cancellation:
    """Cancels and interrupts tasks of a Scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def cancel(self, ids: Collection[int] | None) -> None:
        """Cancel those of these tasks that have not begun. None: all tasks."""
        scheduler = self._scheduler
        if scheduler.collector.started and not scheduler.forked:
            scheduler.collector.call(lambda: self.cancel_in_collector(ids))

    def cancel_in_collector(self, ids: Collection[int] | None) -> None:
        """Cancel tasks. For the collector."""
        scheduler = self._scheduler
        one = next(iter(ids)) if ids is not None and len(ids) == 1 else None
        cancelled = [
            id
            for id in (list(scheduler.waiting) if one is None else (one,))
            if (ids is None or id in ids) and scheduler.waiting.pop(id, self) is not self  # Scheduler (4)
        ]
        for id in cancelled:
            scheduler.local.pop(id, None)
        for queue in scheduler.queues:
            queue.requeue()
            if one not in queue.requeued:
                queue.recall()
            for id in list(queue.requeued) if one is None else (one,):
                if ids is None or id in ids:
                    task = queue.requeued.pop(id, None)
                    if task is not None:
                        cancelled.extend(ids_of(task))
                        close_descriptors(task)
        for id in cancelled:
            entry = scheduler.in_flight.get(id)
            if entry is not None:
                entry.mark_cancelled(id)
                scheduler.results.end(id, "cancelled")
        for queue in scheduler.queues:
            queue.feed()

    def interrupt(self, id: int, entry: Future | Batch, reason: str) -> None:
        """Have a task interrupted, or cancel it if no worker has taken it. reason: for the message of its error."""
        scheduler = self._scheduler
        if not scheduler.forked and scheduler.collector.started:
            self.request_interrupt(id, reason, entry)
            self.cancel((id,))

    def request_interrupt(self, id: int, reason: str, entry: Future | Batch | None = None) -> None:
        """Have a task interrupted that a worker has taken or will take."""
        scheduler = self._scheduler
        entry = entry or scheduler.in_flight.get(id)
        if entry is not None:
            entry.note_interrupt(id, reason)
            scheduler.board.interrupt(id)
            if id not in scheduler.in_flight:  # see above
                scheduler.board.forget(id)

    def interrupt_all(self, reason: str) -> None:
        """Cancel all tasks that no worker has taken, and have the others interrupted."""
        self.cancel(None)
        for id, entry in list(self._scheduler.in_flight.items()):
            self.interrupt(id, entry, reason)
