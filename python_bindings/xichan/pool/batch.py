"""The tasks of one map(): one entry of the scheduler instead of many futures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from .atomic import Sleepers, left_until, wake

if TYPE_CHECKING:
    from .byvalue.published import Definition
    from .call_kinds import Kind, Route
    from .fallback import Policy
    from .scheduler import Scheduler

_MISSING = object()


class _Raised:
    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Batch:
    """Tasks with consecutive ids from ``first``. One thread takes their results, in order.

    items: (args, kwargs) of each task as they are sent. calls: (function, args of each), and kinds, if there is a
    policy that may have tasks run in another interpreter; routes: of those that do, by index.

    1. ``deliver`` stores the result and then reads ``_awaited``; ``_wait`` stores ``_awaited`` and then reads the
       result. Both hold the same GIL, so at least one of them sees what the other stored. Either method that
       stores a result may be repeated.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        function: Any,
        items: list[Any],
        policy: Policy | None = None,
        calls: tuple[Callable[..., Any], list[tuple[Any, ...]]] | None = None,
        kinds: Sequence[Kind] = (),
        routes: dict[int, Route] | None = None,
    ) -> None:
        self.first = -1
        self.sent = False  # the tasks
        self.function = function  # its description, see Scheduler.submit
        self.definition: Definition | None = None  # of the function, while it is published
        self.policy = policy
        self._scheduler = scheduler
        self._items: Any = items
        self._calls: Any = calls
        self._kinds = kinds
        self._routes: dict[int, Route] = {**(routes or {})}
        self._cancelled: set[int] = set()
        self._results: list[Any] = [_MISSING] * len(items)  # a value, or a _Raised
        self._unfinished = len(items)
        self._awaited = -1  # the index of the result that a thread waits for
        self._sleepers: Sleepers = []  # that thread
        self._interrupted: dict[int, str] = {}  # id: why the task is to be interrupted

    def __len__(self) -> int:
        return len(self._results)

    def messages(self, function: Any, indexes: Iterable[int], chunksize: int) -> list[tuple[Any, ...]]:
        """Return the tasks at these indexes as messages. Consecutive ones without external values form chunks."""
        items, first = self._items, self.first
        if chunksize == 1:
            return [(first + index, function, *items[index]) for index in indexes]
        made: list[tuple[Any, ...]] = []
        chunk: list[int] = []
        for index in (*indexes, None):
            alone = index is not None and items[index][1]
            if chunk and (index is None or alone or index != chunk[-1] + 1 or len(chunk) == chunksize):
                made.append((first + chunk[0], function, tuple(items[each][0] for each in chunk), len(chunk)))
                chunk = []
            if index is None:
                break
            if alone:
                made.append((first + index, function, *items[index]))
            else:
                chunk.append(index)
        return made

    # For the scheduler

    def task_ended(self, id: int) -> None:
        if self._kinds and id not in self._cancelled:
            self._kinds[id - self.first].succeeded(self._routes.get(id - self.first))
        self._unfinished -= 1
        if self._unfinished == 0:
            self._items = self._calls = self.definition = None
            self._kinds = ()
            for id in list(self._interrupted):  # see cancellation
                self._scheduler.board.forget(id)

    def note_interrupt(self, id: int, reason: str) -> None:
        self._interrupted.setdefault(id, reason)

    def interrupt_of(self, id: int) -> str | None:
        return self._interrupted.get(id)

    def deliver(self, id: int, value: object) -> None:
        index = id - self.first
        self._results[index] = value
        if self._awaited == index and self._sleepers:  # (1)
            wake(self._sleepers)

    def fail(self, id: int, error: BaseException) -> None:
        self.deliver(id, _Raised(error))

    def mark_cancelled(self, id: int) -> None:
        self._cancelled.add(id)
        self.fail(id, CancelledError())

    def message_of(self, id: int) -> tuple[Any, ...]:
        function = self.function if self.definition is None else self.definition.number
        return (id, function, *self._items[id - self.first])

    def call_of(self, id: int) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        function, args = self._calls
        return function, args[id - self.first], {}

    def kind_of(self, id: int) -> Kind | None:
        return self._kinds[id - self.first] if self._kinds else None

    def route_of(self, id: int) -> Route | None:
        return self._routes.get(id - self.first)

    def move(self, id: int, route: Route) -> None:
        self._routes[id - self.first] = route

    # For the caller of map()

    def results(self, deadline: float | None) -> Iterator[Any]:
        """Yield the results in order. Raises what a task raised, or TimeoutError after the deadline."""
        scheduler, first, number = self._scheduler, self.first, len(self)
        index = 0
        try:
            while index < number:
                index += 1
                yield self._take(index - 1, deadline)
        finally:
            if index < number or self._unfinished:
                scheduler.cancellation.cancel(range(first + index, first + number))

    def _take(self, index: int, deadline: float | None) -> Any:
        result = self._results[index]
        if result is _MISSING:
            result = self._wait(index, deadline)
        self._results[index] = None
        if type(result) is _Raised:
            try:
                raise result.error
            finally:
                result = self = None  # type: ignore[assignment]  # no cycle through the traceback
        return result

    def _wait(self, index: int, deadline: float | None) -> Any:
        self._awaited = index
        while self._results[index] is _MISSING:
            self._scheduler.collector.block(self._sleepers, lambda: self._results[index] is not _MISSING, deadline)
            # A wake-up may come late, for the result awaited before.
            if self._results[index] is _MISSING and left_until(deadline) == 0:
                raise TimeoutError
        return self._results[index]
