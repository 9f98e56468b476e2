"""The functions of tasks in a worker: made from their descriptions, kept, and called."""

from __future__ import annotations

import gc
from _weakref import ref  # the import of weakref takes milliseconds

from .. import _core
from . import coroutines
from .byvalue import rebuild
from .task_names import name_of
from .worker_results import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import partial
    from typing import Any
else:
    from _functools import partial  # the import of functools takes a millisecond of the start of a worker

FUNCTION_CACHE_SIZE = 256


def call(functions: dict[Any, Any], function: Any, args: Any, kwargs: Any) -> Any:
    """Call the function of a task. functions: those that are kept, by number."""
    if type(args) is bytes:
        args, kwargs = loads(args, kwargs)
    made = functions.get(function) if type(function) is not tuple else None  # a tuple may hold a list
    if made is None:
        made = _load(functions, function)
    return made(*args, **dict(kwargs)) if kwargs else made(*args)


def _load(functions: dict[Any, Any], function: Any) -> Any:
    """Return the callable of a task."""
    if type(function) is tuple:
        description, external = function
        reader = rebuild.Reader(description, external, state.shared)
        if external:
            state.once = list(map(ref, reader.functions))
        state.runner.show(name_of(reader.root))
        return _runnable(reader.root)
    data = _core.lookup(f"{state.prefix}{function}")
    made = rebuild.by_name(data) if isinstance(data, str) else rebuild.by_value(data, (), state.shared)
    if len(functions) >= FUNCTION_CACHE_SIZE:
        del functions[next(iter(functions))]
    made = functions[function] = _runnable(made)
    show(functions, function)
    return made


def show(functions: dict[Any, Any], number: int) -> None:
    """Show the name of a function in the page; until it is loaded, none."""
    state.runner.show(name_of(functions[number]) if number in functions else "")


def _runnable(function: Any) -> Any:
    """Return the function, or for a coroutine function one that runs the coroutine to its end."""
    if not coroutines.is_function(function):
        return function
    return partial(coroutines.run, function)


def loads(data: bytes, external: tuple[Any, ...]) -> Any:
    """Return what a pickle describes: the (args, kwargs) of a call."""
    from .. import _pickling

    return _pickling.loads(data, external)


def drop_once(once: list[ref[Any]]) -> None:
    """Close the endpoints that came with the functions of a task, including those in reference cycles."""
    if any(function() is not None for function in once):
        gc.collect()
