"""Tasks in worker interpreters, or in the main interpreter if they need a module that only that can load."""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor, Future
from types import ModuleType, SimpleNamespace
from typing import Any, ParamSpec, TypeVar

from .pool.executor import InterpreterPoolExecutor

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Named = Collection[str | ModuleType | Callable[..., Any]]

class Dispatcher(Executor):
    """Runs tasks in a pool's workers or, if these cannot load a module, in threads of this interpreter."""

    def __init__(
        self,
        pool: InterpreterPoolExecutor,
        *,
        main_only: _Named = (),
        anywhere: _Named = (),
        max_threads: int | None = None,
    ) -> None: ...
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]: ...
    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[_T]: ...
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...
    def stats(self) -> SimpleNamespace:
        """A record: in_workers, in_main (tasks submitted by this dispatcher), and reasons: {why in main: how many}."""
