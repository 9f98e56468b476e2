"""What a task with options calls in its worker, see options. Imports little, because the worker pays for it."""

from __future__ import annotations

from .. import _core
from .._errors import Error
from . import coroutines
from .worker_results import local, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

senders: dict[str, _core.Sender[Any]] = {}  # of reports, by prefix


def run_with(function: Callable[..., Any], deadline: float | None, copy: bool, *args: Any, **kwargs: Any) -> Any:
    """Call the function of a task with options. Runs in the task."""
    if deadline is not None:
        id, prefix = getattr(local, "task", (state.running, state.prefix))
        _report(id, prefix, deadline)
    if coroutines.is_function(function):
        value = coroutines.run(function, *args, **kwargs)
    else:
        value = function(*args, **kwargs)
    return value if copy else _core.share(value)


def _report(id: int | None, prefix: str, deadline: float) -> None:
    sender = senders.get(prefix)
    try:
        if sender is None:
            sender = senders[prefix] = _core.Sender.lookup(name_of_deadlines(prefix))
        sender.send((id, deadline))
    except Error:  # the pool is closing
        pass


def name_of_deadlines(prefix: str) -> str:
    """Return the name of the channel of reports. prefix: of the names of the pool."""
    return f"{prefix}deadlines"
