"""The functions of a pool by number: what describes them is published once, and tasks carry the number.

Thread safety: that of the crew, whose lock is held for every call. What is published and what is known change in one
step, see locks, so Ctrl-C leaves nothing behind and no number is used twice.
"""

import itertools

from .. import _core

KEPT = 256  # descriptions that stay published though no task needs them; seen to when the next one comes


class Definition:
    __slots__ = ("number", "data", "uses")

    def __init__(self, number, data):
        self.number = number
        self.data = data
        self.uses = 0  # entries of the crew that have it


class Definitions:
    def __init__(self, prefix):
        self.prefix = prefix
        self._known = {}  # data: Definition, the oldest first
        self._count = 0

    def use(self, entry, data):
        """Give an entry the Definition of a description, until `release`. Returns its number."""
        found = self._known.get(data)
        if found is None:
            if len(self._known) >= KEPT:
                self._forget_oldest()
            found = Definition(self._count, data)
            self._count += 1
            for _ in map(_core.publish, (self._name(found),), (data,)):
                self._known[data] = found
        found.uses += 1
        entry.definition = found
        return found.number

    def release(self, entry):
        """Idempotent."""
        if entry.definition is not None:
            entry.definition.uses -= 1
            entry.definition = None

    def clear(self):
        self._forget(list(self._known.values()))

    def _forget_oldest(self):
        oldest = itertools.islice(self._known.values(), len(self._known) - KEPT + 1)
        self._forget([definition for definition in oldest if definition.uses == 0])

    def _forget(self, definitions):
        for definition in definitions:
            for _ in map(_core.unpublish, (self._name(definition),)):
                del self._known[definition.data]

    def _name(self, definition):
        return f"{self.prefix}{definition.number}"
