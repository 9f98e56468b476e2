"""Functions by number: a description is published once, and tasks carry its number.

A Definition lives as long as something refers to it: the newest ones, the entries whose tasks carry the number, and a
submission in progress. So any code may use the definitions at any time, without a lock.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from ... import _core
from ..._errors import Error
from .functions import function_name

if TYPE_CHECKING:
    from ..batch import Batch
    from ..futures import Future

CACHE_SIZE = 256  # descriptions kept although no task uses them


class Definition:
    """A published description. number: by which tasks refer to it, unique in the pool; or another name."""

    # The finalizer is an object implemented in C, in a slot, because a signal handler could interrupt a method.
    __slots__ = ("__del__", "number")

    def __init__(self, prefix: str, number: Any, data: object) -> None:
        name = f"{prefix}{number}"
        self.number = number
        unpublish = functools.partial(_core.unpublish, name)
        for _ in map(_core.publish, (name,), (data,)):  # see interrupt_safe
            self.__del__ = unpublish


class PublishedDefinitions:
    """The definitions of one pool. prefix: of the names under which they are published."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._known: dict[str | bytes, Definition] = {}  # by data, the oldest first
        self._numbers = itertools.count()
        self._fallback: Definition | None = None

    def use(self, entry: Future | Batch, data: str | bytes) -> int:
        """Attach the Definition of a description to an entry, until its tasks have ended. Returns its number."""
        found = self._known.get(data)
        if found is None:
            while len(self._known) >= CACHE_SIZE:
                self._forget_oldest()
            found = self._known.setdefault(data, Definition(self.prefix, next(self._numbers), data))
        entry.definition = found
        return found.number

    def name_of(self, definition: Definition | None) -> str:
        """Return the name of the function of a Definition for messages; "?" if it is not known any more."""
        for data, known in list(self._known.items()):
            if known is definition:
                return function_name(data)
        return "?"

    def announce_fallback(self) -> None:
        """Have workers leave the streams of tasks open that the main interpreter may run again."""
        try:
            self._fallback = Definition(self.prefix, "fallback", True)
        except Error:
            pass  # announced before

    def clear(self) -> None:
        self._known.clear()
        self._fallback = None

    def _forget_oldest(self) -> None:
        try:
            del self._known[next(iter(self._known))]
        except (KeyError, RuntimeError, StopIteration):
            pass  # other code has changed them meanwhile
