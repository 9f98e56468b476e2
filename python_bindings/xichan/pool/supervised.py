"""``xichan.Workers``: checks its arguments and describes the call; a Supervisor does the rest."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from . import context as contexts
from . import interrupt_safe
from .arguments import check_stdout, module_names, positive, prepared, startable
from .byvalue.functions import describe
from .member import run_target
from .refusals import check_degraded
from .task_queue import clone_endpoints

try:
    from .supervisor import Supervisor
except ImportError:  # CPython 3.13 has no concurrent.interpreters
    Supervisor = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from .._stats import RefusedModule
    from .attempts import Member


class Workers:
    """Run a function in n interpreters with a thread each, and supervise them: a context manager.

    n: number of workers; ValueError if it is larger than the number of threads that the system can have.
    target, args: ``target(*args)`` is called in each of them; what it returns is dropped, and a coroutine function runs
    in an event loop. Both are copied now, as the tasks of a pool are, so endpoints may be closed afterwards; those of a
    worker that fails are closed with its error. Inside, ``xichan.worker()`` returns the worker.
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
        if Supervisor is None:
            raise RuntimeError("Workers requires CPython 3.14, for concurrent.interpreters")
        number = startable("n", n)
        restart = positive("restart", restart, least=0)
        if on_error not in ("stop", "continue"):
            raise ValueError(f"on_error must be 'stop' or 'continue', got {on_error!r}")
        check_degraded(degraded, ("warn", "ignore"))
        check_stdout(stdout)
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, got {type(name).__name__}")
        if not callable(target):
            raise TypeError(f"target must be callable, got {type(target).__name__}")
        grace = float(grace)
        modules = module_names("preload", preload)
        standby = startable("standby", standby, least=0)
        chosen = contexts.checked(context)
        function: Callable[..., Any] = functools.partial(run_target, target)
        kwargs: dict[str, Any] = {}
        if chosen is not None:
            function, kwargs = contexts.attach(function, kwargs, contexts.describe(chosen, pickle=pickle))
        described = describe(function, pickle=pickle)
        call = (0, (described.data, described.external), *prepared(args, kwargs, pickle=pickle))
        self._supervisor = Supervisor(
            number,
            name,
            clone_endpoints(call),
            restart=restart,
            on_error=on_error,
            stdout=stdout,
            degraded=degraded,
            grace=grace,
            preload=modules,
            standby=standby,
        )

    def __repr__(self) -> str:
        supervisor = self._supervisor
        members = supervisor.members
        running = sum(not member.over for member in members)
        state = f"{running} of {len(members)} running" if supervisor.entered else f"{len(members)} not started"
        return f"<xichan.Workers {supervisor.name!r}, {state}>"

    def __enter__(self) -> Self:
        if self._supervisor.entered:
            raise RuntimeError("these Workers have been started before; create new ones")
        self._supervisor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        supervisor = self._supervisor
        if supervisor.forked:
            return
        if interrupt_safe.is_interrupt(error):
            supervisor._stop_now()
            return
        if error is not None:
            supervisor.stop_all()
        try:
            self.join()
        except KeyboardInterrupt:
            supervisor._stop_now()
            raise
        failures = [failure for failure in supervisor.failures if failure is not error]
        if error is not None and (len(failures) < len(supervisor.failures) or not isinstance(error, Exception)):
            for failure in failures:
                error.add_note(f"xichan.Workers: another worker failed: {failure!r}")
        elif len(failures) > 1:
            raise BaseExceptionGroup(f"{len(failures)} of {len(supervisor.members)} workers failed", failures)
        elif failures:
            raise failures[0]

    def ready(self, timeout: float | None = None) -> None:
        """Block until each worker has called ``xichan.worker().ready()``.

        Raises the error of a worker that has failed and is not restarted; RuntimeError if one has ended without the
        call; TimeoutError after so many seconds.
        """
        self._check_entered()
        supervisor = self._supervisor
        supervisor.wait(supervisor.is_decided, timeout)
        if supervisor.failures:
            raise supervisor.failures[0]
        missing = [member for member in supervisor.members if not member.ready]
        for member in missing:
            if member.over:
                raise RuntimeError(f"{member.name} has ended without calling xichan.worker().ready()")
        if missing:
            names = ", ".join(member.name for member in missing)
            raise TimeoutError(f"not ready after {timeout} seconds: {names}")

    def stop(self) -> None:
        """Make ``stopping`` of all workers true, and end their ``wait_stop()``. Does not wait. Never blocks."""
        self._supervisor.stop()

    def interrupt(self, index: int) -> bool:
        """Raise xichan.Interrupted in the target of one worker, as ``Future.interrupt`` does. Does not wait.

        A target that does not catch it has failed with TaskInterrupted, and may be restarted; after ``stop()`` it has
        ended as requested. Each call raises it once more. Returns False if the target does not run.
        """
        supervisor = self._supervisor
        member = self._member(index)
        return not supervisor.forked and member.interrupt(supervisor.board)

    def join(self, timeout: float | None = None) -> bool:
        """Block until all workers have ended. Returns False if the timeout, in seconds, expires before."""
        self._check_entered()
        return self._supervisor.join(timeout)

    def running_for(self, index: int) -> float | None:
        """Return the seconds since the target of a worker was called; None if it does not run."""
        supervisor = self._supervisor
        task = self._member(index).task
        return None if task is None or supervisor.forked else supervisor.board.running().get(task)

    @property
    def refused(self) -> dict[str, RefusedModule]:
        """The extension modules that workers could not load so far, by name: as ``stats().refused`` of a pool."""
        return self._supervisor.refusals.stats()

    def _member(self, index: int) -> Member:
        """Return the worker of an index."""
        members = self._supervisor.members
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"index must be an int, got {type(index).__name__}")
        if not 0 <= operator.index(index) < len(members):
            raise IndexError(f"index must be from 0 to {len(members) - 1}, got {index}")
        return members[index]

    def _check_entered(self) -> None:
        if not self._supervisor.entered:
            raise RuntimeError("the workers have not been started; use the Workers in a `with` statement")
        if self._supervisor.forked:
            raise RuntimeError("the workers belong to the process that has called fork()")
