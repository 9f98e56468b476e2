"""The channel of tasks, and the tasks that a cancellation took out of it.

1. ``requeued`` is empty except after a cancellation, which moves all tasks out of the channel, by way of ``recalled``.
   Requeued tasks precede those sent later. The collector sends them again, a few at a time, so to cancel many tasks one
   by one is cheap.

Thread safety: the scheduler's lock is held for every call. Ctrl-C may interrupt all but ``remove_all``, see
interrupt_safe.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelClosed

if TYPE_CHECKING:
    from .batch import Batch
    from .futures import Future

    type _Task = tuple[Any, ...]  # see worker

_NO_ARGUMENTS = ((),)


class TaskQueue:
    """Tasks that no worker has taken.

    in_flight: {id: entry} of the scheduler. limit: stop sending requeued tasks while the channel holds this many.
    reject: called with the id of a task if there is no memory to send it again.
    """

    def __init__(self, in_flight: dict[int, Future | Batch], limit: int, reject: Callable[[int], object]) -> None:
        self.tx, self.rx = _core.channel(None)
        _core._outlast_exit(self.rx)
        self.sent = 0  # messages
        self.requeued: dict[int, _Task] = {}  # by id
        self.recalled: collections.deque[list[_Task]] = collections.deque()
        self._in_flight = in_flight
        self._limit = limit
        self._reject = reject

    def __len__(self) -> int:
        """Return the number of messages that are queued."""
        return len(self.rx) + len(self.requeued) if not self.rx.closed else 0

    def send(self, entry: Future | Batch, task: _Task) -> None:
        """Send a task, or queue it behind the requeued ones. Raises NotShareableError, ChannelClosed, MemoryError."""
        if self.requeued or self.recalled:
            task = clone_endpoints(task)  # which also checks it
            self.requeue_recalled()
            self.requeued[task[0]] = task
            self.feed()
        else:
            entry.position = self.sent + 1  # first, because its result may be handled before this returns
            self.tx.send_nowait(task)
            self.sent += 1

    def send_many(self, batch: Batch, tasks: list[_Task]) -> None:
        """Send the tasks of a batch."""
        if self.requeued or self.recalled:
            for task in tasks:
                self.send(batch, task)
        else:
            self.sent += self.tx.send_many(tasks)

    def recount_sent(self) -> None:
        """Correct ``sent`` after an interrupt between sending and counting."""
        if not self.tx.closed:
            self.sent = self.tx.stats().sent

    def was_taken(self, id: int, position: int) -> bool:
        """Return whether a worker has taken a task: the one that was sent at this position."""
        self.requeue_recalled()
        return self.rx.closed or (id not in self.requeued and position <= self.rx.stats().received)

    # Requeued tasks

    def recall(self) -> None:
        """Move all tasks from the channel to ``requeued``."""
        try:
            self.recalled.extend(itertools.starmap(self.rx.drain, _NO_ARGUMENTS))
        except ChannelClosed:
            return
        self.requeue_recalled()

    def requeue_recalled(self) -> None:
        """Move tasks from ``recalled`` to ``requeued``."""
        if self.recalled:
            first = {task[0]: task for tasks in self.recalled for task in tasks}
            self.requeued = first | self.requeued
            self.recalled.clear()

    def feed(self) -> None:
        """Send requeued tasks while the channel holds few."""
        self.requeue_recalled()
        if self.requeued:
            room = self._limit - len(self.rx)
            for id in list(itertools.islice(self.requeued, max(room, 0))):
                self._send_requeued(id)

    def _send_requeued(self, id: int) -> None:
        entry = self._in_flight.get(id)
        if entry is None:
            del self.requeued[id]
            return
        entry.position = self.sent + 1
        try:
            for _ in map(self.tx.send_nowait, (self.requeued[id],)):
                del self.requeued[id]
                self.sent += 1
        except MemoryError:
            self._reject(id)

    def remove_all(self) -> list[int]:
        """Remove all tasks and return their ids. Not in the main thread."""
        self.recall()
        ids = [id for task in self.requeued.values() for id in ids_of(task)]
        self.requeued.clear()
        return ids


def ids_of(task: _Task) -> Collection[int]:
    """Return the ids of the calls in a task, which is a single one or a chunk."""
    id, *_, number = task
    return range(id, id + number) if type(number) is int else (id,)


def clone_endpoints[T](value: T) -> T:
    """Return the value with endpoints of its own in place of those in it."""
    tx, rx = _core.channel(1)
    tx.send_nowait(value)
    return rx.recv_nowait()
