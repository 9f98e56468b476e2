"""``channel(type=)``, and the alias of what can be sent. Imported on first use of either."""

from __future__ import annotations

import types
import typing
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def classes_of(wanted: Any) -> tuple[weakref.ref[type], ...] | None:
    """Return weak references to the classes whose instances a typed channel accepts; None if it accepts everything.

    wanted: a class, or a union or tuple of classes, in which None stands for its class. A generic alias stands for its
    origin: the elements of a value are not checked.
    """
    found: dict[type, None] = {}
    pending = [wanted]
    while pending:
        each = pending.pop()
        if each is None:
            each = type(None)
        if isinstance(each, (tuple, types.UnionType)) or typing.get_origin(each) is typing.Union:
            pending.extend(reversed(each if isinstance(each, tuple) else each.__args__))
        elif isinstance(each, typing.TypeAliasType):
            pending.append(each.__value__)
        elif typing.get_origin(each) is typing.Annotated:
            pending.append(each.__origin__)
        elif each is typing.Any or each is object:
            return None
        else:
            found[_class_of(each)] = None
    if not found:
        raise TypeError("type must be a class, or a union or tuple of classes, got an empty tuple")
    return tuple(map(weakref.ref, found))


def _class_of(wanted: Any) -> type:
    origin = typing.get_origin(wanted) or wanted
    origin = getattr(origin, "__supertype__", origin)  # of a NewType
    if not isinstance(origin, type):
        raise TypeError(f"type must be a class, or a union or tuple of classes, got {wanted!r}")
    return origin
