"""Futures as cases of ``xichan.select`` and ``aselect``.

Each is replaced by a Receiver that is finished when its task is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _core
from .._errors import ChannelClosed
from .futures import Future

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Cases:
    """Cases some of which are futures of a pool. plain: the same cases with Receivers in place of these."""

    def __init__(self, cases: Iterable[Any]) -> None:
        self._futures: list[tuple[Any, Future]] = []
        self.plain = [self._replaced(case) if isinstance(case, Future) else case for case in cases]

    def _replaced(self, future: Future) -> Any:
        completion = future.completion()
        self._futures.append((completion, future))
        return completion

    def result(self, closed: ChannelClosed) -> tuple[Future, Any]:
        """Return the future that is over and its result. Raises its exception; `closed` if that is of another case."""
        for completion, future in self._futures:
            if completion is closed.case:
                return future, future.result(0)
        raise closed


def select(cases: Iterable[Any], timeout: float | None, copy: bool) -> tuple[Any, Any]:
    """Select over cases some of which are futures of a pool."""
    replaced = Cases(cases)
    try:
        return _core.select(replaced.plain, timeout, copy=copy)
    except ChannelClosed as error:
        closed = error
    return replaced.result(closed)


async def aselect(
    cases: Iterable[Any], select: Callable[[list[Any]], Coroutine[Any, Any, tuple[Any, Any]]]
) -> tuple[Any, Any]:
    """Wait for one of such cases. select: waits for one of others."""
    replaced = Cases(cases)
    try:
        return await select(replaced.plain)
    except ChannelClosed as error:
        closed = error
    return replaced.result(closed)
