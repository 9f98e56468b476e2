"""Closes the endpoints that a task was given with the exception that it raised, and Descriptors that no task gets.

Runs only when a task fails or is cancelled, and at the end of workers.
"""

from __future__ import annotations

import builtins
from types import SimpleNamespace

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from typing import Any
else:
    from _collections import deque  # the import of collections takes a millisecond of the start of a worker

_ENDPOINTS = (_core.Sender, _core.Receiver)
_LEAVES = frozenset({type(None), bool, int, float, complex, str, bytes, bytearray})
_SEQUENCES: tuple[Any, ...] = (tuple, list, set, frozenset, deque)
_MAPPINGS: tuple[Any, ...] = (dict, getattr(builtins, "frozendict", dict))
_EXCEPTION: Any = BaseException
_GROUP: Any = BaseExceptionGroup
_ELEMENT_VIEWS = (_core.TupleView, _core.ListView, _core.SetView)
_MOST_VIEWS = 10_000  # each access makes another view, so those of a value that contains itself never end
_get_attribute = object.__getattribute__


def fail_endpoints(error: BaseException, *values: object) -> None:
    """Close the endpoints in the values with an exception, at any depth, and the Descriptors. Raises nothing.

    Looks where the encoder looks, without running code of a class. The endpoints of pickled arguments, and of a
    function that is sent by value, are beside the pickle.
    """
    try:
        found = _find((*_ENDPOINTS, _core.Descriptor), values)
    except BaseException:  # interrupted, or without memory
        found = [value for value in values if type(value) in _ENDPOINTS]
    for each in found:
        try:
            each.close() if type(each) is _core.Descriptor else each.close(error=error)
        except BaseException:  # interrupted; it is closed
            pass


def close_descriptors(*values: object) -> None:
    """Close the Descriptors in values that are dropped, at any depth. Raises nothing."""
    try:
        for each in _find((_core.Descriptor,), values):
            each.close()
    except BaseException:  # interrupted, or without memory: they are closed when they are dropped
        pass


def contains(kind: type, *values: object) -> bool:
    """Return whether there is an object of a class in the values, at any depth."""
    return bool(_find((kind,), values))


def _find(kinds: tuple[type, ...], values: tuple[object, ...]) -> list[Any]:
    found = []
    seen: dict[int, object] = {}  # holds the objects, so that no other gets their id
    views = 0
    pending: deque[Any] = deque(values)
    while pending:
        value = pending.popleft()
        kind = type(value)
        if kind in _LEAVES or id(value) in seen:
            continue
        seen[id(value)] = value
        if kind in kinds:
            found.append(value)
        elif kind is _core.Shared:  # of a function that is sent by value
            pending.append(value.view())
        elif kind in _ELEMENT_VIEWS or kind is _core.DictView or kind is _core.RecordView:
            views += 1
            if views <= _MOST_VIEWS:
                pending.extend(_parts_of_view(value))
        else:
            pending.extend(_parts_of(value))
    return found


def _parts_of(value: Any) -> Iterable[object]:
    kind = type(value)
    parts: list[object] = []
    for base in _SEQUENCES:
        if issubclass(kind, base):
            parts += base.__iter__(value)
    for base in _MAPPINGS:
        if issubclass(kind, base):
            parts += [*base.keys(value), *base.values(value)]
    if issubclass(kind, BaseException):
        parts += [_EXCEPTION.args.__get__(value), _EXCEPTION.__cause__.__get__(value)]
        if issubclass(kind, BaseExceptionGroup):
            parts.append(_GROUP.exceptions.__get__(value))
    if kind not in _SEQUENCES and kind not in _MAPPINGS and _has_fields(kind):
        parts += _attributes_of(value)
    return parts


def _has_fields(kind: type) -> bool:
    """Return whether objects of a class are sent as attributes, or by a function that it is registered with."""
    from .._records import classes, registry

    return (
        kind is SimpleNamespace
        or issubclass(kind, (tuple, BaseException))
        or (kind.__module__, kind.__qualname__) == ("logging", "LogRecord")
        or classes.is_dataclass(kind)
        or registry.is_registered(kind)
    )


def _attributes_of(value: object) -> list[object]:
    from .._records import classes

    kind = type(value)
    found: list[object] = [_get_attribute(value, "__dict__")] if kind.__dictoffset__ != 0 else []
    for slot in classes.slots_of(kind).values():
        try:
            found.append(slot.__get__(value))
        except AttributeError:  # not set
            pass
    return found


def _parts_of_view(view: Any) -> Iterable[object]:
    kind = type(view)
    if kind is _core.DictView:
        return [part for item in view.items() for part in item]
    if kind is _core.RecordView:
        return [getattr(view, name) for name in dir(view) if not name.startswith("__")]
    return list(view)
