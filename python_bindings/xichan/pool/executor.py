"""``xichan.InterpreterPoolExecutor``."""

from __future__ import annotations

import contextvars
import itertools
import os
import types
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future as BaseFuture
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Never, overload

from .. import _core
from .._stats import PoolStats
from . import context as contexts
from . import interrupt_safe, scripts, threads
from .arguments import check_stdout, module_names, named_values, positive, startable
from .byvalue.functions import describe, describe_value
from .calls import Calls
from .fallback import Policy
from .fallback_counts import FallbackPoolStats
from .options import PoolView, checked
from .refusals import DEGRADED, check_degraded
from .task_queue import clone_endpoints

try:
    from .scheduler import Scheduler
except ImportError:  # CPython 3.13 has no concurrent.interpreters
    Scheduler = None  # type: ignore[assignment,misc]


_counter = itertools.count().__next__


class InterpreterPoolExecutor(ThreadPoolExecutor):
    """Run functions in worker interpreters, each in a thread of its own: a ``concurrent.futures.Executor``.

    max_workers: maximum number of workers, which start on demand; None: the number of CPUs that this process may use.
    initializer, initargs: called in each worker before its first task; if it raises, the pool is broken.
    shared: {name: value}, added to the ``__main__`` of each worker when it starts, and to the globals of functions that
    are sent by value. Endpoints in it are cloned; the clones are closed when the workers have ended.
    restart_after: replace the interpreter of a worker after this many tasks; None: never.
    pickle: pickle what is not shareable (counted in ``stats()``); False: raise NotShareableError instead.
    fallback: "main": if a worker cannot load a module because it does not support subinterpreters, run the task in a
    thread of this interpreter; see xichan.dispatch. "pinned": run it in one extra interpreter that loads such modules,
    with hazards that the documentation describes; no other pool of the process may do so at the same time. degraded:
    what happens when a worker cannot load a module and the package that imports it goes on without it, as a rule with
    slower code: "warn": a RefusedModuleWarning, once per module and program; "ignore": nothing; "main", with
    ``fallback=``: later calls of the function run where that leads. ``stats().refused`` has these modules in any case.
    thread_name_prefix: for the threads of the pool. stdout: "forward": what tasks print comes out at ``sys.stdout`` and
    ``sys.stderr`` of this interpreter, before their results. context: tasks see the context variables of the call that
    submits them. True: all; or a collection of variables. preload: names of modules that each worker imports at its
    start; if that fails, the pool is broken. standby: number of interpreters to keep ready, in which these modules are
    imported: new workers and replacements start at once.

    Requires CPython 3.14. Methods may be called by any thread, also by a signal handler, a finalizer or a callback.

    It is a ThreadPoolExecutor, as the pool of the standard library is, only because ``loop.set_default_executor`` of
    asyncio requires one. Nothing of that class is used.
    """

    __module__ = "xichan"

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        shared: Mapping[str, object] | None = None,
        restart_after: int | None = None,
        pickle: bool = True,
        fallback: Literal["main", "pinned"] | None = None,
        degraded: Literal["warn", "ignore", "main"] = "warn",
        thread_name_prefix: str = "",
        stdout: Literal["forward"] | None = None,
        context: bool | Collection[contextvars.ContextVar[Any]] = False,
        preload: Collection[str] = (),
        standby: int = 0,
        **unknown: Never,
    ) -> None:
        """Create a pool. The documentation of the class describes the parameters. No worker starts before a task."""
        if unknown:
            from .._hints import unexpected_pool_keyword

            raise unexpected_pool_keyword(InterpreterPoolExecutor.__init__, unknown)
        if Scheduler is None:
            raise RuntimeError("InterpreterPoolExecutor requires CPython 3.14, for concurrent.interpreters")
        self._max_workers = _positive("max_workers", max_workers, os.process_cpu_count() or 1)
        limit = _positive("restart_after", restart_after, None)
        if fallback not in (None, "main", "pinned"):
            raise ValueError(f"fallback must be None, 'main' or 'pinned', got {fallback!r}")
        check_degraded(degraded, DEGRADED)
        if degraded == "main" and fallback is None:
            raise ValueError("degraded='main' runs calls outside the workers: it requires fallback='main' or 'pinned'")
        check_stdout(stdout)
        modules = module_names("preload", preload)
        standby = startable("standby", standby, least=0)
        self._context = contexts.checked(context)
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be callable, got {type(initializer).__name__}")
        pickle = bool(pickle)
        shared = named_values(shared)
        names = frozenset(shared)
        self._policy = None if fallback is None else Policy(pinned=fallback == "pinned")
        name = thread_name_prefix or f"{threads.DEFAULT_PREFIX}-{_counter()}"
        self._scheduler = Scheduler(self._max_workers, name, degraded)
        self._scheduler.attach_owner(self)
        self._calls = Calls(self._scheduler, pickle, names, self._context)
        self._scheduler.workers.preload = modules
        if fallback is not None:
            self._scheduler.published.announce_fallback()
        values = []
        for shared_name, value in shared.items():
            described = describe_value(value, f"shared[{shared_name!r}] is", pickle=pickle)
            values.append((shared_name, (described.data, described.external)))
        setup = None
        if initializer is not None:
            described = describe(initializer, pickle=pickle, skip=names)
            args = tuple(initargs)
            sent = (args, None) if _core.is_shareable(args) else self._calls.pickled(args, {})
            setup = (described.data, described.external, *sent)
        self._scheduler.workers.setup = clone_endpoints((pickle, limit, tuple(values), setup))
        if fallback == "pinned":
            from .pinned import PinnedWorker

            self._scheduler.use_pinned(PinnedWorker(self._scheduler, pickle, names))
        if stdout is not None:
            self._scheduler.workers.forward_output()
        if standby:
            self._scheduler.workers.start_standby(standby)

    def __repr__(self) -> str:
        workers = self._scheduler.workers
        return f"<xichan.{type(self).__name__} {workers.name!r}, {workers.alive} of {self._max_workers} workers>"

    if not TYPE_CHECKING:  # type checkers would accept every name

        def __getattr__(self, name):
            from .._hints import missing_pool_name

            raise missing_pool_name(self, name)

    @overload
    def submit[**P, T](
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> BaseFuture[T]: ...
    @overload
    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> BaseFuture[T]: ...
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> BaseFuture[Any]:
        """Run ``fn(*args, **kwargs)`` in a worker and return its Future.

        The call can be cancelled until a worker takes it. The function and its arguments are copied now: later changes
        have no effect, and endpoints may be closed. Raises NotShareableError if something cannot be sent,
        BrokenInterpreterPool, RuntimeError after ``shutdown``. A coroutine function runs in an event loop of the
        worker.
        """
        return self._calls.submit(fn, args, kwargs, self._policy)

    def with_options(
        self,
        *,
        deadline: float | None = None,
        copy: bool = True,
        context: bool | Collection[contextvars.ContextVar[Any]] | None = None,
    ) -> PoolView:
        """Return an executor that runs tasks in the workers of this pool, with options.

        deadline: seconds that a task may run, from when it begins in its worker; then it is interrupted, as
        ``Future.interrupt`` does, and its future raises TaskInterrupted. copy: False: results are views, as
        ``recv(copy=False)`` returns them, and have to be shareable. context: as for the pool; None: that of the pool.

        Its ``submit``, ``map`` and ``shutdown`` are those of the pool.
        """
        chosen = self._context if context is None else contexts.checked(context)
        return PoolView(self, checked(deadline), bool(copy), chosen)

    def map[T](
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Run ``map(fn, *iterables)`` in the workers and return an iterator over the results, in order.

        timeout: seconds from now after which waiting for a result raises TimeoutError; None: wait indefinitely.
        chunksize: number of calls that are sent as one task. buffersize: number of calls that may be ahead of the
        result that is yielded next; None: all are submitted now. When the iterator ends early, calls that no worker has
        taken are cancelled; but if it is closed or dropped before its first step, all calls run, as in the standard
        library.
        """
        return self._calls.map(self, fn, iterables, timeout, chunksize, buffersize, self._policy, held=False)

    def run_string(self, code: str, *, shared: Mapping[str, object] | None = None) -> BaseFuture[Any]:
        """Run source code as a script, as a task. Its namespace is new and contains the names of ``shared``.

        The result of the Future is the value of the name ``result`` when the script ends, or None.
        """
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, got {type(code).__name__}")
        return self.submit(scripts.run_string, code, tuple(named_values(shared).items()))

    def run_path(self, file: str | os.PathLike[str], *, shared: Mapping[str, object] | None = None) -> BaseFuture[Any]:
        """Run a file like ``run_string``: source code, or a ``.pyc`` compiled by this version of Python."""
        path = os.path.abspath(os.fsdecode(file))
        return self.submit(scripts.run_path, path, tuple(named_values(shared).items()))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False, interrupt: bool = False) -> None:
        """Accept no more tasks; workers end when all tasks are done.

        wait: return when the workers have ended. This blocks indefinitely if a task never returns, and so does the exit
        of the program; Ctrl-C interrupts all tasks then. cancel_futures: cancel the tasks that no worker has taken.
        interrupt: cancel these, and interrupt the others, as ``Future.interrupt`` does.
        """
        scheduler = self._scheduler
        scheduler.shutdown.stop()
        if interrupt:
            scheduler.cancellation.interrupt_all("it was interrupted by shutdown()")
        elif cancel_futures:
            scheduler.cancellation.cancel(None)
        if wait and interrupt_safe.ends_interrupted_loop():
            scheduler.shutdown._stop_now()
        elif wait:
            try:
                scheduler.shutdown.join()
            except KeyboardInterrupt as error:
                self._note_unfinished(error)
                scheduler.shutdown._stop_now()
                raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: types.TracebackType | None
    ) -> None:
        """Shut the pool down. If the block was interrupted, by Ctrl-C for example, interrupt its tasks."""
        if interrupt_safe.is_interrupt(error):
            self._scheduler.shutdown._stop_now()
        else:
            self.shutdown()

    def stats(self) -> PoolStats:
        """Return the number of workers and of tasks in each state, of pickled calls and results, and refused modules.

        With ``fallback=`` the record also has the fields of the stats() of a Dispatcher, and ``in_pinned``.
        """
        counts = self._scheduler.stats()
        if self._policy is None:
            return PoolStats(**counts)
        return FallbackPoolStats(**counts, **self._policy.counts.stats())

    def _note_unfinished(self, error: BaseException) -> None:
        """Add a note to a KeyboardInterrupt that ended the wait for the tasks: which of them have not returned."""
        from .._hints import note_interrupted_shutdown

        scheduler = self._scheduler
        names = [scheduler.published.name_of(each.definition) for each in list(scheduler.in_flight.values())]
        note_interrupted_shutdown(error, names, scheduler.workers.alive)


def _positive[T](name: str, value: int | None, default: T) -> int | T:
    """Return a number if it is a positive int, or the default if it is None."""
    return default if value is None else positive(name, value)
