"""The calls of a pool: how functions and arguments are described, where they run, and how they are submitted."""

from __future__ import annotations

import contextvars
import functools
import time
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Literal

from .. import _core
from .._errors import NotShareableError
from . import context as contexts
from . import coroutines
from .arguments import pickled
from .batch import Batch
from .byvalue.functions import Description, describe, label
from .futures import Future, ViewFuture
from .options import has_options

if TYPE_CHECKING:
    from .fallback import Policy
    from .scheduler import Scheduler

    type _Call = tuple[Callable[..., Any], dict[str, Any]]  # function, keyword arguments


class Calls:
    """Submits calls to a Scheduler. Nothing here refers to the executor.

    pickle, context: see InterpreterPoolExecutor. names: of its values ``shared``.
    """

    def __init__(self, scheduler: Scheduler, pickle: bool, names: frozenset[str], context: contexts._Chosen) -> None:
        self._scheduler = scheduler
        self._pickle = pickle
        self._names = names
        self._context = context

    def submit(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        policy: Policy | None,
        make: type[Future] = Future,
    ) -> Future:
        """Submit a call. policy: decides whether it runs in this interpreter; None: it never does."""
        given = None
        if type(fn) is not types.FunctionType:
            fn, args, kwargs, given = _without_context(fn, args, kwargs)
        if self._context is not None and not has_options(fn):
            _check_function(fn)
            fn, kwargs = self.in_context(fn, kwargs, self._context, given)
        scheduler = self._scheduler
        if policy is None:
            future = make(scheduler)
            self._send(future, self._prepare(fn), args, kwargs)
            return future
        described = self._describe(fn)
        kind = policy.kind(fn, args, kwargs, described.modules)
        route = policy.route(kind)
        future = make(scheduler) if kind.anywhere else make(scheduler, policy, (fn, args, kwargs), kind, route)
        with policy.counts.counted(route is None, () if route is None else (route,)):
            if route is None or route.pinned:
                self._send(future, self._sendable(described), args, kwargs, route is not None)
            else:
                scheduler.submit_local(future)
        return future

    def _send(
        self, future: Future, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], pinned: bool = False
    ) -> None:
        try:
            self._scheduler.submit(future, function, args, tuple(kwargs.items()) if kwargs else None, pinned)
        except NotShareableError:
            self._scheduler.submit(future, function, *self.pickled(args, kwargs), pinned)

    def submit_with(
        self,
        wrap: Callable[[Callable[..., Any], dict[str, Any], contextvars.Context | None], _Call],
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        policy: Policy | None,
        views: bool,
    ) -> Future:
        """Submit a call with options. views: whether its result is a Shared, of which the future has the view."""
        _check_function(fn)
        if not has_options(fn):  # given by map()
            fn, args, kwargs, given = _without_context(fn, args, kwargs)
            fn, kwargs = wrap(fn, kwargs, given)
        return self.submit(fn, args, kwargs, policy, ViewFuture if views else Future)

    def map(
        self,
        executor: Executor,
        fn: Callable[..., Any],
        iterables: Iterable[Iterable[Any]],
        timeout: float | None,
        chunksize: int,
        buffersize: int | None,
        policy: Policy | None,
        *,
        views: bool = False,
        held: bool = True,
    ) -> Iterator[Any]:
        """Submit calls, see InterpreterPoolExecutor.map. executor: whose ``submit`` is called if there is a buffersize.

        views: whether results are Shared, of which the iterator yields views. held: the iterator keeps the executor.
        """
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError("buffersize must be an integer or None")
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if self._context is not None and not has_options(fn):
            _check_function(fn)
            fn, kwargs = self.in_context(fn, {}, self._context)
            fn = functools.partial(fn, **kwargs)
        if buffersize is not None:
            results = Executor.map(executor, fn, *iterables, timeout=timeout, buffersize=buffersize)
            return _holding(executor, results) if held else results
        deadline = None if timeout is None else timeout + time.monotonic()
        calls = list(zip(*iterables))
        if not calls:
            return iter(())
        results = self.batch(fn, calls, chunksize, policy).results(deadline)
        return map(_core.Shared.view, results) if views else results

    def batch(
        self, fn: Callable[..., Any], calls: list[tuple[Any, ...]], chunksize: int, policy: Policy | None
    ) -> Batch:
        """Submit calls of one function. Returns their Batch."""
        scheduler = self._scheduler
        if policy is None:
            batch = Batch(scheduler, self._prepare(fn), list(map(self._item, calls)))
            scheduler.submit_batch(batch, chunksize, range(len(calls)))
            return batch
        described = self._describe(fn)
        kinds = [policy.kind(fn, args, {}, described.modules) for args in calls]
        routes = policy.routes(kinds)
        local = {index: None for index, route in routes.items() if not route.pinned}
        pinned = [index for index, route in routes.items() if route.pinned]
        indexes = [index for index in range(len(calls)) if index not in routes] if routes else range(len(calls))
        function = self._sendable(described) if indexes or pinned else ()
        items = [None if index in local else self._item(args) for index, args in enumerate(calls)]
        if kinds[0].anywhere:
            batch = Batch(scheduler, function, items)
        else:
            batch = Batch(scheduler, function, items, policy, (fn, calls), kinds, routes)
        with policy.counts.counted(len(indexes), list(routes.values())):
            scheduler.submit_batch(batch, chunksize, indexes, local, pinned)
        return batch

    def _item(self, args: tuple[Any, ...]) -> tuple[Any, Any]:
        """Return (args, kwargs) of a call in the form in which they are sent."""
        return (args, None) if _core.is_shareable(args) else self.pickled(args, {})

    def in_context(
        self,
        fn: Callable[..., Any],
        kwargs: dict[str, Any],
        chosen: Literal[True] | Collection[contextvars.ContextVar[Any]],
        given: contextvars.Context | None = None,
    ) -> _Call:
        """Return function and keyword arguments of a call with context variables. given: their context."""
        described = contexts.describe(chosen, given, pickle=self._pickle)
        if described.pickled:
            self._scheduler.counts["pickled_calls"].add()
        return contexts.attach(fn, kwargs, described)

    def _prepare(self, fn: Callable[..., Any]) -> Any:
        """Return a function in the form in which it is sent, see Scheduler.submit."""
        _check_function(fn)
        return self._sendable(describe(fn, pickle=self._pickle, skip=self._names))

    def _describe(self, fn: Callable[..., Any]) -> Description | _Unsendable:
        """Return the Description of a function, or an _Unsendable: no error, because the call may be local."""
        _check_function(fn)
        try:
            return describe(fn, pickle=self._pickle, skip=self._names)
        except NotShareableError as error:
            return _Unsendable(error)

    def _sendable(self, described: Description | _Unsendable) -> Any:
        """Return a Description in the form in which it is sent."""
        if isinstance(described, _Unsendable):
            raise described.error
        if described.pickled:
            self._scheduler.counts["pickled_calls"].add()
        return described.data if described.cacheable else (described.data, described.external)

    def pickled(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, tuple[object, ...]]:
        """Return the pickle of arguments, and its external values, and count it."""
        sent = pickled(args, kwargs, pickle=self._pickle, where="the pool")
        self._scheduler.counts["pickled_calls"].add()
        return sent


class _Unsendable:
    """Stands for the Description of a function that cannot be sent."""

    modules: tuple[str, ...] = ()

    def __init__(self, error: NotShareableError) -> None:
        self.error = error


def _check_function(fn: Any) -> None:
    if not callable(fn):
        raise TypeError(f"fn must be callable, got {type(fn).__name__}")
    if coroutines.is_generator_function(fn):
        raise TypeError(
            f"{label(fn)} is an asynchronous generator; a task has one result, so return a list or send the values "
            "through a channel"
        )


def _without_context(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], contextvars.Context | None]:
    """Return the call in ``partial(context.run, function, ...)``, which asyncio.to_thread() makes, or the given one.

    A contextvars.Context cannot be sent. The last item is the context, or None.
    """
    call: Any = fn
    if type(call) is functools.partial and isinstance(getattr(call.func, "__self__", None), contextvars.Context):
        call, args, kwargs = call.func, (*call.args, *args), {**call.keywords, **kwargs}
    if isinstance(getattr(call, "__self__", None), contextvars.Context) and call.__name__ == "run" and args:
        return args[0], args[1:], kwargs, call.__self__
    return call, args, kwargs, None


def _holding[T](executor: Executor, results: Iterator[T]) -> Iterator[T]:
    """Yield results. Executor.map submits no more calls when the executor, a view of the pool here, is dropped."""
    yield from results
