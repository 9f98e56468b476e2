"""Runs coroutine functions as tasks, in one event loop for each thread that does."""

from __future__ import annotations

import threading
import types

from .._errors import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Runner, Task
    from collections.abc import Callable, Coroutine
    from functools import partial
    from typing import Any, TypeGuard

    from .._core import _TaskRunner
else:
    from _functools import partial  # the import of functools takes a millisecond of the start of a worker

CO_COROUTINE = 0x80  # flags of code objects, as in inspect, which takes long to import
CO_ASYNC_GENERATOR = 0x200

_local = threading.local()  # .runner, of asyncio; .tasks, a _TaskRunner


def is_function(function: object) -> TypeGuard[Callable[..., Coroutine[Any, Any, Any]]]:
    """Return whether calling this returns a coroutine."""
    return bool(_flags(function) & CO_COROUTINE)


def is_generator_function(function: object) -> bool:
    """Return whether calling this returns an asynchronous generator."""
    return bool(_flags(function) & CO_ASYNC_GENERATOR)


def _flags(function: object) -> int:
    """Return the flags of the code that a call runs, or 0 if it is not in Python."""
    while isinstance(function, (partial, types.MethodType)):
        function = function.func if isinstance(function, partial) else function.__func__
    if not isinstance(function, types.FunctionType):
        function = vars(type(function)).get("__call__")
    return function.__code__.co_flags if isinstance(function, types.FunctionType) else 0


def attach(tasks: _TaskRunner) -> None:
    """Have interrupts of tasks of this thread cancel the coroutine that runs."""
    _local.tasks = tasks


def run(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
    """Call a coroutine function and run the coroutine. Cancel the asyncio tasks that it leaves running.

    An interrupt cancels the coroutine, which is what asyncio expects. If the event loop does not do so because the
    coroutine computes, Interrupted is raised there, see task_board.h; the loop may have been interrupted instead, so it
    is not used again.
    """
    import asyncio
    import contextvars

    runner: Runner | None = getattr(_local, "runner", None)
    if runner is None:
        runner = _local.runner = asyncio.Runner()
    main = _Main(runner.get_loop())
    _local.tasks.set_wake(main.interrupt)
    try:
        return runner.run(main.run(function(*args, **kwargs)), context=contextvars.copy_context())
    except asyncio.CancelledError:
        if main.interrupted:
            raise Interrupted from None
        raise
    except Interrupted:
        close()
        raise
    finally:
        _local.tasks.set_wake(None)
        if hasattr(_local, "runner"):
            runner.run(_cancel_others())


class _Main:
    """The coroutine of a task."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.interrupted = False
        self._loop = loop
        self._task: Task[Any] | None = None

    async def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        import asyncio

        self._task = asyncio.current_task()
        if self.interrupted:
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine

    def interrupt(self) -> None:
        """Have the event loop cancel the coroutine. Called in another thread of this interpreter."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self.interrupted = True
        if self._task is not None:
            self._task.cancel()


async def _cancel_others() -> None:
    import asyncio

    others = asyncio.all_tasks() - {asyncio.current_task()}
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def close() -> None:
    """Close the event loop of this thread."""
    runner: Runner | None = getattr(_local, "runner", None)
    if runner is not None:
        del _local.runner
        runner.close()
