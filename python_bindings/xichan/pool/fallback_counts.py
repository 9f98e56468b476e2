"""Counts where the tasks of a policy ran, for the statistics of a pool or a Dispatcher. See fallback."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from .._stats import PoolStats
from .atomic import Counter
from .call_kinds import Route


@dataclasses.dataclass(frozen=True, slots=True)
class DispatchStats:
    """Counts of the tasks of one Dispatcher."""

    in_workers: int
    in_main: int
    reasons: dict[str, int]  # why tasks ran in the main interpreter: how many
    wasted: int  # attempts in workers that ended because a module was refused; each of these tasks ran again


@dataclasses.dataclass(frozen=True)
class FallbackPoolStats(PoolStats):
    """Counts of a pool with ``fallback=``: those of PoolStats and of DispatchStats, and of the pinned interpreter.

    ``reasons`` also has the tasks that ran there.
    """

    in_workers: int
    in_main: int
    in_pinned: int  # tasks that ran in the pinned interpreter, see fallback="pinned"
    reasons: dict[str, int]
    wasted: int


class TaskCounts:
    """The counts of one policy. Methods may be called by any thread. wasted: attempts, see DispatchStats."""

    def __init__(self) -> None:
        self.wasted = Counter()
        self._counts: dict[Route | None, tuple[Counter, Counter]] = {}  # tasks, those that do not count after all

    def counted(self, number: int, routes: Collection[Route] = ()) -> _Counted:
        """Return a context manager that counts the tasks its block submits: to workers, and one for each route.

        They are counted before they are sent, because a worker may refuse one at once.
        """
        return _Counted(self, number, routes)

    def count(self, route: Route | None, number: int = 1, which: int = 0) -> None:
        """Count tasks, or, with ``which=1``, those that were counted and do not count after all."""
        counters = self._counts.get(route) or self._counts.setdefault(route, (Counter(), Counter()))
        if number == 1:
            counters[which].add()
        else:
            counters[which].many(number)()

    def stats(self) -> dict[str, Any]:
        """Return the fields that FallbackPoolStats adds to PoolStats, as a dict."""
        reasons: dict[str, int] = {}
        in_workers = in_main = in_pinned = 0
        for route, (added, less) in list(self._counts.items()):
            number = added.value - less.value
            if route is None:
                in_workers = number
                continue
            if number:
                reasons[route.reason] = reasons.get(route.reason, 0) + number
            if route.pinned:
                in_pinned += number
            else:
                in_main += number
        return {
            "in_workers": in_workers,
            "in_main": in_main,
            "in_pinned": in_pinned,
            "reasons": reasons,
            "wasted": self.wasted.value,
        }


class _Counted:
    """See TaskCounts.counted."""

    __slots__ = ("_counts", "_number", "_routes")

    def __init__(self, counts: TaskCounts, number: int, routes: Collection[Route]) -> None:
        self._counts = counts
        self._number = number
        self._routes = routes

    def __enter__(self) -> None:
        self._count(0)

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if kind is not None:
            self._count(1)

    def _count(self, which: int) -> None:
        if self._number:
            self._counts.count(None, self._number, which)
        for route in self._routes:
            self._counts.count(route, 1, which)
