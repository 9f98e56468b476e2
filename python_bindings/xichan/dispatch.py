"""Runs tasks in worker interpreters, or in the main interpreter if they need a module that only it can load.

    from xichan.dispatch import Dispatcher

    with xichan.InterpreterPoolExecutor() as pool, Dispatcher(pool) as dispatcher:
        future = dispatcher.submit(function, argument)

Many C extensions do not support subinterpreters (``ImportError: module ... does not support loading in
subinterpreters``). If a task raises this error, it runs again, from its beginning, in a thread of this interpreter.
Later tasks that are certain to be refused run in this interpreter at once, and most of those whose kind was nearly
always refused; a kind is a function together with the functions among its arguments.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any

from .pool.call_kinds import Named
from .pool.executor import InterpreterPoolExecutor
from .pool.fallback import Policy
from .pool.fallback_counts import DispatchStats

__all__ = ["DispatchStats", "Dispatcher"]


class Dispatcher(Executor):
    """Run tasks in the workers of a pool or, if these cannot load a module, in threads of this interpreter.

    main_only: always runs in this interpreter. anywhere: always runs in a worker, even if a module is refused. Both are
    collections of modules, functions, and names of these ("numpy", "package.module.function"); a module stands for
    everything in it, and for functions sent by value that use it. max_threads: the max_workers of a ThreadPoolExecutor.

    ``submit``, ``map`` and ``shutdown`` are those of the pool; ``shutdown`` shuts it down, too.
    """

    def __init__(
        self,
        pool: InterpreterPoolExecutor,
        *,
        main_only: Collection[Named] = (),
        anywhere: Collection[Named] = (),
        max_threads: int | None = None,
    ) -> None:
        self._pool = pool
        self._policy = Policy(main_only, anywhere, max_threads)
        pool._scheduler.published.announce_fallback()

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._pool._calls.submit(fn, args, kwargs, self._policy)

    def map[T](
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        return self._pool._calls.map(self, fn, iterables, timeout, chunksize, buffersize, self._policy)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.__exit__(kind, error, traceback)

    def stats(self) -> DispatchStats:
        """Return how many tasks of this dispatcher ran in workers and in this interpreter, and the reasons."""
        counts = self._policy.counts.stats()
        del counts["in_pinned"]
        return DispatchStats(**counts)
