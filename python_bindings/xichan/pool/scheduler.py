"""The tasks of a pool, from submit() until a worker takes them or they are cancelled.

    submit(), map()  -- tasks -->    workers: a thread and an interpreter each
    futures, batches <-- results --  collector: a thread

1. An entry (Future or Batch) is in ``in_flight`` under the id of each of its tasks, from before the task is sent until
   it has ended. The call that pops it ends the task, so each task ends once. Ids are never reused.
2. A task is in one place: in a queue, with a worker, among the results, or, if it runs in this interpreter, in
   ``local`` until it has ended. There is one queue for the workers, and one for the pinned interpreter, if any.
3. Methods for users hold no lock and may be interrupted by code that calls them, see interrupt_safe. Sending is the one
   step that submits: before it, the task does not exist, even if its entry is in ``in_flight``; ``entry.sent`` is set
   in that step. What takes several steps is done by the collector.
4. A local task is in ``waiting`` until a thread takes it or it is cancelled, either by popping it.
5. See stopping for the end of a pool, and cancellation for the tasks that end before their time.

Nothing here refers to the executor, so that it can be garbage collected, which stops its pool.
"""

from __future__ import annotations

import collections
import itertools
import weakref
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelClosed
from . import interrupt_safe
from .atomic import Counter
from .byvalue.published import PublishedDefinitions
from .callbacks import Callbacks
from .cancellation import Cancellation
from .collector import Collector
from .errors import BrokenInterpreterPool
from .refusals import Refusals
from .results import Results
from .stopping import Shutdown
from .task_queue import TaskQueue
from .workers import Workers

if TYPE_CHECKING:
    from .batch import Batch
    from .fallback import Policy
    from .futures import Future
    from .options import Deadlines
    from .pinned import PinnedWorker

_COUNTS = ("submitted", "finished", "failed", "cancelled", "lost", "replaced", "pickled_calls", "pickled_results")
_MAX_BATCH = 2**32  # tasks


class Scheduler:
    """Queues tasks for the Workers, whose results a Collector receives. It creates both.

    name: prefix of the names of threads. degraded: see InterpreterPoolExecutor.
    """

    def __init__(self, max_workers: int, name: str, degraded: str) -> None:
        self.in_flight: dict[int, Future | Batch] = {}  # by id
        self.local: dict[int, bool] = {}  # id: whether a thread of this interpreter runs it
        self.waiting: dict[int, None] = {}  # ids of local tasks that no thread has taken
        self.pending_local: collections.deque[tuple[Policy, int]] = collections.deque()  # for the collector to start
        self.next_id = itertools.count().__next__
        self.next_batch = itertools.count(-_MAX_BATCH, -_MAX_BATCH).__next__  # id of the first task
        self.own_threads: set[int] = set()  # idents of those that run workers and local tasks
        self.stopping = False
        self.broken: str | None = None  # the reason
        self.last_error: str | None = None  # of the tasks
        self.forked = False  # this is the child of fork(), which has none of the threads
        self.board = _core._TaskBoard()
        self.counts = {count: Counter() for count in _COUNTS}
        self.results = Results(self)
        self.collector = Collector(self, name)
        self.callbacks = Callbacks(self.collector, name)
        self.refusals = Refusals(degraded)
        self.queue = TaskQueue(
            f"pool {name!r} tasks",
            self.in_flight,
            max(2 * max_workers, 16),
            self.counts["submitted"],
            self.collector.attend,
            self.results.fail,
        )
        self.queues = [self.queue]
        self.pinned: PinnedWorker | None = None
        self.published = PublishedDefinitions(f"xichan.pool {self.queue.tx.id:x}:")
        self.closing: list[Callable[[], object]] = []  # called at the end
        self.workers = Workers(self, max_workers, name)
        self.cancellation = Cancellation(self)
        self.shutdown = Shutdown(self)
        self.deadlines: Deadlines | None = None
        self.owner: weakref.ref[object] | None = None
        interrupt_safe.register(self.shutdown)

    def attach_owner(self, executor: object) -> None:
        """Stop once this object has been garbage collected."""

        def collected(_: object, self: Scheduler = self) -> None:
            self.shutdown.stop()

        self.owner = weakref.ref(executor, collected)

    # Submitting

    def use_pinned(self, pinned: PinnedWorker) -> None:
        """Have tasks sent to the pinned interpreter, as well."""
        self.pinned = pinned
        self.queues.append(pinned.queue)

    def submit(self, entry: Future, function: Any, args: Any, kwargs: Any, pinned: bool = False) -> None:
        """Send a task. function: a description, which is published, or a pair that serves this task only.

        Raises NotShareableError, ChannelClosed (an endpoint among the args is closed), BrokenInterpreterPool,
        RuntimeError (the pool is shut down, or no thread can be started).
        """
        self._check_open()
        id = entry.id = self.next_id()
        try:
            if type(function) is not tuple:
                function = self.published.use(entry, function)
            self.in_flight[id] = entry  # (1)
            queue = self._queue_for(pinned)
            queue.send(entry, (id, function, args, kwargs))
        except BaseException as error:
            self._abandon(entry, (id,), error)
            raise

    def _queue_for(self, pinned: bool) -> TaskQueue:
        """Return the queue to which tasks are sent, and start a worker if these need it."""
        if pinned and self.pinned is not None:
            self.pinned.request()
            return self.pinned.queue
        if len(self.in_flight) > self.workers.alive < self.workers.max_workers:
            self.workers.request()
        return self.queue

    def submit_batch(
        self,
        batch: Batch,
        chunksize: int,
        indexes: Sequence[int],
        local: Collection[int] = (),
        pinned: Sequence[int] = (),
    ) -> None:
        """Send the tasks of a batch that are at these indexes.

        local, pinned: indexes of those to run in this interpreter, and in the pinned one.
        """
        self._check_open()
        first = batch.first = self.next_batch()
        every = range(first, first + len(batch))
        try:
            function = batch.function
            if type(function) is not tuple:
                function = self.published.use(batch, function)
            messages = batch.messages(function, indexes, chunksize)
            self.in_flight.update(dict.fromkeys(every, batch))  # (1)
            if local:
                self._start_local(batch, [first + index for index in local])
            if pinned:
                pinned_messages = batch.messages(function, pinned, chunksize)
                self._queue_for(True).send_many(batch, pinned_messages, len(pinned))
            if messages:
                self._queue_for(False).send_many(batch, messages, len(indexes))
        except BaseException as error:
            self._abandon(batch, every, error)
            raise

    def submit_local(self, future: Future) -> None:
        """Have a task run in this interpreter."""
        self._check_open()
        id = future.id = self.next_id()
        try:
            self.in_flight[id] = future  # (1)
            self._start_local(future, (id,))
        except BaseException as error:
            self._abandon(future, (id,), error)
            raise

    def _check_open(self) -> None:
        if self.broken is not None:
            raise BrokenInterpreterPool(self.broken)
        if self.stopping:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if interrupt_safe.exit_begun:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    def _start_local(self, entry: Future | Batch, ids: Collection[int]) -> None:
        self.collector.start()
        self.local.update(dict.fromkeys(ids, False))
        self.waiting.update(dict.fromkeys(ids))
        count = self.counts["submitted"].many(len(ids))
        pending: Any = zip(itertools.repeat(entry.policy), ids)
        for _ in map(self.pending_local.extend, (pending,)):
            entry.sent = True
            count()
        self.collector.notify()

    def _abandon(self, entry: Future | Batch, ids: Collection[int], error: BaseException) -> None:
        """Forget tasks whose submission failed. If it was only interrupted after sending, they run."""
        if entry.sent and not isinstance(error, Exception):
            self.collector.notify()
            return
        for id in ids:
            self.in_flight.pop(id, None)
            self.waiting.pop(id, None)
            self.local.pop(id, None)
        entry.definition = None
        if isinstance(error, ChannelClosed) and self.queue.tx.closed:
            self._check_open()
        if len(ids) > 1 and self.collector.started:
            self.collector.send(lambda: self.cancellation.cancel_in_collector(ids))  # a part may have been sent

    def was_taken(self, id: int) -> bool:
        """Return whether a worker has taken a task that was sent."""
        return not self.forked and not self.collector.call(lambda: any(queue.is_queued(id) for queue in self.queues))

    def start_deadlines(self) -> None:
        """Start the thread that interrupts tasks at their deadlines, if it is not running."""
        self._check_open()
        self.collector.start()
        self.collector.call(self._start_deadlines)

    def _start_deadlines(self) -> None:
        from .options import Deadlines

        if self.deadlines is None:
            self.deadlines = Deadlines(self, f"{self.workers.name}_deadlines")
            self.closing.append(self.deadlines.close)

    def running_for(self, id: int) -> float | None:
        """Return the seconds since a task began, or None if it does not run."""
        return None if self.forked else self.board.running().get(id)

    def take_local(self, id: int) -> Future | Batch | None:
        """Return the entry of a task that the calling thread has to run, or None if it was cancelled."""
        for taken in map(self.waiting.pop, (id,), (self,)):  # (4)
            if taken is not self:
                self.local[id] = True
                return self.in_flight.get(id)
        return None

    def stats(self) -> dict[str, Any]:
        """Return the fields of PoolStats, as a dict."""
        alive, queued = self.workers.alive, sum(map(len, self.queues))
        counts = {name: self.counts[name].value for name in reversed(_COUNTS)}  # submitted is not less than the others
        standby = 0 if self.workers.standby is None else len(self.workers.standby)
        return {
            "workers": alive,
            "max_workers": self.workers.max_workers,
            "standby": standby,
            "queued": queued,
            **counts,
            "refused": self.refusals.stats(),
            "last_error": self.last_error,
        }
