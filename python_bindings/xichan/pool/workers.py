"""The workers of a pool: a thread and an interpreter each.

1. The collector starts workers and counts them, because no signal handler runs in its thread. A submission sets
   ``needs_worker`` before it sends the task. A worker that ends sends a request to the collector.
"""

from __future__ import annotations

import functools
import logging
import threading
from typing import TYPE_CHECKING, Any

from .. import _core
from . import threads
from .errors import BrokenInterpreterPool
from .launch import cause_of, run_interpreter
from .output import Output
from .standby import Standby, new_interpreter

if TYPE_CHECKING:
    from .scheduler import Scheduler
    from .task_queue import TaskQueue

_logger = logging.getLogger("concurrent.futures")


class Workers:
    """Starts workers, replaces their interpreters, and reports those that fail.

    name: prefix of the names of threads.
    """

    def __init__(self, scheduler: Scheduler, max_workers: int, name: str) -> None:
        self.scheduler = scheduler
        self.max_workers = max_workers
        self.name = name
        self.setup: tuple[Any, ...] | None = None  # what each worker receives, too, see worker_entry.run
        self.output_tx: _core.Sender[Any] | None = None  # of Output, if workers forward theirs
        self.preload: tuple[str, ...] = ()  # names of modules
        self.standby: Standby | None = None
        self.threads: list[threading.Thread] = []
        self.alive = 0  # number of workers that have not ended
        self.needs_worker = False  # the collector has to check whether another worker is needed

    def request(self) -> None:
        """Have the collector start a worker if the tasks in flight need it."""
        self.needs_worker = True
        self.scheduler.collector.start()
        self.scheduler.collector.notify()

    def start_workers(self) -> None:
        """Start the workers that the tasks in flight need. For the collector (1)."""
        scheduler = self.scheduler
        while self.needs_worker:
            if scheduler.queue.again_tx.closed or not len(scheduler.in_flight) > self.alive < self.max_workers:
                self.needs_worker = False
                return
            thread = threads.make(self._run_worker, f"{self.name}_{len(self.threads)}")
            try:
                thread.start()
            except Exception as error:  # too many threads, no memory
                self.needs_worker = False
                self._continue_without(error)
            else:
                self.threads.append(thread)
                self.alive += 1

    def forward_output(self) -> None:
        """Bring what workers print to this interpreter."""
        output = Output(f"{self.name}_output")
        self.output_tx = output.tx
        self.scheduler.closing.append(output.close)

    def start_standby(self, number: int) -> None:
        """Keep interpreters ready."""
        self.scheduler.collector.start()
        self.scheduler.collector.call(lambda: self._start_standby(number))

    def _start_standby(self, number: int) -> None:
        """Keep interpreters ready. For the collector."""
        standby = Standby(number, self.preload, f"{self.name}_standby")
        if standby.start():
            self.standby = standby
            self.scheduler.closing.append(standby.close)

    def _continue_without(self, error: BaseException) -> None:
        """Handle a worker that could not be started: the pool is broken unless there are others."""
        if self.alive:
            _logger.warning("%s continues with %d workers; cannot start another: %s", self.name, self.alive, error)
        else:
            self.break_pool(error)

    def break_pool(self, error: BaseException) -> None:
        """Break the pool: no worker could be started, or one ended and its task is not known."""
        cause = cause_of(error)
        scheduler = self.scheduler
        if scheduler.broken is None:  # an initializer that raises does so in each worker that has started
            _logger.critical("%s is broken: a worker failed: %s", self.name, cause)
            scheduler.broken = f"a worker failed: {cause}"
        scheduler.stopping = True
        for queue in scheduler.queues:
            lost = queue.remove_all(BrokenInterpreterPool(scheduler.broken))
            queue.close()  # see stopping
            scheduler.results.fail_all(lost)

    def _ended(self, error: BaseException | None, created: bool) -> None:
        """Handle a worker that has ended. For the collector. created: whether it had an interpreter."""
        self.alive -= 1
        if error is not None:
            (self.break_pool if created else self._continue_without)(error)

    # The thread of a worker

    def _run_worker(self) -> None:
        """Run one interpreter after another in this thread."""
        scheduler = self.scheduler
        interpreter = failure = None
        scheduler.own_threads.add(threading.get_ident())
        try:
            while True:
                interpreter = None
                setup = self.setup_of(scheduler.queue)
                interpreter, is_prepared = new_interpreter(self.standby)
                run_interpreter(interpreter, setup, self.preload, is_prepared=is_prepared)
                if scheduler.queue.rx.closed:  # and empty
                    break
                scheduler.counts["replaced"].add()
                scheduler.collector.wake()  # it may have left results unverified, see worker
        except BaseException as error:
            failure = error
        scheduler.own_threads.discard(threading.get_ident())
        scheduler.collector.send(functools.partial(self._ended, failure, interpreter is not None))

    def setup_of(self, queue: TaskQueue, claims: _core.Map[tuple[str, str], str] | None = None) -> tuple[Any, ...]:
        """Return what a worker of a queue receives, see worker_entry.run. claims: of the pinned one."""
        scheduler = self.scheduler
        assert self.setup is not None
        pickle, limit, *rest = self.setup
        endpoints = (queue.rx, *scheduler.collector.endpoints_for_worker())
        pool = scheduler.published.prefix, scheduler.board.number(), None, self.output_tx
        return (*endpoints, *pool, claims, pickle, limit if claims is None else None, *rest)
