"""Pickles values that channels do not accept, with functions by value. Imported on first use."""

import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

from ... import _pickling
from ..._errors import NotShareableError
from .functions import Cached, describe, importable_name
from .importable import is_importable
from .rebuild import by_description

loads = _pickling.loads


def _make_reducer(is_known: Callable[[str], bool]) -> Callable[[Any], Any]:
    """Return a ``reducer_override``. is_known: whether the receiver finds what is pickled by its name in a module."""

    def reduce(value: Any) -> Any:
        kind = type(value)
        if isinstance(value, type):
            if not is_known(value.__module__):
                raise NotShareableError(f"class {value.__qualname__} of {_refusal(value.__module__)}")
        elif kind is types.FunctionType or kind is Cached:
            if importable_name(value) is None:
                data, external, *_ = describe(value)
                return by_description, (data, external)
        else:
            reduced = value.__reduce__()
            if isinstance(reduced, str):  # the name of a global
                module = pickle.whichmodule(value, reduced)  # type: ignore[attr-defined]
                if not is_known(module):
                    raise NotShareableError(f"{reduced} of {_refusal(module)}")
            return reduced
        return NotImplemented

    return reduce


_reduce = _make_reducer(is_importable)
_reduce_reply = _make_reducer(lambda module: module != "__main__")  # the client may be in this interpreter


def _refusal(module: str) -> str:
    """Return the end of an error message: a module that workers cannot import, and the remedy."""
    if module == "__main__":
        where = module
    else:
        origin = getattr(getattr(sys.modules.get(module), "__spec__", None), "origin", None)
        reason = f"a search of sys.path does not find {origin}" if origin else "it has no file"
        where = f"{module}, which workers cannot import ({reason}),"
    return f"{where} cannot be sent; define it in a module that workers import"


def dumps(value: object) -> tuple[bytes, tuple[object, ...]]:
    """Return (data, external): a shareable tuple from which ``loads`` makes the value again in a worker."""
    return _pickling.dumps(value, _reduce)


def dumps_reply(value: object) -> tuple[bytes, tuple[object, ...]]:
    """Return the same for an interpreter that is not known."""
    return _pickling.dumps(value, _reduce_reply)
