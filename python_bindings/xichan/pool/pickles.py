"""Pickles of what channels do not take, with functions by value. Imported when there is something to pickle."""

import types

from .. import _pickling
from .._errors import NotShareableError
from .functions import describe, importable
from .rebuild import by_description

loads = _pickling.loads


class _Pickler(_pickling.Pickler):
    def reducer_override(self, value):
        if isinstance(value, type):
            if value.__module__ == "__main__":
                raise NotShareableError(
                    f"class {value.__qualname__} of __main__ cannot be sent: put it into a module that others import"
                )
        elif type(value) is types.FunctionType and importable(value) is None:
            data, beside, *_ = describe(value)
            return by_description, (data, beside)
        return NotImplemented


def dumps(value):
    """Returns (data, beside): a shareable tuple, from which ``loads`` makes the value again."""
    return _pickling.dumps(value, _Pickler)
