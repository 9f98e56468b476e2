"""Pickles of values that are not shareable. Imported when there is something to pickle, or to load.

A pickle has two parts: bytes, and a tuple of what lies outside them: endpoints and queues, which travel as in any other
message and are released if it is discarded unread, and large buffers (protocol 5), each as a Shared.
"""

from __future__ import annotations

import pickle
from pickle import loads as pickle_loads

from . import _core
from ._errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["decode_error", "dumps", "loads", "make_pickler", "pickle_loads", "share_dump"]


class _Pickler(pickle.Pickler):
    __slots__ = ("reducer_override",)


def make_pickler() -> tuple[Callable[[object], None], Callable[[], None], _core._PickleSink]:
    """Return (dump, clear_memo, sink) of a new Pickler. The sink takes what the Pickler produces."""
    sink = _core._PickleSink()
    pickler = _Pickler(sink, 5, buffer_callback=sink.buffer)
    pickler.reducer_override = sink.reduce
    return pickler.dump, pickler.clear_memo, sink


def dumps(value: object, override: Callable[[Any], Any] | None = None) -> tuple[bytes, tuple[Any, ...]]:
    """Return (data, external), a shareable tuple; ``loads(*result)`` is a copy of the value.

    override: a ``reducer_override``, called for classes and functions, and for objects whose class defines only
    ``__reduce__``.
    """
    return _core._pickle(value, override)


loads = _core._unpickle


def share_dump(data: bytes) -> _core.Shared:
    """Load the pickle of a Shared whose value has no pickle."""
    return _core.share(_core.loads(data))


def decode_error(cause: Exception) -> DecodeError:
    """Return the error for a received pickle that cannot be loaded."""
    error = DecodeError(f"the pickled value cannot be loaded: {type(cause).__qualname__}: {cause}")
    error.__cause__ = cause
    return error
