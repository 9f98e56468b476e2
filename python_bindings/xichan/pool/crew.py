"""The workers of a pool: their interpreters, the threads lent to them, the channels to and from them.

    submit   -- tasks -->    workers: one thread and one interpreter each
    futures  <-- answers --  collector: one thread

Nothing here refers to the executor, so that one which is dropped is found out, and its crew stops.

1. An entry (Future or Batch) is in `entries` under the id of each of its tasks from before that is sent until it is
   over. Whoever pops it there, ends it: so each ends once. Ids are never used again.
2. A task is in one place: in `held`, in the channel, with a worker, or in the answers.
3. `lock` is held to send tasks and to take them back, to change `held`, and for the flags. No user code runs under it,
   and nothing waits for a channel.
4. `held` is empty but after tasks have been taken back: then the channel is emptied into it. What is held comes before
   what is submitted later, and the collector feeds the channel with it. So taking back many costs little each.
5. Stopping is closing the Sender of tasks, once no entry is left, or at once if the pool is broken. Workers then leave,
   and the last one ends the collector, which then fails what entries are left.
"""

import itertools
import logging
import sys
import threading
import weakref
from concurrent import interpreters

from .. import _core
from .._errors import ArenaFull, ChannelClosed
from . import answers, exiting
from .collector import Collector
from .definitions import Definitions
from .errors import BrokenInterpreterPool
from .locks import start, taking

_logger = logging.getLogger("concurrent.futures")
_CALL = "__import__('xichan.pool.worker').pool.worker.{}()"


class Crew:
    """``setup``: what each worker is told beside its ends, see worker.run. ``name``: prefix of the threads' names."""

    def __init__(self, max_workers, name):
        self.max_workers = max_workers
        self.name = name
        self.setup = None
        self.lock = threading.RLock()
        self.entries = {}
        self.held = {}  # id: task
        self.next_id = 0
        self.sent = 0  # messages, to the channel of tasks
        self.threads = []  # of workers
        self.alive = 0  # how many of them have not left
        self.stopping = False
        self.broken = None  # why
        self.counts = dict.fromkeys(
            ("submitted", "finished", "failed", "cancelled", "lost", "replaced", "pickled_calls", "pickled_results"), 0
        )
        self.tasks_tx, self.tasks_rx = _core.channel(None)
        self.collector = Collector(self)
        self.definitions = Definitions(f"xichan.pool {self.tasks_tx.id:x}:")
        self.owner = None
        exiting.add(self)

    def belong_to(self, executor):
        """Stop when this object is dropped. May come in any thread, at any time, hence without the lock."""

        def dropped(_, self=self):
            self.stopping = True
            self.collector.ring()

        self.owner = weakref.ref(executor, dropped)

    # Tasks

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
                self.entries.update(dict.fromkeys(every, batch))  # (1)
                try:
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

    # Workers

    def _hire(self):
        if self.collector.thread is None:
            self.collector.start(f"{self.name}_collector")
        thread = threading.Thread(target=self._lend, name=f"{self.name}_{len(self.threads)}")
        self.threads.append(thread)
        self.alive += 1
        try:
            start(thread)
        except Exception:
            self.alive -= 1
            self.threads.remove(thread)
            if not self.alive:  # nobody would ever run the task
                raise

    def _lend(self):
        """A worker's thread: lend it to one interpreter after the other."""
        try:
            while True:
                self._work()
                if self.tasks_rx.closed:  # and nothing left
                    break
                self.counts["replaced"] += 1
        except BaseException as error:
            self._break(error)
        finally:
            with self.lock:
                self.alive -= 1
                if self.tasks_tx.closed and not self.alive:
                    self.collector.finish()  # (5)

    def _work(self):
        """The life of one worker interpreter."""
        interpreter = interpreters.create()
        try:
            interpreter.exec(f"import sys; sys.path[:] = {ascii(sys.path)}")
            setup_tx, setup_rx = _core.channel(1)
            with setup_tx, setup_rx:
                setup_tx.send((self.tasks_rx, *self.collector.ends_for_worker(), self.definitions.prefix, *self.setup))
                interpreter.prepare_main(_xichan_setup=setup_rx)
            try:
                interpreter.exec(_CALL.format("run"))
            except interpreters.ExecutionFailed:
                if not self._report_end(interpreter):
                    raise
        finally:
            _close(interpreter)

    def _report_end(self, interpreter):
        """Have a worker whose loop has failed say which task it had. False if it cannot."""
        try:
            interpreter.exec(_CALL.format("report_end"))
        except interpreters.ExecutionFailed:
            return False
        return True

    def _break(self, error):
        """No worker could be made, or one is lost with a task that is not known."""
        if isinstance(error, interpreters.ExecutionFailed):
            error = error.excinfo.msg or error
        _logger.critical("a worker of %s cannot go on: %s", self.name, error)
        with self.lock:
            if self.broken is None:
                self.broken = f"a worker cannot go on: {error}"
            self.stopping = True
            taken = self._remove(self.entries.keys())
            self.tasks_tx.close()  # (5)
        self._fail(taken)

    def _fail(self, entries):
        for id, entry in entries.items():
            self.counts["failed"] += 1
            self._end(entry, entry.fail, id, BrokenInterpreterPool(self.broken or "the workers have gone"))

    # Answers

    def help(self, future, timeout):
        """Before waiting for a future: take its answer, if no other is due."""
        if len(self.entries) == 1 and future.id in self.entries and future.elsewhere is None:
            if timeout is None or timeout > 0:
                self.collector.help(future, timeout)

    def settle(self):
        """For the collector, between answers. True if more are due."""
        if self.held or self.stopping:
            with self.lock:
                self._feed()
        return bool(self.entries)

    def end(self):
        """For the collector, at its end."""
        with self.lock:
            left, self.entries = self.entries, {}
        self._fail(left)
        self._close()

    def handle(self, answer):
        if type(answer) is tuple and len(answer) == 2:
            self.deliver(*answer)
        elif answer is not None:
            answers.handle(self, answer)

    def deliver(self, id, value):
        entry = self.entries.pop(id, None)  # (1)
        if entry is not None:
            self.counts["finished"] += 1
            self._end(entry, entry.deliver, id, value)

    def fail(self, id, error):
        entry = self.entries.pop(id, None)  # (1)
        if entry is not None:
            self.counts["failed"] += 1
            self._end(entry, entry.fail, id, error)

    def _end(self, entry, end, id, answer):
        try:
            entry.over(1)
            end(id, answer)
        except BaseException:  # of a callback: what it raises must not end the collector
            _logger.exception("exception when a future ended")

    def send_again(self, ids):
        """Tasks of a chunk that has been cut short."""
        for id in ids:
            entry = self.entries.get(id)
            if entry is None:
                continue
            try:
                with self.lock:
                    self._send(entry, entry.message_of(id))
            except Exception as error:  # no memory, or an end has been closed meanwhile
                self.fail(id, error)

    def stats(self):
        for _ in taking(self.lock):
            try:
                queued = len(self.tasks_rx) + len(self.held) if not self.tasks_rx.closed else 0
                return {"workers": self.alive, "max_workers": self.max_workers, "queued": queued, **self.counts}
            finally:
                self.lock.release()

    # The end

    def stop(self):
        """Take no more tasks; workers leave when those that there are have been done."""
        for _ in taking(self.lock):
            try:
                self.stopping = True
                if self.collector.thread is None:
                    self._close()
                elif not self.tasks_tx.closed:
                    self._feed()
            finally:
                self.lock.release()

    def join(self):
        """Wait for all threads."""
        collector = self.collector.thread
        if collector is None or threading.current_thread() is collector:
            return  # in a callback: it cannot wait for itself
        for thread in (*self.threads, collector):
            thread.join()

    def _close(self):
        self.tasks_tx.close()
        self.tasks_rx.close()
        self.collector.close()
        self.setup = None
        self.definitions.clear()

    def forget(self):
        """In a child after fork, which has none of the threads."""
        self.lock = threading.RLock()
        self.broken = "it was made before fork()"
        self.threads, self.collector.thread = [], None


def _ids_of(task):
    id, *_, number = task
    return range(id, id + number) if type(number) is int else (id,)


def _close(interpreter):
    try:
        interpreter.close()
    except interpreters.InterpreterError:
        _logger.exception("a worker interpreter could not be closed")
