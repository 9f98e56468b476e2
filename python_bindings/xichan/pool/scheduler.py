"""The tasks of a pool, from submit() until a worker takes them or they are cancelled.

    submit(), map()  -- tasks -->    workers: a thread and an interpreter each
    futures, batches <-- results --  collector: a thread

1. An entry (Future or Batch) is in ``in_flight`` under the id of each of its tasks, from before the task is sent until
   it has ended. Popping an entry ends its task, so each task ends once. Ids are never reused.
2. A task is in one place: in the queue, with a worker, among the results, or, if it runs in this interpreter, in
   ``local`` until it has ended.
3. ``lock`` is held to use the queue and to change the flags. No user code and nothing that blocks runs under it.
4. A cancelled task moves from the queue or from ``local`` to ``cancelled``, and leaves that when its future is done.
5. Ctrl-C may interrupt submission and cancellation anywhere, see interrupt_safe. Each move from place to place is one
   step, the collector completes what was interrupted, and it is always woken.
6. Stopping closes the Sender of tasks: once no entry is left, or at once if the pool is broken. Then workers end,
   the last one ends the collector, and the collector fails the entries that are left.

Nothing here refers to the executor, so that it can be garbage collected, which stops its pool.
"""

from __future__ import annotations

import collections
import itertools
import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from . import interrupt_safe
from .byvalue.published import PublishedDefinitions
from .errors import BrokenInterpreterPool
from .interrupt_safe import acquired_uninterrupted, has_started
from .results import Collector
from .task_queue import TaskQueue, ids_of
from .workers import Workers

if TYPE_CHECKING:
    from .batch import Batch
    from .fallback import Policy
    from .futures import Future

_COUNTS = ("submitted", "finished", "failed", "cancelled", "lost", "replaced", "pickled_calls", "pickled_results")
_exhaust = collections.deque[object](maxlen=0).extend  # runs an iterator to its end in one step


class Scheduler:
    """Queues tasks for the Workers, whose results a Collector receives. It creates both.

    name: prefix of the names of threads.
    """

    def __init__(self, max_workers: int, name: str) -> None:
        self.lock = threading.RLock()
        self.in_flight: dict[int, Future | Batch] = {}  # by id
        self.cancelled: dict[int, None] = {}  # ids
        self.local: dict[int, bool] = {}  # id: whether a thread of this interpreter runs it
        self.pending_local: collections.deque[tuple[Policy, int]] = collections.deque()  # for the collector to start
        self.next_id = 0
        self.stopping = False
        self.broken: str | None = None  # the reason
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.queue = TaskQueue(self.in_flight, max(2 * max_workers, 16), self._reject)
        self.published = PublishedDefinitions(f"xichan.pool {self.queue.tx.id:x}:")
        self.closing: list[Callable[[], object]] = []  # called at the end
        self.workers = Workers(self, max_workers, name)
        self.collector = Collector(self, f"{name}_collector")
        self.owner: weakref.ref[object] | None = None
        interrupt_safe.register(self)

    def attach_owner(self, executor: object) -> None:
        """Stop once this object has been garbage collected."""

        def collected(_: object, self: Scheduler = self) -> None:
            # In any thread at any time, hence without the lock.
            self.stopping = True
            self.collector.wake()

        self.owner = weakref.ref(executor, collected)

    # Submitting

    def submit(self, entry: Future, function: Any, args: Any, kwargs: Any) -> None:
        """Send a task. function: a description, which is published, or a pair that serves this task only.

        Raises NotShareableError, ChannelClosed (an endpoint among the args is closed), BrokenInterpreterPool,
        RuntimeError (the pool is shut down, or no thread can be started).
        """
        for _ in acquired_uninterrupted(self.lock):
            try:
                self._check_open()
                id = entry.id = self.next_id
                self.next_id = id + 1
                self.in_flight[id] = entry  # (1)
                try:
                    if type(function) is not tuple:
                        function = self.published.use(entry, function)
                    if len(self.in_flight) > self.workers.alive < self.workers.max_workers:
                        self.workers.request()
                    self.queue.send(entry, (id, function, args, kwargs))
                    self.counts["submitted"] += 1
                except BaseException:
                    if entry.definition is not None:  # release() would be a call, after which Ctrl-C may come (5)
                        entry.definition.uses -= 1
                        entry.definition = None
                    self.in_flight.pop(id, None)
                    self._recount_sent()
                    raise
            finally:
                self.lock.release()

    def submit_batch(self, batch: Batch, chunksize: int, indexes: Sequence[int], local: Collection[int] = ()) -> None:
        """Send the tasks of a batch that are at these indexes. local: indexes of those to run in this interpreter."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                self._check_open()
                first = self.next_id
                every = range(first, first + len(batch))
                self.next_id += len(batch)
                batch.first = first
                try:
                    self.in_flight.update(dict.fromkeys(every, batch))  # (1)
                    if local:
                        self._queue_local(batch.policy, [first + index for index in local])
                    function = batch.function
                    if type(function) is not tuple:
                        function = self.published.use(batch, function)
                    if len(self.in_flight) > self.workers.alive < self.workers.max_workers:
                        self.workers.request()
                    self.queue.send_many(batch, batch.messages(function, indexes, chunksize))
                    self.counts["submitted"] += len(batch)
                except BaseException:
                    _exhaust(map(self.in_flight.pop, every, itertools.repeat(None)))
                    self._abandon(every)
                    self.published.release(batch)
                    raise
            finally:
                self.lock.release()

    def submit_local(self, future: Future) -> None:
        """Have a task run in this interpreter."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                self._check_open()
                id = future.id = self.next_id
                self.next_id = id + 1
                self.in_flight[id] = future  # (1)
                try:
                    self._queue_local(future.policy, (id,))
                    self.counts["submitted"] += 1
                except BaseException:
                    self._abandon((id,))
                    raise
            finally:
                self.lock.release()

    def _check_open(self) -> None:
        if self.broken is not None:
            raise BrokenInterpreterPool(self.broken)
        if self.stopping:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if interrupt_safe.exit_begun:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    def _queue_local(self, policy: Policy | None, ids: Collection[int]) -> None:
        assert policy is not None
        self.collector.start()  # first: from now on it completes what is interrupted
        self.local.update(dict.fromkeys(ids, False))
        self.pending_local.extend(zip(itertools.repeat(policy), ids))
        self.collector.notify()

    def _abandon(self, ids: Sequence[int]) -> None:
        """Forget tasks whose submission failed. Those that no thread has taken do not run."""
        self._recount_sent()
        for id in ids:
            entry = self.in_flight.pop(id, None)
            if entry is not None:
                self.published.release(entry)
        self._withdraw(ids)
        self.feed()
        self.collector.notify()

    def _recount_sent(self) -> None:
        """Complete what an interrupted submission did not."""
        self.queue.recount_sent()
        if self.stopping:  # this may have been the last task
            self.collector.notify()

    def release(self, entry: Future | Batch) -> None:
        """Release the definition of an entry that has ended. Idempotent, see Collector (3)."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                self.published.release(entry)
            finally:
                self.lock.release()

    def send_again(self, ids: Collection[int]) -> None:
        """Send tasks of a chunk whose worker ended before it came to them."""
        for id in ids:
            entry = self.in_flight.get(id)
            if entry is None:
                continue
            try:
                with self.lock:
                    self.queue.send(entry, entry.message_of(id))
            except Exception as error:  # no memory, or an endpoint has been closed meanwhile
                self.collector.fail(id, error)

    def was_taken(self, future: Future) -> bool:
        """Return whether a worker has taken a task that was sent."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                taken = self.queue.was_taken(future.id, future.position)
            finally:
                self.lock.release()
        return taken

    def feed(self) -> None:
        """Send requeued tasks, and close the channel after the last task of a stopping pool; with the lock."""
        self.queue.feed()
        if self.stopping and not self.in_flight:
            self.queue.tx.close()  # (6)
            if not self.workers.alive:
                self.collector.finish()

    def _reject(self, id: int) -> None:
        """Fail a requeued task that there is no memory to send; with the lock."""
        # An id alone is such a failure. A signal handler may replace the dict, so it is looked up each time.
        for _ in map(self.collector.inbox.extend, (ids_of(self.queue.requeued[id]),)):
            del self.queue.requeued[id]
        self.collector.notify()

    # Cancelling

    def cancel(self, ids: range) -> None:
        """Cancel those of these tasks that have not begun. ids: a range."""
        try:
            for _ in acquired_uninterrupted(self.lock):
                try:
                    self._withdraw(ids)
                    self.feed()
                finally:
                    self.lock.release()
            self.complete_cancelled()
        finally:
            self.collector.notify()  # (5)

    def _withdraw(self, ids: Sequence[int]) -> None:
        """Move those of these tasks that no thread has taken to ``cancelled``. (4)"""
        one = len(ids) == 1
        for id in ids if one else list(self.local):
            if id in ids and self.local.get(id) is False:
                for _ in map(self.cancelled.update, ({id: None},)):
                    del self.local[id]
        queue = self.queue
        queue.requeue_recalled()
        if not one or ids[0] not in queue.requeued:
            queue.recall()
        for id in ids if one else list(queue.requeued):
            if id in ids and id in queue.requeued:
                for _ in map(self.cancelled.update, (dict.fromkeys(ids_of(queue.requeued[id])),)):
                    del queue.requeued[id]

    def complete_cancelled(self) -> None:
        """Complete the futures of cancelled tasks. Can be repeated after an interrupt."""
        for id in list(self.cancelled):
            entry = self.in_flight.get(id)
            if entry is not None:
                entry.mark_cancelled(id)
                for popped in map(self.in_flight.pop, (id,), (None,)):
                    if popped is not None:
                        self.counts["cancelled"] += 1
                        entry.task_ended()
            self.cancelled.pop(id, None)

    def take_local(self, id: int) -> Future | Batch | None:
        """Return the entry of a task that the calling thread has to run, or None if it was cancelled."""
        with self.lock:
            if self.local.get(id) is not False:
                return None
            self.local[id] = True
            entry = self.in_flight.get(id)
            if entry is None:
                del self.local[id]
            return entry

    # Stopping

    def stop(self) -> None:
        """Accept no more tasks. Workers end when all tasks are done."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                self.stopping = True
                if not self.collector.started:
                    self.close()
                elif not self.queue.tx.closed:
                    self.feed()
                    self.collector.wake()  # in case the last result is being received by the holder of the token
            finally:
                self.lock.release()

    def join(self) -> None:
        """Wait for all threads. Returns at once in a callback, because a thread cannot wait for itself."""
        collector, workers = self.collector.thread, self.workers.threads
        if collector is None or not has_started(collector):
            return
        if threading.current_thread() not in (collector, *workers):
            collector.join()  # afterwards no worker is started
            for thread in workers:
                thread.join()

    def close(self) -> None:
        """Release everything; no thread is left but the collector."""
        self.queue.tx.close()
        self.queue.rx.close()
        self.collector.close()
        self.workers.setup = None
        with self.lock:
            self.published.clear()
        for each in self.closing:
            each()

    def disable_after_fork(self) -> None:
        """Refuse further tasks: the child of fork() has none of the threads."""
        self.lock = threading.RLock()
        self.broken = "the pool was created before fork(); create a new one in the child process"
        self.workers.threads, self.collector.thread = [], None

    def stats(self) -> dict[str, Any]:
        """Return the fields of PoolStats, as a dict."""
        for _ in acquired_uninterrupted(self.lock):
            try:
                alive, queued, counts = self.workers.alive, len(self.queue), self.counts.copy()
            finally:
                self.lock.release()
        return {"workers": alive, "max_workers": self.workers.max_workers, "queued": queued, **counts}
