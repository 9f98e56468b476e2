"""The functions of a pool by number: what describes them is published once, and tasks carry the number.

Thread safety: that of the crew, whose lock is held for every call.
"""

from .. import _core

KEPT = 256  # descriptions that stay published though no task needs them


class Definition:
    __slots__ = ("number", "data", "uses")

    def __init__(self, number, data):
        self.number = number
        self.data = data
        self.uses = 0  # tasks that are not over, or batches of tasks


class Definitions:
    def __init__(self, prefix):
        self.prefix = prefix
        self._known = {}  # data: Definition, the oldest first
        self._count = 0

    def use(self, data):
        """The Definition of a description, to be released."""
        found = self._known.get(data)
        if found is None:
            found = Definition(self._count, data)
            _core.publish(f"{self.prefix}{found.number}", data)
            self._count += 1
            self._known[data] = found
            if len(self._known) > KEPT:
                self._forget_oldest()
        found.uses += 1
        return found

    def release(self, definition):
        definition.uses -= 1

    def clear(self):
        for definition in self._known.values():
            _core.unpublish(f"{self.prefix}{definition.number}")
        self._known.clear()

    def _forget_oldest(self):
        for definition in list(self._known.values())[: len(self._known) - KEPT]:
            if definition.uses == 0 and definition.number != self._count - 1:
                del self._known[definition.data]
                _core.unpublish(f"{self.prefix}{definition.number}")
