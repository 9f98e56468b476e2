"""The tasks of a crew, from ``submit`` until a worker takes them or they are taken back.

1. An entry (Future or Batch) is in `entries` under the id of each of its tasks from before that is sent until it is
   over. Whoever pops it there, ends it: so each ends once. Ids are never used again.
2. A task is in one place: in `held`, in the channel, with a worker, or in the answers.
3. `lock` is held to send tasks and to take them back, to change `held`, and for the flags. No user code runs under it,
   and nothing waits for a channel.
4. `held` is empty but after tasks have been taken back: then the channel is emptied into it. What is held comes before
   what is submitted later, and the collector feeds the channel with it. So taking back many costs little each.
"""

import itertools
import threading

from .. import _core
from .._errors import ArenaFull, ChannelClosed
from . import exiting
from .definitions import Definitions
from .errors import BrokenInterpreterPool
from .locks import taking

_COUNTS = ("submitted", "finished", "failed", "cancelled", "lost", "replaced", "pickled_calls", "pickled_results")


class Tasks:
    """The half of a Crew that workers do not see. The other half hires them, and has their number, `alive`."""

    def __init__(self):
        self.lock = threading.RLock()
        self.entries = {}
        self.held = {}  # id: task
        self.next_id = 0
        self.sent = 0  # messages, to the channel of tasks
        self.stopping = False
        self.broken = None  # why
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.tasks_tx, self.tasks_rx = _core.channel(None)
        self.definitions = Definitions(f"xichan.pool {self.tasks_tx.id:x}:")

    def submit(self, entry, function, args, kwargs):
        """Send a task. ``function``: what describes it, to be published, or a pair for this task alone.

        Raises NotShareableError, ChannelClosed (of an end among the args), and as _check_open.
        """
        for _ in taking(self.lock):
            try:
                self._check_open()
                id = entry.id = self.next_id
                self.next_id = id + 1
                self.entries[id] = entry  # (1)
                try:
                    function = self._use(entry, function)
                    self._send(entry, (id, function, args, kwargs))
                except BaseException:
                    self.entries.pop(id, None)
                    self.release(entry)
                    raise
                self.counts["submitted"] += 1
                if len(self.entries) > self.alive < self.max_workers:
                    self._hire()
                return id
            finally:
                self.lock.release()

    def submit_batch(self, batch, chunksize, places):
        """Send the tasks of a batch: those at these places."""
        for _ in taking(self.lock):
            try:
                self._check_open()
                first = batch.first = self.next_id
                every = range(first, first + len(batch))
                self.next_id += len(batch)
                try:
                    self.entries.update(dict.fromkeys(every, batch))  # (1)
                    tasks = batch.messages(self._use(batch, batch.function), places, chunksize)
                    if self.held:
                        for task in tasks:
                            self._send(batch, task)
                    else:
                        self.sent += self.tasks_tx.send_many(tasks)
                except BaseException:
                    self._remove(every)
                    for id in every:
                        self.entries.pop(id, None)
                    raise
                self.counts["submitted"] += len(batch)
                while len(self.entries) > self.alive < self.max_workers:
                    self._hire()
            finally:
                self.lock.release()

    def adopt(self, future):
        """Give a future an id without sending anything."""
        for _ in taking(self.lock):
            try:
                self._check_open()
                future.id = self.next_id
                self.next_id += 1
                self.entries[future.id] = future  # (1)
                self.counts["submitted"] += 1
            finally:
                self.lock.release()

    def _use(self, entry, function):
        if type(function) is tuple:
            return function
        entry.definition = self.definitions.use(function)
        return entry.definition.number

    def release(self, entry):
        """An entry is over. May come twice, see Collector (3)."""
        for _ in taking(self.lock):
            try:
                definition, entry.definition = entry.definition, None
                if definition is not None:
                    self.definitions.release(definition)
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
        if self.held:
            tx, rx = _core.channel(1)
            tx.send_nowait(task)  # so that it has ends of its own, and is checked
            self.held[task[0]] = rx.recv_nowait()
            self._feed()  # the collector may be asleep, if what emptied the channel was interrupted
        else:
            self._put(entry, task)

    def _put(self, entry, task):
        entry.place = self.sent + 1  # first, because its answer may be dealt with before this goes on
        self.tasks_tx.send_nowait(task)
        self.sent += 1

    def take_back(self, future):
        """Take a task away before a worker has it. False if it was too late."""
        for _ in taking(self.lock):
            try:
                id = future.id
                taken = self.entries.get(id) is future and self._remove((id,))
                self.counts["cancelled"] += bool(taken)
                self.collector.nudge()
                return bool(taken)
            finally:
                self.lock.release()

    def take_back_all(self, ids=None):
        """Take away what no worker has yet: of these ids, or all. Returns the entries, by id."""
        for _ in taking(self.lock):
            try:
                taken = self._remove(self.entries.keys() if ids is None else ids)
                self.counts["cancelled"] += len(taken)
                self.collector.nudge()
                return taken
            finally:
                self.lock.release()

    def has_been_taken(self, future):
        """Whether a worker has, or has had, a task that was sent."""
        for _ in taking(self.lock):
            try:
                return future.id not in self.held and future.place <= self.tasks_rx.stats()["received"]
            finally:
                self.lock.release()

    def _remove(self, ids):
        """Take away the tasks of these ids that no worker has. Returns {id: entry}."""
        if not all(id in self.held for id in ids):
            self._empty_channel()
        removed = {}
        for id in list(self.held) if len(ids) > 1 else ids:
            if id in self.held and id in ids:
                for each in _ids_of(self.held.pop(id)):
                    removed[each] = entry = self.entries.pop(each)
                    entry.over(1)
        self._feed()
        return removed

    def _empty_channel(self):
        try:
            tasks = self.tasks_rx.drain()
        except ChannelClosed:
            return
        self.held = {task[0]: task for task in tasks} | self.held  # (4)

    def _feed(self):
        """Send what is held, as long as the channel has little in it."""
        room = max(2 * self.max_workers, 16) - len(self.tasks_rx)
        for id in list(itertools.islice(self.held, max(room, 0))):
            task = self.held.pop(id)
            entry = self.entries.get(id)
            if entry is None:
                continue
            try:
                self._put(entry, task)
            except ArenaFull:
                self.collector.answers_tx.send(id)  # says so, and needs no memory
        if self.stopping and not self.entries:
            self.tasks_tx.close()  # (5)
            if not self.alive:
                self.collector.finish()


def _ids_of(task):
    id, *_, number = task
    return range(id, id + number) if type(number) is int else (id,)
