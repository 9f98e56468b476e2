"""The collector: receives the results of workers and completes futures.

Switching threads costs more than everything else in a small task. So if only one task is in flight, ``result()`` of its
future receives the result itself, in the thread that calls it: two switches instead of three, and while the machine has
idle CPUs no thread sleeps in between. Otherwise a thread of the pool receives results.

1. The thread that receives results is the listener. To become it, a thread puts a token into the channel ``token``, of
   capacity 1; afterwards it takes the token out.
2. A worker sends its result and then looks for the token. If there is none, it sends a wake-up to the collector's
   thread. A listener that stops takes the token out, then looks for results, and sends a wake-up if there are any. So
   no result is left unnoticed.
3. The step that receives a result also stores it in ``inbox``, see interrupt_safe. A listener other than the
   collector's thread removes it only when the future has it, and leaves everything else there. The collector's thread
   handles what is in ``inbox`` whenever it wakes, even if a part was done already: ending a task can be repeated. A
   task is popped from ``in_flight`` last, and the one call that pops it counts it.
4. The listener may be stopped by code that interrupts it and waits. So no thread waits for the token, and a worker
   that has seen it looks a little later whether its result was received, and wakes the collector's thread if not. This
   thread, when it finds the token taken, receives what there is without it; then it nudges the listener.
5. A request to the collector's thread is stored first; then ``notify`` wakes the thread. ``nudge`` makes the listener
   look again, because a task may end in another way than by a result that it receives: ``_receive_inline`` puts the
   token and then looks whether its task is in flight; the thread that ends a task pops it and then nudges.
6. A finalizer may run in the collector's thread, too. If it waits, this wait does the work of the thread.
"""

from __future__ import annotations

import collections
import itertools
import logging
import threading
import time
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import (
    ChannelClosed,
    ChannelFull,
    ChannelTimeout,
    DecodeError,
    Interrupted,
    MemoryLimitExceeded,
)
from .._pickling import loads
from .._remote import rebuild_error
from . import threads
from .atomic import Sleepers, deadline_of, left_until, sleep, wake
from .errors import BrokenInterpreterPool, BrokenWorker, TaskInterrupted
from .interrupt_safe import has_started
from .worker_results import ResultKind

if TYPE_CHECKING:
    from .futures import Future
    from .scheduler import Scheduler

_MAX_RESULTS = (256,)  # received at once
_HELP_INTERVAL = 0.01  # seconds, see (6)
_NO_ARGUMENTS = ((),)

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
        self._finished = scheduler.counts["finished"].add
        self.requests: collections.deque[_Request] = collections.deque()
        self.thread: threading.Thread | None = None
        self.ident = 0  # of the thread
        self.over = False  # the thread has handled everything
        self._joining: Sleepers = []
        self._launching = allocate_lock()  # acquired in launched threads only

    def start(self) -> None:
        """Start the thread if it is not running. Raises RuntimeError if that fails.

        The thread is started by another one, because Thread.start() acquires locks that an interrupted call would keep.
        """
        if not self.started:
            launch = _Request(self._launch)
            start_new_thread(launch.run, ())
            sleep(launch.sleepers, launch.is_over, None)
            if launch.error is not None:
                raise launch.error

    def _launch(self) -> None:
        with self._launching:
            if not self.started:
                thread = threads.make(self._run, self.name)
                thread.start()
                self.thread = thread

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

    def attend(self) -> None:
        """Notify the thread unless it is the calling one, which looks for requests anyway."""
        if get_ident() != self.ident:
            self.notify()

    def nudge(self) -> None:
        """Make the listener check all conditions again."""
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

    # Requests

    def call(self, function: Callable[[], Any]) -> Any:
        """Have the thread call a function, and return the result; None if it has ended."""
        if get_ident() == self.ident or self.over:
            return function()
        request = _Request(function)
        self.requests.append(request)
        self.notify()
        self.block(request.sleepers, lambda: request.over or self.over, None)
        if request.error is not None:
            raise request.error
        return request.result

    def send(self, function: Callable[[], Any]) -> None:
        """Have the thread call a function later, without waiting for it."""
        self.requests.append(_Request(function))
        self.notify()

    def join(self, deadline: float | None = None) -> None:
        """Wait until the thread has handled everything, or the deadline."""
        self.block(self._joining, lambda: self.over, deadline)

    def block(self, sleepers: Sleepers, is_over: Callable[[], bool], deadline: float | None) -> None:
        """Block until another thread has called wake(sleepers), or the deadline."""
        if get_ident() == self.ident:
            self._help(is_over, deadline)
        else:
            sleep(sleepers, is_over, deadline)

    def _help(self, is_over: Callable[[], bool], deadline: float | None) -> None:
        """Do the work of the thread in the middle of it. (6)"""
        while True:
            self._handle_inbox()
            self._serve()
            left = left_until(deadline)
            if is_over() or left == 0:
                return
            try:
                left = _HELP_INTERVAL if left < 0 else min(left, _HELP_INTERVAL)
                self.inbox.extend(map(self.results_rx.recv, (left,)))
            except (ChannelTimeout, MemoryError):
                pass
            except DecodeError as error:
                self.inbox.append(error)
            except ChannelClosed:
                time.sleep(_HELP_INTERVAL)

    # The thread

    def _run(self) -> None:
        self.ident = get_ident()
        try:
            for _ in self.wakeup_rx:
                self._handle_inbox()
                self._serve()
                try:
                    for _ in map(self.token_tx.send_nowait, (None,)):
                        try:
                            self._listen()
                        finally:
                            self.token_rx.recv_nowait()
                    if self.inbox or len(self.results_rx):  # (2)
                        self.wake()
                except ChannelFull:
                    self._receive_beside_the_listener()
        finally:
            self._listen()
            self.scheduler.finish()
            self.over = True
            self._serve()
            wake(self._joining)

    def _receive_beside_the_listener(self) -> None:
        """Receive all results that are available. (4)"""
        try:
            self.inbox.extend(itertools.chain.from_iterable(itertools.starmap(self.results_rx.drain, _NO_ARGUMENTS)))
        except (ChannelClosed, MemoryError):
            pass
        except DecodeError as error:
            self.inbox.append(error)
        self._handle_inbox()
        self._serve()
        self.nudge()

    def _listen(self) -> None:
        while True:
            self._handle_inbox()
            self._serve()
            if self.inbox:
                continue
            if not self.scheduler.in_flight and not len(
                self.results_rx
            ):  # results may come for which no future is left
                return
            try:
                self.inbox.extend(itertools.chain.from_iterable(map(self.results_rx.recv_many, _MAX_RESULTS)))
            except ChannelClosed:
                return
            except MemoryError:
                pass  # what could not be decoded comes with the next call
            except DecodeError as error:
                self.inbox.append(error)

    def _handle_inbox(self) -> None:
        while self.inbox:
            result = self.inbox[0]
            if type(result) is tuple and len(result) == 2:
                self.deliver(*result)
            else:
                self._handle(result)
            if self.inbox and self.inbox[0] is result:
                self.inbox.popleft()

    def _serve(self) -> None:
        """Handle requests and the work that has become due."""
        scheduler = self.scheduler
        if self.requests:
            while self.requests:
                self.requests.popleft().run()
            self.nudge()
        if scheduler.workers.needs_worker:
            scheduler.workers.start_workers()
        while scheduler.pending_local:
            policy, id = scheduler.pending_local.popleft()
            policy.run_local(scheduler, id)
        if scheduler.pinned is not None and scheduler.pinned.needed:
            scheduler.pinned.start()
        for queue in scheduler.queues:
            if queue.diverted or queue.late:
                queue.feed()
        if scheduler.stopping:
            scheduler.end_if_done()
        scheduler.callbacks.supervise()

    # Results, see worker

    def _handle(self, result: Any) -> None:
        try:
            if type(result) is tuple and len(result) == 2:
                self.deliver(*result)
            elif type(result) is int:
                self.fail(result, MemoryLimitExceeded("no memory for the result of a task"))
            elif isinstance(result, DecodeError):
                self._handle_undecodable(result)
            elif result is not None:
                self._handle_other(*result)
        except BaseException as error:  # raised by user code where it is not expected: it must not end this thread
            self.fail(result if type(result) is int else result[0], error)

    def _handle_undecodable(self, error: DecodeError) -> None:
        """Fail the task whose result cannot be decoded; of a chunk, handle the other results."""
        message: Any = error._message
        id, *rest = message
        if len(message) > 2 and rest[0] == ResultKind.CHUNK:
            for view in rest[1]:
                try:
                    result = view.value()
                except DecodeError as failure:
                    result = failure
                self._handle(result)
        else:
            self.fail(id, error)

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
                if entry is None or policy is None or not policy.run_refused(scheduler, entry, id, refusal):
                    self.fail(id, rebuild_error(*parts))
            case ResultKind.REFUSED:
                scheduler.note_refusal(id, *rest)
            case ResultKind.ENDED:
                reason, not_begun = rest
                if self.fail(id, BrokenWorker(f"the worker ended while it ran this task: {reason}")):
                    scheduler.counts["lost"].add()
                    scheduler.send_again(not_begun)

    def _deliver_pickled(self, id: int, data: bytes, external: tuple[object, ...]) -> None:
        self.scheduler.counts["pickled_results"].add()
        try:
            value = loads(data, external)
        except BaseException as error:
            error.add_note("while the result of the task was unpickled")
            self.fail(id, error)
        else:
            self.deliver(id, value)

    # Ends of tasks (3)

    def deliver(self, id: int, value: object) -> None:
        """End a task with its result. Not in the main thread."""
        in_flight = self.scheduler.in_flight
        entry = in_flight.get(id)
        if entry is not None:
            entry.deliver(id, value)
            if in_flight.pop(id, None) is not None:
                self._finished()
                entry.task_ended(id)

    def fail(self, id: int, error: BaseException) -> bool:
        """End a task with an exception. Returns whether this call ended it."""
        entry = self.scheduler.in_flight.get(id)
        if entry is None:
            return False
        if isinstance(error, Interrupted) and not isinstance(error, TaskInterrupted):
            error = _failed_by(error, entry.interrupt_of(id))
        entry.fail(id, error)
        return self.end(id, "failed")

    def end(self, id: int, count: str) -> bool:
        """End a task that is completed. Returns whether this call did so."""
        add = self.scheduler.counts[count].add
        for entry in map(self.scheduler.in_flight.pop, (id,), (None,)):
            if entry is not None:
                add()
                entry.task_ended(id)
                return True
        return False

    def fail_all(self, ids: Iterable[int]) -> None:
        """End tasks because the pool is broken."""
        for id in ids:
            self.fail(id, BrokenInterpreterPool(self.scheduler.broken or "no workers are left"))
        self.nudge()

    # The thread that calls result()

    def wait_for(self, future: Future, timeout: float | None) -> None:
        """Receive the result of a future in this thread if possible, else sleep until it is done."""
        scheduler = self.scheduler
        deadline = deadline_of(timeout)
        if len(scheduler.in_flight) == 1 and future.id in scheduler.in_flight and not scheduler.local:
            if timeout is None or timeout > 0:
                self._receive_inline(future, timeout)
        if not future.done():
            self.block(future._sleepers, future.done, deadline)

    def _receive_inline(self, future: Future, timeout: float | None) -> None:
        try:
            for _ in map(self.token_tx.send_nowait, (None,)):  # (1)
                try:
                    if not self.inbox:  # an interrupted call may have left the result there
                        if future.id not in self.scheduler.in_flight:  # (5)
                            return
                        self.inbox.extend(map(self.results_rx.recv, (timeout,)))  # (3)
                    result = self.inbox[0]
                    if type(result) is tuple and len(result) == 2 and result[0] == future.id:
                        future.deliver(*result)
                        self.end(future.id, "finished")
                        self.inbox.remove(result)
                finally:
                    self.token_rx.recv_nowait()
        except DecodeError as error:
            self.inbox.append(error)
            self.wake()
        except (ChannelFull, ChannelTimeout, ChannelClosed, MemoryError):
            pass  # another thread is the listener, or nothing has come
        except (IndexError, ValueError):
            pass  # the collector has handled what was in the inbox
        finally:
            if self.inbox or len(self.results_rx) or self.scheduler.stopping:  # (2); it may have been the last task
                self.wake()


def _failed_by(error: Interrupted, reason: str | None) -> TaskInterrupted:
    """Return the error of a task that raised Interrupted. reason: of the interrupt; None if there was none."""
    failure = TaskInterrupted(reason or str(error) or "it raised xichan.Interrupted")
    failure.__cause__ = error
    return failure


class _Request:
    """A call that a thread has requested from another."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.sleepers: Sleepers = []
        self.over = False
        self.result: Any = None
        self.error: BaseException | None = None

    def is_over(self) -> bool:
        return self.over

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as error:
            self.error = error
        self.over = True
        wake(self.sleepers)
