"""``xichan.InterpreterPoolExecutor``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from os import PathLike
from typing import Any, Literal, ParamSpec, TypeVar

from .._stats import PoolStats

_P = ParamSpec("_P")
_T = TypeVar("_T")

class InterpreterPoolExecutor(Executor):
    """Runs functions in worker interpreters, each on a thread of its own: a ``concurrent.futures.Executor``."""

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        shared: Mapping[str, object] | None = None,
        restart_after: int | None = None,
        pickle: bool = True,
        fallback: Literal["main"] | None = None,
        thread_name_prefix: str = "",
    ) -> None: ...
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run ``fn(*args, **kwargs)`` in a worker: a Future, which can be cancelled until a worker takes the task."""
    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[_T]:
        """As ``map(fn, *iterables)``, run by the workers: an iterator over the results, in order."""
    def run_string(self, code: str, *, shared: Mapping[str, object] | None = None) -> Future[Any]:
        """Run source code as a task; the result is what it leaves under the name ``result``, or None."""
    def run_path(self, file: str | PathLike[str], *, shared: Mapping[str, object] | None = None) -> Future[Any]:
        """As ``run_string``, with a file of source code or a compiled one."""
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; the workers leave when they have done those that there are."""
    def stats(self) -> PoolStats:
        """A record of workers, tasks, and of what was pickled."""
