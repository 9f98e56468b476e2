"""Runs coroutine functions as tasks, in one event loop for each thread that does."""

from __future__ import annotations

import functools
import threading
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Runner
    from collections.abc import Callable, Coroutine
    from typing import Any

CO_COROUTINE = 0x80  # flags of code objects, as in inspect, which takes long to import
CO_ASYNC_GENERATOR = 0x200

_local = threading.local()  # .runner


def is_function(function: object) -> bool:
    """Return whether calling this returns a coroutine."""
    return bool(_flags(function) & CO_COROUTINE)


def is_generator_function(function: object) -> bool:
    """Return whether calling this returns an asynchronous generator."""
    return bool(_flags(function) & CO_ASYNC_GENERATOR)


def _flags(function: object) -> int:
    """Return the flags of the code that a call runs, or 0 if it is not in Python."""
    while isinstance(function, (functools.partial, types.MethodType)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    if not isinstance(function, types.FunctionType):
        function = vars(type(function)).get("__call__")
    return function.__code__.co_flags if isinstance(function, types.FunctionType) else 0


def run(function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
    """Call a coroutine function and run the coroutine. Cancel the asyncio tasks that it leaves running."""
    import contextvars

    runner: Runner | None = getattr(_local, "runner", None)
    if runner is None:
        import asyncio

        runner = _local.runner = asyncio.Runner()
    try:
        return runner.run(function(*args, **kwargs), context=contextvars.copy_context())
    finally:
        runner.run(_cancel_others())


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
