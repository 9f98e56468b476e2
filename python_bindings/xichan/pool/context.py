"""``context=`` of pools and Workers: context variables of the caller, as those of its tasks.

A task with a context calls ``run_in`` in its worker, which calls the function in a copy of the worker's context, with
the variables set. So the variables are reset afterwards, and other tasks cost nothing more. The variables travel as one
more keyword argument, described as the globals of a function are (byvalue.functions).

This module is imported in workers.
"""

from __future__ import annotations

import contextvars
import functools
import sys
from collections.abc import Callable, Collection

from .._errors import NotShareableError
from . import coroutines
from .byvalue import rebuild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from .byvalue.functions import Description

    type _Variables = Collection[contextvars.ContextVar[Any]]
    type _Chosen = Literal[True] | tuple[contextvars.ContextVar[Any], ...] | None

_KEY = "xichan.context"  # of the keyword argument; a name that no parameter of a function has


def checked(context: bool | _Variables) -> _Chosen:
    """Return the argument ``context``: True, some variables, or None for no context."""
    if isinstance(context, bool):
        return True if context else None
    if isinstance(context, Collection) and not isinstance(context, (str, contextvars.Context)):
        variables = tuple(context)
        if all(isinstance(variable, contextvars.ContextVar) for variable in variables):
            return variables
    raise TypeError(f"context must be True, False or a collection of ContextVar, got {context!r}")


def describe(
    chosen: Literal[True] | _Variables, context: contextvars.Context | None = None, *, pickle: bool
) -> Description:
    """Return the Description of pairs of a variable and its value. context: that of the caller by default.

    Raises NotShareableError, naming the variable that cannot be sent.
    """
    from .byvalue.functions import describe_tuple

    context = contextvars.copy_context() if context is None else context
    variables = context if chosen is True else [variable for variable in chosen if variable in context]
    items: list[tuple[Any, str]] = []
    for variable in variables:
        value = context[variable]
        if _is_decimal(variable, value):
            items += (set_decimal, ""), (_decimal_parts(value), "")
        else:
            place = f"the context has {variable.name!r}"
            items += (variable, place), (value, f"the context variable {variable.name!r} is")
    try:
        return describe_tuple(items, pickle=pickle)
    except NotShareableError as error:
        if chosen is not True:
            raise
        raise NotShareableError(f"{error}; pass only the variables that tasks need: context=(variable, ...)") from error


def attach(
    function: Callable[..., Any], kwargs: dict[str, Any], described: Description
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return function and keyword arguments of a call that runs with described variables."""
    return functools.partial(run_in, function), {**kwargs, _KEY: (described.data, described.external)}


def run_in(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call the function of a task with variables. Runs in the task."""
    pairs = rebuild.by_value(*kwargs.pop(_KEY))
    return contextvars.copy_context().run(_call, pairs, function, args, kwargs)


def _call(pairs: tuple[Any, ...], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for variable, value in zip(pairs[::2], pairs[1::2]):
        if isinstance(variable, contextvars.ContextVar):
            variable.set(value)
        else:
            variable(*value)
    if coroutines.is_function(function):
        return coroutines.run(function, *args, **kwargs)
    return function(*args, **kwargs)


# The context of decimal is in a variable that no module shows.


def _is_decimal(variable: contextvars.ContextVar[Any], value: object) -> bool:
    decimal = sys.modules.get("decimal")
    return variable.name == "decimal_context" and decimal is not None and type(value) is decimal.Context


def _decimal_parts(context: Any) -> tuple[Any, ...]:
    names = [tuple(signal.__name__ for signal, on in found.items() if on) for found in (context.flags, context.traps)]
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, *names


def set_decimal(*parts: Any) -> None:
    """Set the context of decimal."""
    import decimal

    *numbers, flags, traps = parts
    signals = [[getattr(decimal, name) for name in names] for names in (flags, traps)]
    decimal.setcontext(decimal.Context(*numbers, *signals))
