"""The workers of a pool: their interpreters, the threads lent to them, the channels to and from them.

    submit   -- tasks -->    workers: one thread and one interpreter each
    futures  <-- answers --  collector: one thread

Nothing here refers to the executor, so that one which is dropped is found out, and its crew stops.

The numbers continue those of tasks.

5. Stopping is closing the Sender of tasks, once no entry is left, or at once if the pool is broken. Workers then leave,
   and the last one ends the collector, which then fails what entries are left.
"""

import logging
import sys
import threading
import weakref
from concurrent import interpreters

from .. import _core
from . import answers, exiting
from .collector import Collector
from .errors import BrokenInterpreterPool
from .locks import start, taking
from .tasks import Tasks

_logger = logging.getLogger("concurrent.futures")
_CALL = "__import__('xichan.pool.worker').pool.worker.{}()"


class Crew(Tasks):
    """``setup``: what each worker is told beside its ends, see worker.run. ``name``: prefix of the threads' names."""

    def __init__(self, max_workers, name):
        super().__init__()
        self.max_workers = max_workers
        self.name = name
        self.setup = None
        self.threads = []  # of workers
        self.alive = 0  # how many of them have not left
        self.collector = Collector(self)
        self.owner = None
        exiting.add(self)

    def belong_to(self, executor):
        """Stop when this object is dropped. May come in any thread, at any time, hence without the lock."""

        def dropped(_, self=self):
            self.stopping = True
            self.collector.ring()

        self.owner = weakref.ref(executor, dropped)

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
        self.collector.nudge()

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


def _close(interpreter):
    try:
        interpreter.close()
    except interpreters.InterpreterError:
        _logger.exception("a worker interpreter could not be closed")
