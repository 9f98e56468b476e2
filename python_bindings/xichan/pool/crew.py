"""The workers of a pool: their interpreters, the threads lent to them, the channels to and from them.

    submit   -- tasks -->    workers: one thread and one interpreter each
    futures  <-- answers --  collector: one thread

Nothing here refers to the executor, so that one which is dropped is found out, and its crew stops.

The numbers continue those of tasks.

7. Stopping is closing the Sender of tasks, once no entry is left, or at once if the pool is broken. Workers then leave,
   and the last one ends the collector, which then fails what entries are left.
8. Workers are hired by the collector, where Ctrl-C does not come: so `alive` is right. Who submits says that they are
   wanted, before the task is sent.
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
from .locks import taking
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
        self.short = False  # of workers, perhaps
        self.closing = []  # called at the end
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

    def want_workers(self):
        self.short = True
        self.start_collector()
        self.collector.nudge()
        self.collector.ring()

    def start_collector(self):
        self.collector.start(f"{self.name}_collector")

    def prepare(self):
        """For the collector: see to it that all tasks will be taken."""
        if self.short:
            self.hire()
        while self.errands:
            policy, id = self.errands.popleft()
            policy.run(self, id)

    def hire(self):
        """For the collector: make the workers that are wanted. (8)"""
        failure = None
        while self.short and failure is None:
            with self.lock:
                if self.tasks_tx.closed or not len(self.entries) > self.alive < self.max_workers:
                    self.short = False
                    return
                thread = threading.Thread(target=self._lend, name=f"{self.name}_{len(self.threads)}")
                try:
                    thread.start()
                except Exception as error:  # too many threads, no memory
                    failure = error
                else:
                    self.threads.append(thread)
                    self.alive += 1
        if failure is not None:
            self.short = False
            self._do_without(failure)

    def _do_without(self, error):
        """A worker could not be made. The others do, if there are any."""
        if self.alive:
            _logger.warning("%s has %d workers and not one more: %s", self.name, self.alive, error)
        else:
            self._break(error)

    def _lend(self):
        """A worker's thread: lend it to one interpreter after the other."""
        interpreter = failure = None
        try:
            while True:
                interpreter = None
                interpreter = interpreters.create()
                self._work(interpreter)
                if self.tasks_rx.closed:  # and nothing left
                    break
                self.counts["replaced"] += 1
        except BaseException as error:
            failure = error
        with self.lock:
            self.alive -= 1
        if failure is not None:
            (self._do_without if interpreter is None else self._break)(failure)
        with self.lock:
            if self.tasks_tx.closed and not self.alive:
                self.collector.finish()  # (7)

    def _work(self, interpreter):
        """The life of one worker interpreter."""
        try:
            interpreter.exec(f"import sys; sys.path[:] = {_path()}")
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
            lost = self.take_all()
            self.tasks_tx.close()  # (7)
            if not self.alive:
                self.collector.finish()
        self._fail(lost)

    def _fail(self, ids):
        for id in ids:
            self.fail(id, BrokenInterpreterPool(self.broken or "the workers have gone"))
        self.collector.nudge()

    # Answers

    def help(self, future, timeout):
        """Before waiting for a future: take its answer, if no other is due."""
        if len(self.entries) == 1 and future.id in self.entries and not self.here:
            if timeout is None or timeout > 0:
                self.collector.help(future, timeout)

    def settle(self):
        """For the collector, between answers. True if more are due."""
        if self.short or self.errands:
            self.prepare()
        if self.withdrawn:
            self.end_withdrawn()
        if self.held or self.drained or self.stopping:
            with self.lock:
                self._feed()
        return bool(self.entries)

    def end(self):
        """For the collector, at its end."""
        self.prepare()
        self._fail([id for id in list(self.entries) if id not in self.here])
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
                if not self.collector.started:
                    self._close()
                elif not self.tasks_tx.closed:
                    self._feed()
                    self.collector.ring()  # for when whoever has the token has taken the last answer
            finally:
                self.lock.release()

    def join(self):
        """Wait for all threads. Not in a callback: those cannot wait for themselves."""
        if self.collector.started and threading.current_thread() not in (self.collector.thread, *self.threads):
            self.collector.thread.join()  # which hires no more then
            for thread in self.threads:
                thread.join()

    def _close(self):
        self.tasks_tx.close()
        self.tasks_rx.close()
        self.collector.close()
        self.setup = None
        with self.lock:
            self.definitions.clear()
        for each in self.closing:
            each()

    def forget(self):
        """In a child after fork, which has none of the threads."""
        self.lock = threading.RLock()
        self.broken = "it was made before fork()"
        self.threads, self.collector.thread = [], None


def _path():
    """The source of a list: of sys.path, what importing does not ignore."""
    return ascii([str.__str__(entry) for entry in sys.path if isinstance(entry, str)])


def _close(interpreter):
    try:
        interpreter.close()
    except interpreters.InterpreterError:
        _logger.exception("a worker interpreter could not be closed")
