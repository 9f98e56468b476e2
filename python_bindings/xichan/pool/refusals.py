"""The modules that the workers of a pool refuse to load: recorded for ``stats()``, and warned of."""

from __future__ import annotations

import collections
import sys
import threading
import warnings
from typing import TYPE_CHECKING

from .errors import RefusedModuleWarning

if TYPE_CHECKING:
    from .._loader_watch import _Place
    from .._stats import RefusedModule

    type _Record = tuple[str, str | None, int, bool]  # the fields of RefusedModule

DEGRADED = ("warn", "ignore", "main")
_warned: dict[str, object] = {}  # the modules of which the program has been warned


class Refusals:
    """What one pool, or one Workers, knows of refused modules. degraded: see InterpreterPoolExecutor.

    One thread calls ``add``; any code may call the other methods at any time.
    """

    def __init__(self, degraded: str) -> None:
        self.degraded = degraded
        self._records: dict[str, _Record] = {}  # by name; replaced as a whole, in one step
        self._due: collections.deque[tuple[str, str, _Place | None]] = collections.deque()  # warnings to issue

    def add(self, module: str, reason: str, place: _Place | None, degraded: bool) -> bool:
        """Record a refusal. Return whether ``call_back`` has to be called: there is something to warn of.

        degraded: whether what imported the module went on without it.
        """
        first = None if place is None else f"{place[0]}:{place[1]}"
        reason, first, workers, before = self._records.get(module, (reason, first, 0, False))
        self._records[module] = reason, first, workers + 1, before or degraded
        token = object()
        if self.degraded != "warn" or not degraded or _warned.setdefault(module, token) is not token:
            return False
        self._due.append((module, reason, place))
        return True

    def call_back(self) -> None:
        """Issue the warnings that are due. This may run code of the program."""
        while self._due:
            try:
                module, reason, place = self._due.popleft()
            except IndexError:
                return  # another thread has taken the last one
            file, line, importer, _ = place or ("<worker>", 0, "xichan", False)
            text = (
                f"workers cannot load {module}: {reason}. {importer} goes on without it: it may be slower, or lack "
                "functions"
            )
            try:
                warnings.warn_explicit(text, RefusedModuleWarning, file, line, importer)
            except Exception:  # a filter has made it an error, or a hook of the program fails
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def stats(self) -> dict[str, RefusedModule]:
        """Return a record of each module, by name."""
        from .._stats import RefusedModule

        return {module: RefusedModule(*record) for module, record in self._records.copy().items()}


def check_degraded(degraded: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless the value is one of those that are allowed."""
    if degraded not in allowed:
        raise ValueError(f"degraded must be {', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}, got {degraded!r}")
