"""The channel of tasks, and the tasks that a cancellation took out of it.

1. Sending is one step of C code, see interrupt_safe: a task is in the channel, and counted, or it is not.
2. ``requeued`` is empty except after a cancellation, which moves all tasks out of the channel, by way of ``recalled``.
   They precede those sent later, which are ``late`` as long as ``diverted`` is true. The collector sends them again, a
   few at a time, so to cancel many tasks one by one is cheap. Moving all of them is one step for the workers, too: what
   they take meanwhile precedes it, so the order of the tasks remains.
3. ``tx`` is closed when the pool stops: from then on no task is accepted. ``again_tx`` is the collector's own: it sends
   requeued tasks, and closing it ends the workers.

Thread safety: ``send``, ``send_many``, ``__len__`` may be called by any code at any time. All else is called by the
collector only.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelClosed
from .endpoints import close_descriptors, fail_endpoints

if TYPE_CHECKING:
    from .atomic import Counter
    from .batch import Batch
    from .futures import Future

    type _Task = tuple[Any, ...]  # see worker

_NO_ARGUMENTS = ((),)


class TaskQueue:
    """Tasks that no worker has taken.

    label: of the channel. in_flight: {id: entry} of the scheduler. limit: stop sending requeued tasks while the channel
    holds this many. submitted: counts tasks. attend: called after a late task was added. reject: called with the id of
    a task that cannot be sent again and the error.
    """

    def __init__(
        self,
        label: str,
        in_flight: dict[int, Future | Batch],
        limit: int,
        submitted: Counter,
        attend: Callable[[], object],
        reject: Callable[[int, Exception], object],
    ) -> None:
        self.tx, self.rx = _core._own_channel(label, None)
        _core._outlast_exit(self.rx)
        self.again_tx = self.tx.clone()
        self.requeued: dict[int, _Task] = {}  # by id
        self.recalled: collections.deque[list[_Task]] = collections.deque()
        self.late: collections.deque[_Task] = collections.deque()
        self.diverted = False
        self._in_flight = in_flight
        self._limit = limit
        self._submitted = submitted
        self._attend = attend
        self._reject = reject

    def __len__(self) -> int:
        """Return the number of messages that are queued."""
        return len(self.rx) + len(self.requeued) + len(self.late) if not self.rx.closed else 0

    @property
    def sent(self) -> int:
        """The number of messages sent to the workers."""
        return self.rx.stats().sent

    def send(self, entry: Future | Batch, task: _Task) -> None:
        """Send a task, or queue it behind the requeued ones. Raises NotShareableError, ChannelClosed, MemoryError."""
        count = self._submitted.add
        step = map(self.tx.send_nowait, (task,))
        if self.diverted or self.late:
            self._send_late(entry, [task], count)
        else:
            for _ in step:  # (1)
                entry.sent = True
                count()

    def send_many(self, batch: Batch, tasks: list[_Task], number: int) -> None:
        """Send the tasks of a batch. number: of calls in it."""
        count = self._submitted.many(number)
        step = map(self.tx.send_many, (tasks,))
        if self.diverted or self.late:
            self._send_late(batch, tasks, count)
        else:
            for _ in step:  # (1)
                batch.sent = True
                count()

    def _send_late(self, entry: Future | Batch, tasks: list[_Task], count: Callable[[], object]) -> None:
        tasks = [clone_endpoints(task) for task in tasks]  # which also checks them
        for _ in map(self.late.extend, (tasks,)):
            entry.sent = True
            count()
        self._attend()
        if self.tx.closed:
            for task in tasks:
                try:
                    self.late.remove(task)  # compares ids, which differ
                except ValueError:
                    return  # the collector was in time
            entry.sent = False
            raise ChannelClosed("the pool has been shut down")

    def close(self) -> None:
        self.tx.close()
        self.again_tx.close()

    # Requeued tasks

    def recall(self) -> None:
        """Move all tasks from the channel to ``requeued``."""
        self.diverted = True
        try:
            self.recalled.extend(itertools.starmap(self.rx.drain, _NO_ARGUMENTS))
        except ChannelClosed:
            pass
        self.requeue()

    def requeue(self) -> None:
        """Move the recalled tasks in front of the requeued ones, and the late ones behind them."""
        if self.recalled:
            first = {task[0]: task for tasks in self.recalled for task in tasks}
            self.requeued = first | self.requeued
            self.recalled.clear()
        while self.late:
            self.diverted = True
            try:
                task = self.late.popleft()
            except IndexError:
                return  # refused after all
            self.requeued[task[0]] = task

    def is_queued(self, id: int) -> bool:
        """Return whether no worker has taken a task that was sent."""
        self.recall()
        queued = id in self.requeued
        self.feed()
        return queued

    def feed(self) -> None:
        """Send requeued tasks while the channel holds few."""
        self.requeue()
        if self.requeued:
            room = self._limit - len(self.rx)
            for id in list(itertools.islice(self.requeued, max(room, 0))):
                self._send_requeued(id)
        if not (self.requeued or self.recalled or self.late):
            self.diverted = False

    def _send_requeued(self, id: int) -> None:
        task = self.requeued.pop(id, None)
        if task is None:
            return
        if id in self._in_flight:
            try:
                self.again_tx.send_nowait(task)
            except Exception as error:  # no memory, or an endpoint has been closed
                fail_endpoints(error, task)
                for each in ids_of(task):
                    self._reject(each, error)
        else:
            close_descriptors(task)

    def take(self, number: int, wanted: Callable[[int, _Task], bool]) -> list[int]:
        """Remove the first tasks of which each call is wanted, up to this number of calls, and return their ids."""
        self.recall()
        taken: list[int] = []
        for task in list(self.requeued.values()):
            if len(taken) >= number:
                break
            ids = ids_of(task)
            if all(wanted(id, task) for id in ids) and self.requeued.pop(task[0], None) is not None:
                taken.extend(ids)
        return taken

    def remove_all(self, error: BaseException) -> list[int]:
        """Remove all tasks, fail their endpoints with an exception, and return the ids."""
        self.recall()
        for task in self.requeued.values():
            fail_endpoints(error, task)
        ids = [id for task in self.requeued.values() for id in ids_of(task)]
        self.requeued.clear()
        return ids


def ids_of(task: _Task) -> Collection[int]:
    """Return the ids of the calls in a task, which is a single one or a chunk."""
    id, *_, number = task
    return range(id, id + number) if type(number) is int else (id,)


def clone_endpoints[T](value: T) -> T:
    """Return the value with endpoints of its own in place of those in it."""
    tx, rx = _core._own_channel("copy of arguments", 1)
    tx.send_nowait(value)
    return rx.recv_nowait()
