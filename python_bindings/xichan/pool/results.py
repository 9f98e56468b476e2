"""The collector: receives the results of workers and completes futures.

Switching threads costs more than everything else in a small task. So if only one task is in flight, ``result()`` of its
future receives the result itself, in the thread that calls it: two switches instead of three, and while the machine has
idle CPUs no thread sleeps in between. Otherwise a thread of the pool receives results.

1. The thread that receives results is the listener. To become it, a thread puts a token into the channel ``token``, of
   capacity 1; afterwards it takes the token out.
2. A worker sends its result and then looks for the token. If there is none, it sends a wake-up to the collector's
   thread. A listener that stops takes the token out, then looks for results, and sends a wake-up if there are any. So
   no result is left unnoticed.
3. Ctrl-C may interrupt ``take_inline`` anywhere. The step that receives a result also stores it in ``inbox``, see
   interrupt_safe, and it is removed only when the future has it. The collector's thread handles what an interrupted
   call leaves there, even if a part was done already: Future.deliver allows for that. But it would not notify again,
   so ``take_inline`` completes no future for which another thread waits.
4. The token is put by the step of a ``for``, see interrupt_safe.
5. A request to the collector's thread is stored first; then ``notify`` wakes the thread. It also makes the holder of
   the token return, because the thread may be waiting for the token. ``take_inline`` puts the token and then looks for
   requests, so it does not miss one. It also looks whether its task is still in flight, because another thread may
   have ended it meanwhile.
"""

from __future__ import annotations

import collections
import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout, MemoryLimitExceeded
from .._pickling import loads
from .._remote import rebuild_error
from .errors import BrokenInterpreterPool, BrokenWorker
from .interrupt_safe import has_started, start
from .worker import ResultKind

if TYPE_CHECKING:
    from .batch import Batch
    from .futures import Future
    from .scheduler import Scheduler

_MAX_RESULTS = 256  # received at once

_logger = logging.getLogger("concurrent.futures")


class Collector:
    """Receives results for a Scheduler and ends the tasks. name: of its thread."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.scheduler = scheduler
        self.name = name
        self.results_tx, self.results_rx = _core.channel(1024)
        self.token_tx, self.token_rx = _core.channel(1)
        self.wakeup_tx, self.wakeup_rx = _core.channel(1)
        for end in self.results_rx, self.token_rx, self.wakeup_rx:
            _core._outlast_exit(end)
        self.inbox: collections.deque[Any] = collections.deque()  # results, see worker, and None for a wake-up
        self.thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread if it is not running."""
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name=self.name)
        if not has_started(self.thread):
            start(self.thread)

    @property
    def started(self) -> bool:
        return self.thread is not None and has_started(self.thread)

    def endpoints_for_worker(self) -> tuple[_core.Sender[Any], _core.Sender[None], _core.Sender[None]]:
        return self.results_tx, self.token_tx, self.wakeup_tx

    def wake(self) -> None:
        """Wake the thread. Any thread may call this, at any time."""
        try:
            self.wakeup_tx.send_nowait(None)
        except (ChannelFull, ChannelClosed):
            pass

    def notify(self) -> None:
        """Have the thread serve a request that was stored before (5)."""
        self.nudge()
        self.wake()

    def nudge(self) -> None:
        """Make a `take_inline` in progress return: for a request, or because its task has ended in another way."""
        if len(self.token_tx):
            try:
                self.results_tx.send_nowait(None)
            except (ChannelFull, ChannelClosed):
                pass  # it will return anyway

    def finish(self) -> None:
        """End the thread once all results have been handled. No worker is left."""
        self.results_tx.close()
        self.wakeup_tx.close()

    def close(self) -> None:
        for end in (self.results_tx, self.results_rx, self.token_tx, self.token_rx, self.wakeup_tx, self.wakeup_rx):
            end.close()

    # The thread

    def _run(self) -> None:
        try:
            for _ in self.wakeup_rx:
                self._serve_requests()  # first, because the holder of the token may be waiting for a worker
                self.token_tx.send(None)  # (1)
                try:
                    self._listen()
                finally:
                    self.token_rx.recv_nowait()
                    if len(self.results_rx):  # (2)
                        self.wake()
        finally:
            self._listen()
            self._serve_requests()
            scheduler = self.scheduler
            self.fail_all([id for id in list(scheduler.in_flight) if id not in scheduler.local])
            scheduler.close()

    def _listen(self) -> None:
        while True:
            while self.inbox:
                self._handle(self.inbox.popleft())
            more = self._settle()
            if self.inbox:
                continue
            if not more and not len(self.results_rx):  # results may come for which no future is left
                return
            try:
                self.inbox.extend(self.results_rx.recv_many(_MAX_RESULTS))
            except ChannelClosed:
                return
            except MemoryError:
                pass  # what could not be decoded comes with the next call

    def _serve_requests(self) -> None:
        """Start the workers and the local tasks that are requested."""
        scheduler = self.scheduler
        if scheduler.workers.needs_worker:
            scheduler.workers.start_workers()
        while scheduler.pending_local:
            policy, id = scheduler.pending_local.popleft()
            policy.run(scheduler, id)

    def _settle(self) -> bool:
        """Complete what the main thread has left to this one. Returns whether tasks are in flight."""
        scheduler = self.scheduler
        if scheduler.workers.needs_worker or scheduler.pending_local:
            self._serve_requests()
        if scheduler.cancelled:
            scheduler.complete_cancelled()
        if scheduler.queue.requeued or scheduler.queue.recalled or scheduler.stopping:
            with scheduler.lock:
                scheduler.feed()
        return bool(scheduler.in_flight)

    # Results, see worker

    def _handle(self, result: Any) -> None:
        try:
            if type(result) is tuple and len(result) == 2:
                self.deliver(*result)
            elif type(result) is int:
                self.fail(result, MemoryLimitExceeded("no memory for the result of a task"))
            elif result is not None:
                self._handle_other(*result)
        except BaseException as error:  # raised by user code where it is not expected: it must not end this thread
            self.fail(result if type(result) is int else result[0], error)

    def _handle_other(self, id: int, kind: int, *rest: Any) -> None:
        """Handle a result other than a plain value."""
        scheduler = self.scheduler
        match kind:
            case ResultKind.CHUNK:
                for result in rest[0]:
                    self._handle(result)
            case ResultKind.PICKLED:
                self._deliver_pickled(id, *rest)
            case ResultKind.RAISED:
                *parts, refusal = rest
                entry = scheduler.in_flight.get(id) if refusal else None
                policy = entry.policy if entry is not None else None
                traceback = parts[3]  # unlike the message it has the whole chain of exceptions
                if entry is None or policy is None or not policy.run_refused(scheduler, entry, id, traceback, refusal):
                    self.fail(id, rebuild_error(*parts))
            case ResultKind.ENDED:
                reason, not_begun = rest
                scheduler.counts["lost"] += 1
                self.fail(id, BrokenWorker(f"the worker ended while it ran this task: {reason}"))
                scheduler.send_again(not_begun)

    def _deliver_pickled(self, id: int, data: bytes, external: tuple[object, ...]) -> None:
        self.scheduler.counts["pickled_results"] += 1
        try:
            value = loads(data, external)
        except BaseException as error:
            error.add_note("while the result of the task was unpickled")
            self.fail(id, error)
        else:
            self.deliver(id, value)

    # Ends of tasks

    def deliver(self, id: int, value: object) -> None:
        """End a task with its result."""
        entry = self.scheduler.in_flight.pop(id, None)  # Scheduler (1)
        if entry is not None:
            self.scheduler.counts["finished"] += 1
            self._end(entry, entry.deliver, id, value)

    def fail(self, id: int, error: BaseException) -> None:
        """End a task with an exception."""
        entry = self.scheduler.in_flight.pop(id, None)  # Scheduler (1)
        if entry is not None:
            self.scheduler.counts["failed"] += 1
            self._end(entry, entry.fail, id, error)

    def fail_all(self, ids: Iterable[int]) -> None:
        """End tasks because the pool is broken."""
        for id in ids:
            self.fail(id, BrokenInterpreterPool(self.scheduler.broken or "no workers are left"))
        self.nudge()

    def _end(self, entry: Future | Batch, end: Callable[[int, Any], object], id: int, outcome: object) -> None:
        try:
            entry.task_ended()
            end(id, outcome)
        except BaseException:  # raised by a callback: it must not end the collector
            _logger.exception("exception when a future ended")

    # The thread that calls result()

    def take_inline(self, future: Future, timeout: float | None) -> None:
        """Receive the result of a future in this thread if its task is the only one in flight."""
        scheduler = self.scheduler
        if len(scheduler.in_flight) == 1 and future.id in scheduler.in_flight and not scheduler.local:
            if timeout is None or timeout > 0:
                self._receive_inline(future, timeout)

    def _receive_inline(self, future: Future, timeout: float | None) -> None:
        scheduler = self.scheduler
        try:
            for _ in map(self.token_tx.send_nowait, (None,)):  # (1) (4)
                try:
                    if not self.inbox:  # an interrupted call may have left the result there
                        if scheduler.workers.needs_worker or scheduler.pending_local or scheduler.cancelled:  # (5)
                            return
                        if future.id not in scheduler.in_flight:
                            return
                        self.inbox.extend(map(self.results_rx.recv, (timeout,)))  # (3)
                    result = self.inbox[0]
                    if future.accept(result):
                        self.inbox.popleft()
                finally:
                    self.token_rx.recv_nowait()
        except (ChannelFull, ChannelTimeout, ChannelClosed, MemoryError):
            pass  # another thread is the listener, or nothing has come
        finally:
            if self.inbox or len(self.results_rx):  # (2)
                self.wake()
