"""The supervisor of ``xichan.Workers``: a thread that receives what workers report, and wakes those that wait for it.

``ready``, ``join`` and the end of the block sleep until their condition holds. What it depends on is changed first, by
single steps; then the sleepers are woken, see atomic. So no wake-up is lost, and any code may interrupt them.
"""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout, Error
from . import interrupt_safe, threads
from .atomic import Sleepers, deadline_of, left_until, sleep, wake
from .attempts import Member
from .endpoints import close_descriptors
from .output import Output
from .refusals import Refusals
from .standby import Standby

WARNING_TIMEOUT = 1.0  # seconds that the end waits for a warning: a hook of the program may wait for these workers

_logger = logging.getLogger("xichan")


class Supervisor:
    """Starts n workers and supervises them.

    call: the task of each. The other parameters are those of xichan.Workers.
    """

    def __init__(
        self,
        n: int,
        name: str,
        call: tuple[Any, ...],
        *,
        restart: int,
        on_error: str,
        stdout: str | None,
        degraded: str,
        grace: float,
        preload: tuple[str, ...],
        standby: int,
    ) -> None:
        self.name = name
        self.restart = restart
        self.preload = preload
        self._call: Any = call
        self._on_error = on_error
        self._stdout = stdout
        self._grace = grace
        self._standby_number = standby
        self.members = [Member(index, f"{name}_{index}") for index in range(n)]
        self.stop_tx, self.stop_rx = _core._own_channel(f"workers {name!r} stop", 1)
        self.reports_tx, self.reports_rx = _core._own_channel(f"workers {name!r} reports", None)
        for end in self.stop_rx, self.reports_rx:
            _core._outlast_exit(end)
        self.board = _core._TaskBoard()
        self.ended: collections.deque[Member] = collections.deque()  # for the thread
        self.failures: list[BaseException] = []
        self._interrupt_at: float | None = None  # when workers that have not stopped are interrupted
        self._sleepers: Sleepers = []
        self.output: Output | None = None
        self.refusals = Refusals(degraded)
        self._warning: list[threading.Thread] = []  # threads that issue warnings: they run code of the program
        self.standby: Standby | None = None
        self.entered = False
        self.over = False
        self.forked = False

    def start(self) -> None:
        """Start the thread and the workers."""
        self.entered = True
        thread = threads.make(self._run, f"{self.name}_supervisor")
        try:
            if self._stdout is not None:
                self.output = Output(f"{self.name}_output")
            for member in self.members:
                last = member is self.members[-1]
                member.call = self._call if last else _core._duplicate(self._call)  # each has Descriptors of its own
            self._call = None  # see attempts (1)
            interrupt_safe.register(self)
            thread.start()
            for member in self.members:
                self._start_member(member)
        except BaseException:  # Ctrl-C, too many threads, no memory
            for member in self.members:
                if not (member.ended or member.has_started()):
                    member.end(self, None)
            if not interrupt_safe.has_started(thread):
                self._end_unstarted()
            self._stop_now()
            raise

    def _start_member(self, member: Member) -> None:
        """Start a worker, unless the workers have to stop. If one cannot be started, further ones are not tried."""
        if self.stop_tx.closed:
            member.end(self, None)
            return
        member.start(self)
        if member.error is not None and self._on_error == "stop":
            self.stop()

    def _end_unstarted(self) -> None:
        """Do what the thread does when all workers have ended: it could not be started."""
        close_descriptors(self._call)
        self._call = None
        self._standby_number = 0
        self._run()

    def stop(self) -> None:
        """Have the workers stop."""
        self.stop_tx.close()

    def stop_all(self, grace: float | None = None) -> None:
        """Stop the workers, and interrupt those that have not ended after the grace."""
        self.stop()
        at = time.monotonic() + (self._grace if grace is None else grace)
        if self._interrupt_at is None or at < self._interrupt_at:
            self._interrupt_at = at
        self.notify()

    def join(self, timeout: float | None = None) -> bool:
        """Block until all workers have ended. Returns False if the timeout expires before."""
        self.wait(self._is_over, timeout)
        return self.over

    def wait(self, condition: Callable[[], bool], timeout: float | None) -> None:
        """Block until a condition of the workers holds, or the timeout expires."""
        deadline = deadline_of(timeout)
        while not condition() and left_until(deadline) != 0:
            sleep(self._sleepers, condition, deadline)

    def is_decided(self) -> bool:
        """Return whether all workers are ready or over, or one has failed."""
        return bool(self.failures) or self.over or all(member.ready or member.over for member in self.members)

    def _is_over(self) -> bool:
        return self.over

    def notify(self) -> None:
        """Have the thread look again at what has changed."""
        try:
            self.reports_tx.send_nowait(None)
        except ChannelClosed:  # it has ended
            pass

    # For interrupt_safe, and the end of the block

    def _stop_now(self) -> bool:
        """Stop the workers, interrupt those that go on, and wait for a short time. Returns False if one is left."""
        half = interrupt_safe.STOP_TIMEOUT / 2
        if self.forked or not self.entered:
            return True
        self.stop_all(half)
        return self.join(2 * half)

    def _at_exit(self) -> None:
        """Stop the workers at the exit of the program, interrupt those that go on, and wait."""
        if not self.forked:
            self.stop_all()
            self.join()

    def _disable_after_fork(self) -> None:
        self.forked = self.over = True

    # The thread

    def _run(self) -> None:
        if self._standby_number:
            standby = Standby(self._standby_number, self.preload, f"{self.name}_standby")
            self.standby = standby if standby.start() else None
        left = len(self.members)
        while left:
            self._receive()
            while self.ended:
                member = self.ended.popleft()
                left -= 1
                if member.error is not None:
                    self.failures.append(member.error)
                    if self._on_error == "stop":
                        self.stop_all()
                member.over = True
            if self._interrupt_at is not None and left_until(self._interrupt_at) == 0:
                self._interrupt_at = None
                for member in self.members:
                    member.interrupt(self.board)
            wake(self._sleepers)
        for member in self.members:
            if member.thread is not None and member.has_started():
                member.thread.join()
        self._handle_rest()
        for thread in self._warning:
            thread.join(WARNING_TIMEOUT)
        if self.standby is not None:
            self.standby.close()
        if self.output is not None:
            self.output.close()
        for end in self.reports_tx, self.reports_rx, self.stop_tx, self.stop_rx:
            end.close()
        self.over = True
        wake(self._sleepers)

    def _receive(self) -> None:
        """Wait for reports of workers, until workers are to be interrupted."""
        at = self._interrupt_at
        try:
            report = self.reports_rx.recv(None if at is None else left_until(at))
        except (ChannelTimeout, MemoryError):
            return
        self._handle(report)

    def _handle(self, report: Any) -> None:
        match report:
            case index, attempt:
                if self.members[index].attempt == attempt:
                    self.members[index].ready = True
            case module, reason, place, _, degraded:
                if self.refusals.add(module, reason, place, degraded):
                    self._warn()

    def _handle_rest(self) -> None:
        """Handle the reports that workers have sent before they ended."""
        try:
            for report in self.reports_rx.drain():
                self._handle(report)
        except (Error, MemoryError) as error:
            _logger.warning("%s lost reports of workers: %r", self.name, error)

    def _warn(self) -> None:
        """Issue warnings in a thread of their own."""
        thread = threads.make(self.refusals.call_back, f"{self.name}_warnings")
        try:
            thread.start()
        except Exception as error:  # too many threads
            _logger.warning("%s cannot start a thread for a warning: %s", self.name, error)
        else:
            self._warning.append(thread)
