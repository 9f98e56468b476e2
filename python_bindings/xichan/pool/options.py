"""``with_options`` of a pool: an executor for the same workers, whose tasks have a deadline or other options.

A task with options calls ``run_with`` in its worker, which calls the function, and one with a context ``run_in`` of
``context``, which calls that. So the worker itself knows nothing of options, and other tasks cost nothing more.

1. A task with a deadline reports its beginning in a named channel of the pool. One thread for the pool receives these
   reports and sleeps until the next deadline.
"""

from __future__ import annotations

import functools
import heapq
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from concurrent.futures import Future as BaseFuture
from types import TracebackType
from typing import TYPE_CHECKING, Any, overload

from .. import _core
from .._errors import ChannelClosed, ChannelTimeout
from . import context as contexts
from . import threads
from .task_options import name_of_deadlines, run_with, senders

if TYPE_CHECKING:
    from contextvars import Context

    from .executor import InterpreterPoolExecutor
    from .scheduler import Scheduler


class PoolView(Executor):
    """The workers of a pool, with options for the tasks. Made by ``with_options``; methods as those of the pool."""

    def __init__(
        self, pool: InterpreterPoolExecutor, deadline: float | None, copy: bool, context: contexts._Chosen
    ) -> None:
        self._pool = pool
        self._deadline = deadline
        self._copy = copy
        self._context = context
        if deadline is not None:
            pool._scheduler.start_deadlines()

    def with_options(
        self,
        *,
        deadline: float | None = None,
        copy: bool | None = None,
        context: bool | contexts._Variables | None = None,
    ) -> PoolView:
        """Return an executor with these options; those that are not given are kept."""
        return PoolView(
            self._pool,
            self._deadline if deadline is None else checked(deadline),
            self._copy if copy is None else copy,
            self._context if context is None else contexts.checked(context),
        )

    @overload
    def submit[**P, T](
        self, fn: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> BaseFuture[T]: ...
    @overload
    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> BaseFuture[T]: ...
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> BaseFuture[Any]:
        return self._pool._calls.submit_with(self._wrap, fn, args, kwargs, self._pool._policy, not self._copy)

    def map[T](
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        pool = self._pool
        fn, kwargs = self._wrap(fn, {}, None)
        if kwargs:
            fn = functools.partial(fn, **kwargs)
        return pool._calls.map(self, fn, iterables, timeout, chunksize, buffersize, pool._policy, views=not self._copy)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False, interrupt: bool = False) -> None:
        """Shut the pool down."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures, interrupt=interrupt)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, traceback)

    def _wrap(
        self, fn: Callable[..., Any], kwargs: dict[str, Any], given: Context | None
    ) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return function and keyword arguments of a call with these options. given: the context to call it in."""
        fn = functools.partial(run_with, fn, self._deadline, self._copy)
        return (fn, kwargs) if self._context is None else self._pool._calls.in_context(fn, kwargs, self._context, given)


def checked(deadline: float | None) -> float | None:
    """Return the deadline if it is None or a positive number."""
    if deadline is None:
        return None
    if isinstance(deadline, bool) or not isinstance(deadline, (int, float)):
        raise TypeError(f"deadline must be a number of seconds or None, got {type(deadline).__name__}")
    if not deadline > 0:
        raise ValueError(f"deadline must be greater than 0 seconds, got {deadline}")
    return float(deadline)


def function_of(call: functools.partial[Any]) -> Callable[..., Any]:
    """Return the function that a partial calls, without ``run_with`` and ``run_in``."""
    function: Callable[..., Any] = call.args[0] if has_options(call) else call.func
    return function


def has_options(call: Callable[..., Any]) -> bool:
    """Return whether a call is one of ``run_with`` or ``run_in``."""
    return isinstance(call, functools.partial) and (call.func is run_with or call.func is contexts.run_in)


class Deadlines:
    """Interrupts the tasks of a pool at their deadlines. For the collector. name: of the thread."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self._scheduler = scheduler
        label = f"pool {scheduler.workers.name!r} deadlines"
        self._tx, self._rx = _core._own_channel(label, None, None, name_of_deadlines(scheduler.published.prefix))
        _core._outlast_exit(self._rx)
        self._thread = threads.make(self._run, name)
        self._thread.start()

    def close(self) -> None:
        """End the thread. The workers have ended."""
        sender = senders.pop(self._scheduler.published.prefix, None)
        for end in (sender, self._tx):
            if end is not None:
                end.close()
        self._rx.close()
        self._thread.join()

    def _run(self) -> None:
        due: list[tuple[float, int, float]] = []  # (when, id, deadline), a heap
        while True:
            try:
                id, seconds = self._rx.recv(max(due[0][0] - time.monotonic(), 0) if due else None)
                heapq.heappush(due, (time.monotonic() + seconds, id, seconds))
            except ChannelTimeout:
                pass
            except ChannelClosed:
                return
            while due and due[0][0] <= time.monotonic():
                _, id, seconds = heapq.heappop(due)
                self._scheduler.cancellation.request_interrupt(id, f"its deadline of {seconds:g} seconds has passed")
