"""Functions by number: a description is published once, and tasks carry its number.

Thread safety: the scheduler's lock is held for every call. Publishing a description and recording it happen in one
step, see interrupt_safe: Ctrl-C leaves nothing behind, and no number is used twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ... import _core

if TYPE_CHECKING:
    from ..batch import Batch
    from ..futures import Future

CACHE_SIZE = 256  # descriptions kept although no task uses them; enforced when the next one is published


class Definition:
    """A published description."""

    __slots__ = ("number", "data", "uses")

    def __init__(self, number: int, data: str | bytes) -> None:
        self.number = number
        self.data = data
        self.uses = 0  # in-flight entries that refer to it


class PublishedDefinitions:
    """The definitions of one pool. prefix: of the names under which they are published."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._known: dict[str | bytes, Definition] = {}  # by data, the oldest first
        self._count = 0

    def use(self, entry: Future | Batch, data: str | bytes) -> int:
        """Attach the Definition of a description to an entry, until `release`. Returns its number."""
        found = self._known.get(data)
        if found is None:
            if len(self._known) >= CACHE_SIZE:
                self._unpublish_oldest()
            found = Definition(self._count, data)
            self._count += 1
            for _ in map(_core.publish, (self._name(found),), (data,)):
                self._known[data] = found
        found.uses += 1
        entry.definition = found
        return found.number

    def release(self, entry: Future | Batch) -> None:
        """Detach the Definition from an entry. Idempotent."""
        if entry.definition is not None:
            entry.definition.uses -= 1
            entry.definition = None

    def clear(self) -> None:
        self._unpublish(list(self._known.values()))

    def _unpublish_oldest(self) -> None:
        oldest = itertools.islice(self._known.values(), len(self._known) - CACHE_SIZE + 1)
        self._unpublish([definition for definition in oldest if definition.uses == 0])

    def _unpublish(self, definitions: Iterable[Definition]) -> None:
        for definition in definitions:
            for _ in map(_core.unpublish, (self._name(definition),)):
                del self._known[definition.data]

    def _name(self, definition: Definition) -> str:
        return f"{self.prefix}{definition.number}"
