"""One worker of ``xichan.Workers``: a thread of this interpreter, which runs one interpreter after another.

There is one for the first attempt, and then one for each restart. The worker in it is that of pools, with a channel of
tasks that has one: the call of the target.

1. Without restarts this interpreter keeps no endpoint that a worker was given: it would keep streams open that the
   worker has closed. The endpoints of a worker that fails are closed with its error: by the worker; or here, if it may
   be restarted or has not been started.
2. The task of an attempt has an id of its own, so an interrupt never reaches the next attempt.
"""

from __future__ import annotations

import functools
import logging
import threading
from concurrent import interpreters
from typing import TYPE_CHECKING, Any

from .. import _core
from .._errors import ChannelTimeout, Error, Interrupted, MemoryLimitExceeded
from .._remote import rebuild_error
from . import interrupt_safe, threads
from .endpoints import close_descriptors, fail_endpoints
from .errors import BrokenWorker, TaskInterrupted
from .launch import cause_of, run_interpreter
from .standby import new_interpreter
from .worker_results import ResultKind

if TYPE_CHECKING:
    from .supervisor import Supervisor

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds before the first restart, which double for each further one
_CLEAN_EXITS = ("it called sys.exit()", "it called sys.exit(0)")

_logger = logging.getLogger("xichan")


class Member:
    """One worker. name: also of the thread."""

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name
        self.attempt = 0
        self.task: int | None = None  # id of the task of this attempt, while there is one
        self.call: Any = None  # what to send to the worker
        self.thread: threading.Thread | None = None
        self.ready = False
        self.ended = False  # it is in Supervisor.ended, or was
        self.over = False
        self.tolerated = False  # its failure would have been followed by a restart, but it has to stop
        self.error: BaseException | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Start the thread. If that fails, the worker has failed."""
        self.thread = threads.make(functools.partial(self._run, supervisor), self.name)
        try:
            self.thread.start()
        except Exception as error:  # too many threads, no memory
            self.end(supervisor, error)

    def has_started(self) -> bool:
        """Return whether the thread exists, even if it has not run yet."""
        return self.thread is not None and interrupt_safe.has_started(self.thread)

    def end(self, supervisor: Supervisor, error: BaseException | None) -> None:
        """Report to the supervisor that the worker has ended. error: of its failure."""
        self.ended = True
        call, self.call = self.call, None
        if error is not None:
            fail_endpoints(error, call)  # (1)
            error.add_note(f"in {self.name} of xichan.Workers")
            self.error = None if self.tolerated else error
        else:
            close_descriptors(call)
        del call
        supervisor.ended.append(self)
        supervisor.notify()

    def interrupt(self, board: _core._TaskBoard) -> bool:
        """Have the target interrupted. Returns False if it does not run."""
        task = self.task
        if task is None:
            return False
        board.interrupt(task, True)
        if self.task != task:
            board.forget(task)
        return True

    # The thread

    def _run(self, supervisor: Supervisor) -> None:
        error: BaseException | None = None
        try:
            while True:
                error = self._attempt(supervisor, error)
                if error is None or not self._may_restart(supervisor, error):
                    break
        except BaseException as failure:  # raised by a signal handler, for example
            error = failure
        self.end(supervisor, error)

    def _may_restart(self, supervisor: Supervisor, error: BaseException) -> bool:
        """Wait for the time of the restart. Returns False if there is none."""
        if self.attempt >= supervisor.restart:
            return False
        pause = min(FIRST_PAUSE * 2**self.attempt, LONGEST_PAUSE)
        _logger.warning("%s failed, and starts again in %.1f seconds: %r", self.name, pause, error)
        try:
            supervisor.stop_rx.recv(pause)
        except ChannelTimeout:
            self.attempt += 1
            return True
        except Error:
            self.tolerated = True
        return False

    def _attempt(self, supervisor: Supervisor, previous: BaseException | None) -> BaseException | None:
        """Run the target in a new interpreter. Returns its failure, or the previous one if the workers have to stop."""
        last = self.attempt >= supervisor.restart
        results_tx, results_rx = _core._own_channel(f"worker {self.name!r} result", None)
        tasks_tx, tasks_rx = _core._own_channel(f"worker {self.name!r} target", 1)
        token_tx, token_rx = _core._own_channel(f"worker {self.name!r} token", 1)
        ends = results_tx, results_rx, tasks_tx, tasks_rx, token_tx, token_rx
        _core._outlast_exit(tasks_rx)
        self.task = task = self.index + self.attempt * len(supervisor.members)
        try:
            interpreter, is_prepared = new_interpreter(supervisor.standby)
            if supervisor.stop_tx.closed:
                interpreter.close()
                self.tolerated = True
                return previous
            call = self.call if last else _core._duplicate(self.call)
            tasks_tx.send((task, *call[1:]))
            del call
            tasks_tx.close()
            if last:
                self.call = None  # (1)
            inside = self.index, self.attempt, supervisor.reports_tx, supervisor.stop_rx, not last
            output_tx = None if supervisor.output is None else supervisor.output.tx
            endpoints = tasks_rx, results_tx, token_tx, token_tx
            setup = "", supervisor.board.number(), inside, output_tx, None, False, None, (), None
            run_interpreter(interpreter, (*endpoints, *setup), supervisor.preload, is_prepared=is_prepared)
            return _outcome(results_rx.drain(), supervisor.stop_tx.closed)
        except interpreters.ExecutionFailed as error:
            return BrokenWorker(f"the worker could not be set up: {cause_of(error)}")
        except BaseException as error:
            return error
        finally:
            self.task = None
            supervisor.board.forget(task)
            if last:
                _drop(tasks_rx)
            for end in ends:
                end.close()


def _outcome(results: list[Any], stopped: bool) -> BaseException | None:
    """Return the failure that the last result of a worker describes. stopped: whether it had to stop."""
    match results[-1] if results else ():
        case (_, None):
            return None
        case (_, ResultKind.RAISED, *parts, _):
            error = rebuild_error(*parts)
        case (_, ResultKind.ENDED, reason, _):
            if reason in _CLEAN_EXITS:
                return None
            return BrokenWorker(f"the worker ended: {reason}")
        case int():
            return MemoryLimitExceeded("no memory for the error of a worker")
        case _:
            return BrokenWorker("the worker ended without a result")
    if isinstance(error, Interrupted) and not isinstance(error, TaskInterrupted):
        if stopped:
            return None
        failure = TaskInterrupted("it was interrupted by interrupt()")
        failure.__cause__ = error
        return failure
    return error


def _drop(tasks_rx: _core.Receiver[Any]) -> None:
    """Discard the task that an attempt has not taken, which has failed before."""
    try:
        for task in tasks_rx.drain():
            fail_endpoints(BrokenWorker("the worker could not be started"), task)
    except Exception:
        pass
