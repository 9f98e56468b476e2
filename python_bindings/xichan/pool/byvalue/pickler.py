"""Pickles values that channels do not accept, with functions by value. Imported on first use."""

import types
from typing import Any

from ... import _pickling
from ..._errors import NotShareableError
from .functions import describe, importable_name
from .rebuild import by_description

loads = _pickling.loads


class _Pickler(_pickling.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, type):
            if value.__module__ == "__main__":
                raise NotShareableError(
                    f"class {value.__qualname__} of __main__ cannot be sent; define it in a module that workers import"
                )
        elif type(value) is types.FunctionType and importable_name(value) is None:
            data, external, *_ = describe(value)
            return by_description, (data, external)
        return NotImplemented


def dumps(value: object) -> tuple[bytes, tuple[object, ...]]:
    """Return (data, external): a shareable tuple from which ``loads`` makes the value again."""
    return _pickling.dumps(value, _Pickler)
