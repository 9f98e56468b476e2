"""``xichan.Workers``.

Each worker is a thread of this interpreter, which runs one interpreter after another: the first one, and then one for
each restart. The worker in it is that of pools, with a channel of tasks that has one: the call of the target. A further
thread, the supervisor, receives what workers report, and wakes the threads that wait for it.

1. ``ready``, ``join`` and the end of the block sleep until their condition holds. What it depends on is changed first,
   by single steps; then the sleepers are woken, see atomic. So no wake-up is lost, and any code may interrupt them.
2. Without restarts this interpreter keeps no endpoint that a worker was given: it would keep streams open that the
   worker has closed. The endpoints of a worker that fails are closed with its error: by the worker; or here, if it may
   be restarted or has not been started.
3. The task of an attempt has an id of its own, so an interrupt never reaches the next attempt.
"""

from __future__ import annotations

import collections
import functools
import logging
import threading
import time
from collections.abc import Callable, Collection
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout, Error, Interrupted, MemoryLimitExceeded
from .._remote import rebuild_error
from . import context as contexts
from . import interrupt_safe, threads
from .arguments import check_stdout, module_names, positive, prepared
from .atomic import Sleepers, deadline_of, left_until, sleep, wake
from .byvalue.functions import describe
from .endpoints import close_descriptors, fail_endpoints
from .errors import BrokenWorker, TaskInterrupted
from .member import run_target
from .output import Output
from .refusals import Refusals, check_degraded
from .task_queue import clone_endpoints
from .worker_results import ResultKind

try:
    from concurrent import interpreters

    from .launch import cause_of, run_interpreter
    from .standby import Standby, new_interpreter
except ImportError:  # CPython 3.13
    interpreters = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from .._stats import RefusedModule

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0  # seconds before the first restart, which double for each further one
WARNING_TIMEOUT = 1.0  # seconds that the end waits for a warning: a hook of the program may wait for these Workers
_CLEAN_EXITS = ("it called sys.exit()", "it called sys.exit(0)")

_logger = logging.getLogger("xichan")


class _Member:
    """One worker."""

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name
        self.attempt = 0
        self.task: int | None = None  # id of the task of this attempt, while there is one
        self.call: Any = None  # what to send to the worker
        self.thread: threading.Thread | None = None
        self.ready = False
        self.ended = False  # it is in Workers._ended, or was
        self.over = False
        self.tolerated = False  # its failure would have been followed by a restart, but it has to stop
        self.error: BaseException | None = None


class Workers:
    """Run a function in n interpreters with a thread each, and supervise them: a context manager.

    n: number of workers. target, args: ``target(*args)`` is called in each of them; what it returns is dropped, and a
    coroutine function runs in an event loop. Both are copied now, as the tasks of a pool are, so endpoints may be
    closed afterwards; those of a worker that fails are closed with its error. Inside, ``xichan.worker()`` returns the
    worker.
    name: prefix of the names of workers and threads. restart: how often each worker that fails is restarted, in a new
    interpreter, after a pause of 0.1 seconds, which doubles for each further restart. on_error: "stop": if a worker
    fails and is not restarted, the others are stopped; "continue": they go on. stdout: "forward": what workers print
    comes out at ``sys.stdout`` and ``sys.stderr`` of this interpreter. degraded: "warn": a RefusedModuleWarning if a
    worker cannot load a module and the target, or a package that it imports, goes on without it; "ignore": none; see
    ``refused``. grace: seconds that targets have to end after the failure of another one; then they are interrupted.
    pickle: pickle what is not shareable. context: targets see the context variables that are set now, as the tasks of a
    pool do. preload: names of modules that each worker imports at its start. standby: number of interpreters to keep
    ready for restarts.

    The workers start when the block is entered. Leaving the block waits until all targets have returned; call ``stop``
    before if they wait for that. Then it raises the failure of a worker, or an ExceptionGroup of several. If the block
    is left by an exception, the workers are stopped; Ctrl-C also interrupts them.

    Requires CPython 3.14. Methods may be called by any thread, also by a signal handler.
    """

    __module__ = "xichan"

    def __init__(
        self,
        n: int,
        target: Callable[..., object],
        /,
        *args: Any,
        name: str = "worker",
        restart: int = 0,
        on_error: Literal["stop", "continue"] = "stop",
        stdout: Literal["forward"] | None = None,
        degraded: Literal["warn", "ignore"] = "warn",
        grace: float = 1.0,
        pickle: bool = True,
        context: bool | Collection[ContextVar[Any]] = False,
        preload: Collection[str] = (),
        standby: int = 0,
    ) -> None:
        """Describe the call. The documentation of the class describes the parameters. No worker starts yet."""
        if interpreters is None:
            raise RuntimeError("Workers requires CPython 3.14, for concurrent.interpreters")
        number = positive("n", n)
        self._restart = positive("restart", restart, least=0)
        if on_error not in ("stop", "continue"):
            raise ValueError(f"on_error must be 'stop' or 'continue', got {on_error!r}")
        check_degraded(degraded, ("warn", "ignore"))
        check_stdout(stdout)
        if not callable(target):
            raise TypeError(f"target must be callable, got {type(target).__name__}")
        self._on_error = on_error
        self._stdout = stdout
        self._grace = float(grace)
        self._preload = module_names("preload", preload)
        self._standby_number = positive("standby", standby, least=0)
        chosen = contexts.checked(context)
        function: Callable[..., Any] = functools.partial(run_target, target)
        kwargs: dict[str, Any] = {}
        if chosen is not None:
            function, kwargs = contexts.attach(function, kwargs, contexts.describe(chosen, pickle=pickle))
        described = describe(function, pickle=pickle)
        call = (0, (described.data, described.external), *prepared(args, kwargs, pickle=pickle))
        self._call: Any = clone_endpoints(call)
        self._members = [_Member(index, f"{name}_{index}") for index in range(number)]
        self._name = name
        self._stop_tx, self._stop_rx = _core.channel(1)
        self._reports_tx, self._reports_rx = _core.channel(None)
        for end in self._stop_rx, self._reports_rx:
            _core._outlast_exit(end)
        self.board = _core._TaskBoard()
        self._ended: collections.deque[_Member] = collections.deque()  # for the supervisor
        self._failures: list[BaseException] = []
        self._interrupt_at: float | None = None  # when workers that have not stopped are interrupted
        self._sleepers: Sleepers = []
        self._output: Output | None = None
        self._refusals = Refusals(degraded)
        self._warning: list[threading.Thread] = []  # threads that issue warnings: they run code of the program
        self._standby: Standby | None = None
        self._entered = False
        self._over = False
        self._forked = False

    def __enter__(self) -> Self:
        if self._entered:
            raise RuntimeError("these Workers have been started before; create new ones")
        self._entered = True
        if self._stdout is not None:
            self._output = Output(f"{self._name}_output")
        for member in self._members:
            last = member is self._members[-1]
            member.call = self._call if last else _core._duplicate(self._call)  # each has Descriptors of its own
        self._call = None  # (2)
        interrupt_safe.register(self)
        threads.make(self._supervise, f"{self._name}_supervisor").start()
        try:
            for member in self._members:
                member.thread = threads.make(functools.partial(self._run, member), member.name)
                try:
                    member.thread.start()
                except Exception as error:  # too many threads, no memory
                    self._end(member, error)
        except BaseException:  # Ctrl-C
            for member in self._members:
                if not (member.ended or (member.thread and interrupt_safe.has_started(member.thread))):
                    self._end(member, None)
            self._stop_now()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._forked:
            return
        if interrupt_safe.is_interrupt(error):
            self._stop_now()
            return
        if error is not None:
            self._stop_all()
        try:
            self.join()
        except KeyboardInterrupt:
            self._stop_now()
            raise
        failures = [failure for failure in self._failures if failure is not error]
        if error is not None and (len(failures) < len(self._failures) or not isinstance(error, Exception)):
            for failure in failures:
                error.add_note(f"xichan.Workers: another worker failed: {failure!r}")
        elif len(failures) > 1:
            raise BaseExceptionGroup(f"{len(failures)} of {len(self._members)} workers failed", failures)
        elif failures:
            raise failures[0]

    # For users

    def ready(self, timeout: float | None = None) -> None:
        """Block until each worker has called ``xichan.worker().ready()``.

        Raises the error of a worker that has failed and is not restarted; RuntimeError if one has ended without the
        call; TimeoutError after so many seconds.
        """
        self._check_entered()
        self._wait(self._is_decided, timeout)
        if self._failures:
            raise self._failures[0]
        missing = [member for member in self._members if not member.ready]
        for member in missing:
            if member.over:
                raise RuntimeError(f"{member.name} has ended without calling xichan.worker().ready()")
        if missing:
            names = ", ".join(member.name for member in missing)
            raise TimeoutError(f"not ready after {timeout} seconds: {names}")

    def stop(self) -> None:
        """Make ``stopping`` of all workers true, and end their ``wait_stop()``. Does not wait. Never blocks."""
        self._stop_tx.close()

    def interrupt(self, index: int) -> bool:
        """Raise xichan.Interrupted in the target of one worker, as ``Future.interrupt`` does. Does not wait.

        A target that does not catch it has failed with TaskInterrupted, and may be restarted; after ``stop()`` it has
        ended as requested. Each call raises it once more. Returns False if the target does not run.
        """
        member = self._members[index]
        task = member.task
        if task is None or self._forked:
            return False
        self.board.interrupt(task, True)
        if member.task != task:
            self.board.forget(task)
        return True

    def join(self, timeout: float | None = None) -> bool:
        """Block until all workers have ended. Returns False if the timeout, in seconds, expires before."""
        self._check_entered()
        self._wait(self._is_over, timeout)
        return self._over

    def running_for(self, index: int) -> float | None:
        """Return the seconds since the target of a worker was called; None if it does not run."""
        task = self._members[index].task
        return None if task is None or self._forked else self.board.running().get(task)

    @property
    def refused(self) -> dict[str, RefusedModule]:
        """The extension modules that workers could not load so far, by name: as ``stats().refused`` of a pool."""
        return self._refusals.stats()

    def _wait(self, condition: Callable[[], bool], timeout: float | None) -> None:
        deadline = deadline_of(timeout)
        while not condition() and left_until(deadline) != 0:
            sleep(self._sleepers, condition, deadline)

    def _check_entered(self) -> None:
        if not self._entered:
            raise RuntimeError("the workers have not been started; use the Workers in a `with` statement")
        if self._forked:
            raise RuntimeError("the workers belong to the process that has called fork()")

    def _is_decided(self) -> bool:
        return bool(self._failures) or self._over or all(member.ready or member.over for member in self._members)

    def _is_over(self) -> bool:
        return self._over

    # For interrupt_safe, and the end of the block

    def _stop_now(self) -> bool:
        """Stop the workers, interrupt those that go on, and wait for a short time. Returns False if one is left."""
        half = interrupt_safe.STOP_TIMEOUT / 2
        if self._forked or not self._entered:
            return True
        self._stop_all(half)
        return self.join(2 * half)

    def _at_exit(self) -> None:
        """Stop the workers at the exit of the program, interrupt those that go on, and wait."""
        if not self._forked:
            self._stop_all()
            self.join()

    def _disable_after_fork(self) -> None:
        self._forked = self._over = True

    def _stop_all(self, grace: float | None = None) -> None:
        """Stop the workers, and interrupt those that have not ended after the grace."""
        self.stop()
        at = time.monotonic() + (self._grace if grace is None else grace)
        if self._interrupt_at is None or at < self._interrupt_at:
            self._interrupt_at = at
        self._notify()

    def _notify(self) -> None:
        try:
            self._reports_tx.send_nowait(None)
        except ChannelClosed:  # it has ended
            pass

    # The supervisor

    def _supervise(self) -> None:
        if self._standby_number:
            standby = Standby(self._standby_number, self._preload, f"{self._name}_standby")
            self._standby = standby if standby.start() else None
        left = len(self._members)
        while left:
            self._receive()
            while self._ended:
                member = self._ended.popleft()
                left -= 1
                if member.error is not None:
                    self._failures.append(member.error)
                    if self._on_error == "stop":
                        self._stop_all()
                member.over = True
            if self._interrupt_at is not None and left_until(self._interrupt_at) == 0:
                self._interrupt_at = None
                for member in self._members:
                    self.interrupt(member.index)
            wake(self._sleepers)
        for member in self._members:
            if member.thread is not None and interrupt_safe.has_started(member.thread):
                member.thread.join()
        self._handle_rest()
        for thread in self._warning:
            thread.join(WARNING_TIMEOUT)
        if self._standby is not None:
            self._standby.close()
        if self._output is not None:
            self._output.close()
        for end in self._reports_tx, self._reports_rx, self._stop_tx, self._stop_rx:
            end.close()
        self._over = True
        wake(self._sleepers)

    def _receive(self) -> None:
        """Wait for reports of workers, until workers are to be interrupted."""
        at = self._interrupt_at
        try:
            report = self._reports_rx.recv(None if at is None else left_until(at))
        except (ChannelTimeout, MemoryError):
            return
        self._handle(report)

    def _handle(self, report: Any) -> None:
        match report:
            case index, attempt:
                if self._members[index].attempt == attempt:
                    self._members[index].ready = True
            case module, reason, place, _, degraded:
                if self._refusals.add(module, reason, place, degraded):
                    self._warn()

    def _handle_rest(self) -> None:
        """Handle the reports that workers have sent before they ended."""
        try:
            for report in self._reports_rx.drain():
                self._handle(report)
        except (Error, MemoryError) as error:
            _logger.warning("%s lost reports of workers: %r", self._name, error)

    def _warn(self) -> None:
        """Issue warnings in a thread of their own."""
        thread = threads.make(self._refusals.call_back, f"{self._name}_warnings")
        try:
            thread.start()
        except Exception as error:  # too many threads
            _logger.warning("%s cannot start a thread for a warning: %s", self._name, error)
        else:
            self._warning.append(thread)

    # The thread of a worker

    def _run(self, member: _Member) -> None:
        error: BaseException | None = None
        try:
            while True:
                error = self._attempt(member, error)
                if error is None or not self._may_restart(member, error):
                    break
        except BaseException as failure:  # raised by a signal handler, for example
            error = failure
        self._end(member, error)

    def _end(self, member: _Member, error: BaseException | None) -> None:
        member.ended = True
        call, member.call = member.call, None
        if error is not None:
            fail_endpoints(error, call)  # (2)
            error.add_note(f"in {member.name} of xichan.Workers")
            member.error = None if member.tolerated else error
        else:
            close_descriptors(call)
        del call
        self._ended.append(member)
        self._notify()

    def _may_restart(self, member: _Member, error: BaseException) -> bool:
        """Wait for the time of the restart. Returns False if there is none."""
        if member.attempt >= self._restart:
            return False
        pause = min(FIRST_PAUSE * 2**member.attempt, LONGEST_PAUSE)
        _logger.warning("%s failed, and starts again in %.1f seconds: %r", member.name, pause, error)
        try:
            self._stop_rx.recv(pause)
        except ChannelTimeout:
            member.attempt += 1
            return True
        except Error:
            member.tolerated = True
        return False

    def _attempt(self, member: _Member, previous: BaseException | None) -> BaseException | None:
        """Run the target in a new interpreter. Returns its failure, or the previous one if the workers have to stop."""
        last = member.attempt >= self._restart
        results_tx, results_rx = _core.channel(None)
        tasks_tx, tasks_rx = _core.channel(1)
        token_tx, token_rx = _core.channel(1)
        ends = results_tx, results_rx, tasks_tx, tasks_rx, token_tx, token_rx
        _core._outlast_exit(tasks_rx)
        member.task = task = member.index + member.attempt * len(self._members)
        try:
            interpreter, is_prepared = new_interpreter(self._standby)
            if self._stop_tx.closed:
                interpreter.close()
                member.tolerated = True
                return previous
            call = member.call if last else _core._duplicate(member.call)
            tasks_tx.send((task, *call[1:]))
            del call
            tasks_tx.close()
            if last:
                member.call = None  # (2)
            inside = member.index, member.attempt, self._reports_tx, self._stop_rx, not last
            output_tx = None if self._output is None else self._output.tx
            endpoints = tasks_rx, results_tx, token_tx, token_tx
            setup = "", self.board.number(), inside, output_tx, None, False, None, (), None
            run_interpreter(interpreter, (*endpoints, *setup), self._preload, is_prepared=is_prepared)
            return self._outcome(results_rx.drain())
        except interpreters.ExecutionFailed as error:
            return BrokenWorker(f"the worker could not be set up: {cause_of(error)}")
        except BaseException as error:
            return error
        finally:
            member.task = None
            self.board.forget(task)
            if last:
                _drop(tasks_rx)
            for end in ends:
                end.close()

    def _outcome(self, results: list[Any]) -> BaseException | None:
        """Return the failure that the last result of a worker describes."""
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
            if self._stop_tx.closed:
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
