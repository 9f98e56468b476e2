"""Pickles values that channels do not accept, with functions by value. Imported on first use."""

import pickle
import sys
import types
from typing import Any

from ... import _pickling
from ..._errors import NotShareableError
from .functions import Cached, describe, importable_name
from .importable import is_importable
from .rebuild import by_description

loads = _pickling.loads


_reduce: Any = object.__reduce__
_reduce_ex: Any = object.__reduce_ex__


class _Pickler(_pickling.Pickler):
    def is_known(self, module: str) -> bool:
        """Return whether the receiver finds what is pickled by its name in a module."""
        return is_importable(module)

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, type):
            if not self.is_known(value.__module__):
                raise NotShareableError(f"class {value.__qualname__} of {_refusal(value.__module__)}")
        elif kind is types.FunctionType or kind is Cached:
            if importable_name(value) is None:
                data, external, *_ = describe(value)
                return by_description, (data, external)
        elif kind.__reduce__ is not _reduce and kind.__reduce_ex__ is _reduce_ex:
            reduced = value.__reduce__()
            if isinstance(reduced, str):  # the name of a global
                module = pickle.whichmodule(value, reduced)  # type: ignore[attr-defined]
                if not self.is_known(module):
                    raise NotShareableError(f"{reduced} of {_refusal(module)}")
            return reduced
        return NotImplemented


class _ReplyPickler(_Pickler):
    def is_known(self, module: str) -> bool:
        return module != "__main__"  # the client may be in this interpreter


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
    return _pickling.dumps(value, _Pickler)


def dumps_reply(value: object) -> tuple[bytes, tuple[object, ...]]:
    """Return the same for an interpreter that is not known."""
    return _pickling.dumps(value, _ReplyPickler)
