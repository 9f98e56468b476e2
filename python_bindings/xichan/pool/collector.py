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
   handles what is in ``inbox`` whenever it wakes, even if a part was done already: ending a task can be repeated,
   see results.
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
import time
from _thread import get_ident
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout, DecodeError
from .atomic import deadline_of, left_until, wake
from .request_thread import RequestThread

if TYPE_CHECKING:
    from .futures import Future
    from .scheduler import Scheduler

_MAX_RESULTS = (256,)  # received at once
_HELP_INTERVAL = 0.01  # seconds, see (6)
_NO_ARGUMENTS = ((),)


class Collector(RequestThread):
    """Receives results for a Scheduler, whose Results end the tasks. name: of the pool."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.scheduler = scheduler
        self._deliver = scheduler.results.deliver
        super().__init__(f"{name}_collector")
        self.results_tx, self.results_rx = _core._own_channel(f"pool {name!r} results", 1024)
        self.token_tx, self.token_rx = _core._own_channel(f"pool {name!r} token", 1)
        self.wakeup_tx, self.wakeup_rx = _core._own_channel(f"pool {name!r} wake-up", 1)
        for end in self.results_rx, self.token_rx, self.wakeup_rx:
            _core._outlast_exit(end)
        self.inbox: collections.deque[Any] = collections.deque()  # results, see worker, and None for a wake-up

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
            self.scheduler.shutdown.finish()
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
                self._deliver(*result)
            else:
                self.scheduler.results.handle(result)
            if self.inbox and self.inbox[0] is result:
                self.inbox.popleft()

    def _serve(self) -> None:
        """Handle requests and the work that has become due."""
        scheduler = self.scheduler
        if self.requests:
            self._serve_requests()
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
            scheduler.shutdown.end_if_done()
        scheduler.callbacks.supervise()

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
                        self.scheduler.results.end(future.id, "finished")
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
