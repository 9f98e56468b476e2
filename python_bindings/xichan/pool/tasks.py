"""The tasks of a crew, from ``submit`` until a worker takes them or they are taken back.

1. An entry (Future or Batch) is in `entries` under the id of each of its tasks from before that is sent until it is
   over. Whoever pops it there has ended it: so each ends once. Ids are never used again.
2. A task is in one place: in `held` (or `drained`), in the channel, with a worker, in the answers, or in `here`: to be
   run in this interpreter, until a thread of that takes it.
3. `lock` is held to send tasks and to take them back, to change `held`, and for the flags. No user code runs under it,
   and nothing waits for a channel.
4. `held` is empty but after tasks have been taken back: then the channel is emptied into it, by way of `drained`. What
   is held comes before what is submitted later, and the collector feeds the channel with it. So taking back many costs
   little each.
5. What is taken back goes from `held` or `here` into `withdrawn`, and leaves that when its future has ended, as
   cancelled.
6. Ctrl-C may come anywhere in ``submit`` and ``take_back``, see locks. Each step from one place to the next is whole,
   whatever was interrupted the collector completes, and it is always told to look.
"""

import collections
import itertools
import threading

from .. import _core
from .._errors import ChannelClosed
from . import exiting
from .definitions import Definitions
from .errors import BrokenInterpreterPool
from .locks import taking

_COUNTS = ("submitted", "finished", "failed", "cancelled", "lost", "replaced", "pickled_calls", "pickled_results")
_NOTHING = ((),)
_exhaust = collections.deque[object](maxlen=0).extend  # an iterator, in one step


class Tasks:
    """The half of a Crew that workers do not see. The other half hires them, and has their number, `alive`."""

    def __init__(self):
        self.lock = threading.RLock()
        self.entries = {}
        self.held = {}  # id: task
        self.drained = collections.deque()  # lists of tasks
        self.withdrawn = {}  # id: None
        self.here = {}  # id: whether a thread of this interpreter has taken it
        self.errands = collections.deque()  # (policy, id): the collector is to find it a thread
        self.next_id = 0
        self.sent = 0  # messages, to the channel of tasks
        self.stopping = False
        self.broken = None  # why
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.tasks_tx, self.tasks_rx = _core.channel(None)
        self.definitions = Definitions(f"xichan.pool {self.tasks_tx.id:x}:")

    def submit(self, entry, function, args, kwargs):
        """Send a task. ``function``: what describes it, to be published, or a pair for this task alone.

        Raises NotShareableError, ChannelClosed (of an end among the args), RuntimeError (no worker can be had), and as
        _check_open.
        """
        for _ in taking(self.lock):
            try:
                self._check_open()
                id = entry.id = self.next_id
                self.next_id = id + 1
                self.entries[id] = entry  # (1)
                try:
                    if type(function) is not tuple:
                        function = self.definitions.use(entry, function)
                    if len(self.entries) > self.alive < self.max_workers:
                        self.want_workers()
                    self._send(entry, (id, function, args, kwargs))
                    self.counts["submitted"] += 1
                except BaseException:
                    if entry.definition is not None:  # no call before the pop: (6)
                        entry.definition.uses -= 1
                        entry.definition = None
                    self.entries.pop(id, None)
                    self._count_sent()
                    raise
                return id
            finally:
                self.lock.release()

    def submit_batch(self, batch, chunksize, places, here=()):
        """Send the tasks of a batch: those at these places. ``here``: the places of the others."""
        for _ in taking(self.lock):
            try:
                self._check_open()
                first = self.next_id
                every = range(first, first + len(batch))
                self.next_id += len(batch)
                batch.first = first
                try:
                    self.entries.update(dict.fromkeys(every, batch))  # (1)
                    if here:
                        self._keep(batch.policy, [first + place for place in here])
                    function = batch.function
                    if type(function) is not tuple:
                        function = self.definitions.use(batch, function)
                    if len(self.entries) > self.alive < self.max_workers:
                        self.want_workers()
                    tasks = batch.messages(function, places, chunksize)
                    if self.held or self.drained:
                        for task in tasks:
                            self._send(batch, task)
                    else:
                        self.sent += self.tasks_tx.send_many(tasks)
                    self.counts["submitted"] += len(batch)
                except BaseException:
                    _exhaust(map(self.entries.pop, every, itertools.repeat(None)))
                    self._abandon(every)
                    self.definitions.release(batch)
                    raise
            finally:
                self.lock.release()

    def keep(self, future):
        """Have a task run here."""
        for _ in taking(self.lock):
            try:
                self._check_open()
                id = future.id = self.next_id
                self.next_id = id + 1
                self.entries[id] = future  # (1)
                try:
                    self._keep(future.policy, (id,))
                    self.counts["submitted"] += 1
                except BaseException:
                    self._abandon((id,))
                    raise
            finally:
                self.lock.release()

    def _keep(self, policy, ids):
        self.start_collector()  # first: from now on, what is interrupted is completed
        self.here.update(dict.fromkeys(ids, False))
        self.errands.extend(zip(itertools.repeat(policy), ids))
        self.collector.nudge()
        self.collector.ring()

    def _abandon(self, ids):
        """Forget tasks of which nobody has a future. Those that nobody has taken are not run."""
        self._count_sent()
        for id in ids:
            entry = self.entries.pop(id, None)
            if entry is not None:
                self.definitions.release(entry)
        self._withdraw(ids)
        self._feed()
        self.collector.nudge()
        self.collector.ring()

    def _count_sent(self):
        """After what may have been interrupted before it was counted."""
        if not self.tasks_tx.closed:
            self.sent = self.tasks_tx.stats().sent
        if self.stopping:  # perhaps there is no task left
            self.collector.nudge()
            self.collector.ring()

    def release(self, entry):
        """An entry is over. May come twice, see Collector (3)."""
        for _ in taking(self.lock):
            try:
                self.definitions.release(entry)
            finally:
                self.lock.release()

    def _check_open(self):
        if self.broken is not None:
            raise BrokenInterpreterPool(self.broken)
        if self.stopping:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if exiting.begun:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    def _send(self, entry, task):
        if self.held or self.drained:
            tx, rx = _core.channel(1)
            tx.send_nowait(task)  # so that it has ends of its own, and is checked
            self._absorb()
            self.held[task[0]] = rx.recv_nowait()
            self._feed()
        else:
            entry.place = self.sent + 1  # first, because its answer may be dealt with before this goes on
            self.tasks_tx.send_nowait(task)
            self.sent += 1

    # Taking back

    def take_back(self, ids):
        """Cancel those of these tasks that have not begun. ``ids``: a range."""
        try:
            for _ in taking(self.lock):
                try:
                    self._withdraw(ids)
                    self._feed()
                finally:
                    self.lock.release()
            self.end_withdrawn()
        finally:
            self.collector.nudge()
            self.collector.ring()  # (6)

    def end_withdrawn(self):
        for id in list(self.withdrawn):
            self.drop(id)
            self.withdrawn.pop(id, None)

    def drop(self, id):
        """End a task as cancelled that no worker can have. May be interrupted, and called again."""
        entry = self.entries.get(id)
        if entry is not None:
            entry.drop(id)
            for popped in map(self.entries.pop, (id,), (None,)):
                if popped is not None:
                    self.counts["cancelled"] += 1
                    entry.over(1)

    def has_been_taken(self, future):
        """Whether a worker has, or has had, a task that was sent."""
        for _ in taking(self.lock):
            try:
                self._absorb()
                if self.tasks_rx.closed:
                    return True
                return future.id not in self.held and future.place <= self.tasks_rx.stats().received
            finally:
                self.lock.release()

    def _withdraw(self, ids):
        """Take away the tasks of these ids that nobody has. (5)"""
        one = len(ids) == 1
        for id in ids if one else list(self.here):
            if id in ids and self.here.get(id) is False:
                for _ in map(self.withdrawn.update, ({id: None},)):
                    del self.here[id]
        self._absorb()
        if not one or ids[0] not in self.held:
            self._empty_channel()
        for id in ids if one else list(self.held):
            if id in ids and id in self.held:
                for _ in map(self.withdrawn.update, (dict.fromkeys(_ids_of(self.held[id])),)):
                    del self.held[id]

    def take_here(self, id):
        """For a thread of this interpreter: the entry of a task that it is to run, or None."""
        with self.lock:
            if self.here.get(id) is not False:
                return None
            self.here[id] = True
            entry = self.entries.get(id)
            if entry is None:
                del self.here[id]
            return entry

    def take_all(self):
        """Take away all tasks that no worker has; with the lock, and not in the main thread. Their ids."""
        self._empty_channel()
        ids = [id for task in self.held.values() for id in _ids_of(task)]
        self.held.clear()
        return ids

    def _empty_channel(self):
        try:
            self.drained.extend(itertools.starmap(self.tasks_rx.drain, _NOTHING))
        except ChannelClosed:
            return
        self._absorb()

    def _absorb(self):
        """What was in the channel is held, before all that is already. (4)"""
        if self.drained:
            first = {task[0]: task for tasks in self.drained for task in tasks}
            self.held = first | self.held
            self.drained.clear()

    def _feed(self):
        """Send what is held, as long as the channel has little in it."""
        self._absorb()
        if self.held:
            room = max(2 * self.max_workers, 16) - len(self.tasks_rx)
            for id in list(itertools.islice(self.held, max(room, 0))):
                self._send_held(id)
        if self.stopping and not self.entries:
            self.tasks_tx.close()  # (7)
            if not self.alive:
                self.collector.finish()

    def _send_held(self, id):
        entry = self.entries.get(id)
        if entry is None:
            del self.held[id]
            return
        entry.place = self.sent + 1
        try:
            for _ in map(self.tasks_tx.send_nowait, (self.held[id],)):
                del self.held[id]
                self.sent += 1
        except MemoryError:
            for _ in map(self.collector.inbox.extend, (_ids_of(self.held[id]),)):  # which fails them
                del self.held[id]
            self.collector.nudge()
            self.collector.ring()


def _ids_of(task):
    id, *_, number = task
    return range(id, id + number) if type(number) is int else (id,)
