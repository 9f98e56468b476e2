"""Classes that the program registers, each with a function to encode and one to decode its objects."""

from __future__ import annotations

from .. import _core
from . import MAKE, REDUCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from . import _Plan, _Resolved

_registered: dict[type, tuple[Callable[[Any], object], Callable[[Any], object]]] = {}


def register[T](cls: type[T], encode: Callable[[T], object], decode: Callable[[Any], T]) -> None:
    """Send objects of a class as the values that a function makes of them.

    ``encode(obj)`` returns a shareable value, and ``decode(value)`` returns an object from it in the receiver. Each
    interpreter registers its own classes, best in the module of the class: the receiver imports it. A subclass is
    registered separately. Registering a class again replaces its functions.
    """
    if not isinstance(cls, type):
        raise TypeError(f"expected a class, got {type(cls).__name__}")
    for name, function in (("encode", encode), ("decode", decode)):
        if not callable(function):
            raise TypeError(f"{name} must be callable, got {type(function).__name__}")
    from .standard import is_native

    if is_native(cls):
        raise ValueError(f"{cls.__qualname__} needs no registration: xichan sends it as it is")
    _registered[cls] = encode, decode
    _core._forget_plan(cls)


def is_registered(cls: type) -> bool:
    """Return whether this interpreter has registered a class."""
    return cls in _registered


def plan(cls: type) -> _Plan | None:
    """Return the plan of a class if it is registered."""
    if cls not in _registered:
        return None
    reference = (cls.__module__, cls.__qualname__, "registered", ("encoded",))

    def reduce(obj: object) -> tuple[Any, ...]:
        return reference, _registered[cls][0](obj)

    return REDUCE, reference, reduce


def resolve(cls: type) -> _Resolved:
    """Return how objects of a registered class are made."""
    if cls not in _registered:
        name = f"{cls.__module__}.{cls.__qualname__}"
        raise LookupError(f"{name} is not registered in this interpreter: call xichan.register() in its module")

    def make(value: object) -> object:
        made = _registered[cls][1](value)
        if not isinstance(made, cls):
            raise TypeError(f"decode() must return an object of {cls.__qualname__}, got {type(made).__name__}")
        return made

    return MAKE, cls, make, None


register.__module__ = "xichan"
