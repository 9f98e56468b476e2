"""The end of a pool: it accepts no more tasks, its workers end, then its collector, and everything is released.

``stop`` closes the Sender that submissions use, which refuses later ones at once. When no entry that was sent is left,
or at once if the pool is broken, the collector closes the other Sender. Then workers end, and the collector after the
last one; it fails the entries that are left.
"""

from __future__ import annotations

import logging
import time
from _thread import get_ident
from typing import TYPE_CHECKING

from . import interrupt_safe

if TYPE_CHECKING:
    from .scheduler import Scheduler

INTERRUPTED_BY_USER = "it was interrupted by Ctrl-C"

_logger = logging.getLogger("concurrent.futures")


class Shutdown:
    """Ends the pool of a Scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._deadline: float | None = None  # of _stop_now()

    def stop(self) -> None:
        """Accept no more tasks. Workers end when all tasks are done."""
        scheduler = self._scheduler
        scheduler.stopping = True
        for queue in scheduler.queues:
            queue.tx.close()  # see above
        if scheduler.collector.started:
            scheduler.collector.notify()
        else:
            self._close()

    def end_if_done(self) -> None:
        """Let the workers of a stopping pool end after the last task, and the collector after the last worker."""
        scheduler = self._scheduler
        if not scheduler.queue.again_tx.closed and not self._any_sent():
            for queue in scheduler.queues:
                queue.close()
        if not scheduler.queue.again_tx.closed or scheduler.workers.alive:
            return
        if scheduler.pinned is None or not scheduler.pinned.alive:
            scheduler.collector.finish()

    def _any_sent(self) -> bool:
        if any(queue.late for queue in self._scheduler.queues):
            return True
        try:
            # Mostly there is none, or the first one was.
            return any(entry.sent for entry in self._scheduler.in_flight.values())
        except RuntimeError:  # a submission has changed them, and fails
            return True

    def finish(self) -> None:
        """Fail the tasks that are left, and release everything. For the collector, at its end."""
        scheduler = self._scheduler
        left = {id: entry for id, entry in list(scheduler.in_flight.items()) if id not in scheduler.local}
        for id, entry in left.items():
            if not entry.sent:  # its submission has been interrupted, and will fail
                scheduler.in_flight.pop(id, None)
                entry.fail(id, RuntimeError("the pool has been shut down"))
        scheduler.results.fail_all(left)
        for each in scheduler.closing:
            each()
        self._close()
        scheduler.callbacks.close()

    def _close(self) -> None:
        """Release everything; no thread is left but the collector."""
        scheduler = self._scheduler
        for queue in scheduler.queues:
            queue.close()
            queue.rx.close()
        if scheduler.pinned is not None:
            scheduler.pinned.release()
        scheduler.collector.close()
        scheduler.workers.setup = None
        if scheduler.workers.output_tx is not None:
            scheduler.workers.output_tx.close()
        scheduler.published.clear()

    def join(self, deadline: float | None = None) -> bool:
        """Wait for all tasks and callbacks, until the deadline. Returns False if it has passed.

        Returns at once in one of these, because it cannot wait for itself.
        """
        scheduler = self._scheduler
        collector, callbacks = scheduler.collector, scheduler.callbacks
        if scheduler.forked or not collector.started or self._runs_here():
            return True
        collector.join(deadline)
        if collector.over:
            callbacks.join(deadline)
        return collector.over and callbacks.is_over()

    def _runs_here(self) -> bool:
        """Return whether the calling thread belongs to the pool."""
        scheduler, ident = self._scheduler, get_ident()
        return ident == scheduler.collector.ident or ident in scheduler.own_threads or scheduler.callbacks.is_runner()

    # For interrupt_safe, and the end of the block

    def _at_exit(self) -> None:
        """Wait for all tasks at the exit of the program."""
        self.join()

    def _stop_now(self) -> bool:
        """Interrupt all tasks and wait for their ends, a short time in all calls. Returns False if a task goes on."""
        if self._deadline is None:
            self._deadline = time.monotonic() + interrupt_safe.STOP_TIMEOUT
        self.stop()
        self._scheduler.cancellation.interrupt_all(INTERRUPTED_BY_USER)
        if self.join(self._deadline):
            return True
        running = self._scheduler.board.running()
        if running:
            _logger.warning(
                "%d interrupted tasks have not ended yet; the first has run for %.1f seconds. A task ends late on a "
                "busy machine, and not at all while it executes C code that does not return or catches "
                "xichan.Interrupted",
                len(running),
                max(running.values()),
            )
        return False

    def _disable_after_fork(self) -> None:
        """Refuse further tasks: the child of fork() has none of the threads."""
        scheduler = self._scheduler
        scheduler.forked = True
        scheduler.broken = "the pool was created before fork(); create a new one in the child process"
        scheduler.workers.threads, scheduler.collector.thread = [], None
