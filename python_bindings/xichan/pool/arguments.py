"""Validation of the arguments of pools and workers, and the form in which those of a call are sent."""

from __future__ import annotations

import operator
from collections.abc import Collection, Mapping
from typing import Any

from .. import _core
from .._errors import NotShareableError
from . import threads
from .byvalue.functions import describe_unshareable


def positive(name: str, value: int, least: int = 1) -> int:
    """Return a number that must be an int and not less than `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    value = operator.index(value)
    if value < least:
        expected = "greater than 0" if least == 1 else f"at least {least}"  # as in concurrent.futures
        raise ValueError(f"{name} must be {expected}, got {value}")
    return value


def startable(name: str, value: int, least: int = 1) -> int:
    """Return a number of workers to start in advance: each needs a thread, and the system limits the number of those."""
    value = positive(name, value, least)
    most = threads.most()
    if value > most:
        raise ValueError(f"{name} must be at most {most}, the number of threads that this system can have, got {value}")
    return value


def module_names(name: str, value: Collection[str]) -> tuple[str, ...]:
    """Return the names of modules in an argument."""
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise TypeError(f"{name} must be a collection of names of modules, got {value!r}")
    return tuple(value)


def named_values(shared: Mapping[str, object] | None) -> dict[str, object]:
    """Return the argument ``shared`` as a dict."""
    values = dict(shared or {})
    for name in values:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"names in shared must be identifiers, got {name!r}")
    return values


def check_stdout(stdout: object) -> None:
    if stdout not in (None, "forward"):
        raise ValueError(f"stdout must be None or 'forward', got {stdout!r}")


def pickled(
    args: tuple[Any, ...], kwargs: dict[str, Any], *, pickle: bool, where: str
) -> tuple[bytes, tuple[object, ...]]:
    """Return pickled arguments, as (data, external values). where: who was created with pickle=False."""
    if not pickle:
        raise NotShareableError(f"{describe_unshareable(args, kwargs)}; {where} was created with pickle=False")
    from .byvalue.pickler import dumps

    try:
        return dumps((args, kwargs))
    except NotShareableError:
        raise
    except Exception as error:
        raise NotShareableError(f"{describe_unshareable(args, kwargs)}; pickling it failed: {error}") from error


def prepared(args: tuple[Any, ...], kwargs: dict[str, Any], *, pickle: bool) -> tuple[Any, Any]:
    """Return the arguments of a target in the form in which they are sent."""
    pairs = tuple(kwargs.items())
    if _core.is_shareable((args, pairs)):
        return args, pairs or None
    return pickled(args, kwargs, pickle=pickle, where="these Workers")
