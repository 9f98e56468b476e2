"""Validation of the arguments of pools and workers, and the form in which those of a call are sent."""

from __future__ import annotations

import operator
from typing import Any

from .. import _core
from .._errors import NotShareableError
from .byvalue.functions import describe_unshareable


def positive(name: str, value: int, least: int = 1) -> int:
    """Return a number that must be an int and not less than `least`."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got bool")
    value = operator.index(value)
    if value < least:
        raise ValueError(f"{name} must be greater than {least - 1}, got {value}")
    return value


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
    return (args, None) if _core.is_shareable(args) else pickled(args, kwargs, pickle=pickle, where="these Workers")
