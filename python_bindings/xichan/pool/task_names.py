"""What the page of the process shows of a worker, see src/page/rows.h: its state, and the name of its function."""

from __future__ import annotations

import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import partial
    from typing import Any
else:
    from _functools import partial  # the import of functools takes a millisecond of the start of a worker


class WorkerState:  # plain numbers: an enum would take a millisecond of the start of a worker
    """Numbers of WorkerRow::State."""

    READY = 1
    ENDED = 2


def name_of(function: Any) -> str:
    """Return the qualified name of the function that a task calls. Runs no code of the program."""
    while isinstance(function, partial):
        # The pool calls some functions by one of its own, whose first argument they are.
        module = function.func.__module__ if isinstance(function.func, types.FunctionType) else None
        is_wrapped = isinstance(module, str) and module.startswith("xichan.pool.") and function.args
        function = function.args[0] if is_wrapped else function.func
    if isinstance(function, types.MethodType):
        function = function.__func__
    if isinstance(function, (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType)):
        return function.__qualname__
    return (function if isinstance(function, type) else type(function)).__name__
