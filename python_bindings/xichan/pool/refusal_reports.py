"""The modules that a worker refuses to load, as it reports them.

``on_refusal`` is called where a module is refused, see _loader_watch. In a worker of a pool it only takes a note; after
the task ``settle`` sends the notes, because only then it is known whether the task went on without the module. So
nothing is sent, and no interrupt arrives, in the middle of an import. A worker of ``xichan.Workers`` reports at once:
its task may never end.

A report is (module, reason, place, package, whether the task went on without the module). place: of the import, see
_loader_watch.importer. package: that goes on without the module in this interpreter from now on, or None if only a
function does.
"""

from __future__ import annotations

import sys

from .. import _loader_watch
from .._errors import ChannelClosed
from .worker_results import ResultKind, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TRACEBACK = 5  # the index in a result of ResultKind.RAISED


def note() -> None:
    """Take a note of each refused module from now on. The pinned interpreter serves one pool after another."""
    if _on_refusal not in _loader_watch._callbacks:
        _loader_watch.install(_on_refusal)


def watch(send: Callable[[Any], None]) -> None:
    """Send a report of each refused module from now on, and of those that have a note."""
    state.report = send
    note()
    while state.refused:
        _report(*state.refused.pop(0))


def _on_refusal(module: str, reason: str) -> None:
    place = _loader_watch.importer()
    if state.report is None:
        state.refused.append((module, reason, place))
    else:
        _report(module, reason, place)


def _report(module: str, reason: str, place: _loader_watch._Place | None) -> None:
    assert state.report is not None
    try:
        state.report((module, reason, place, None, not _loader_watch.is_optional(place)))
    except ChannelClosed:  # the Workers have ended
        pass


def _package_at(place: _loader_watch._Place | None) -> str | None:
    """Return the name of the package whose module has imported the refused one."""
    if place is None or not place[3] or place[2] == "__main__":
        return None
    first, *others = place[2].split(".")
    is_namespace = getattr(sys.modules.get(first), "__file__", None) is None  # which may have parts of many projects
    return f"{first}.{others[0]}" if others and is_namespace else first


def settle(result: tuple[Any, ...] | None) -> None:
    """Send reports of the modules that were refused since the last call. result: of the task; None: there was none."""
    id = None if result is None else result[0]
    raised = result is not None and len(result) > 2 and result[1] == ResultKind.RAISED
    traceback = result[_TRACEBACK] if raised and result is not None else ""
    while state.refused:
        module, reason, place = note = state.refused.pop(0)
        degraded = not _loader_watch.is_optional(place) and reason not in traceback
        try:
            state.send((id, int(ResultKind.REFUSED), module, reason, place, _package_at(place), degraded))
        except MemoryError:
            state.refused.insert(0, note)  # the next task may have memory
            return
        except ChannelClosed:  # the pool has ended
            return
