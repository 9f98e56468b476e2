"""Equal waits as one: a hundred workers that wait in the same line are one entry of a report.

The functions take what ``inspect()`` returns, or the records of a page (top/model.py).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from typing import Any

MOST = 4  # names that are listed


def grouped[T](items: Iterable[T], *fields: str) -> list[list[T]]:
    """Return the items in groups that have these attributes in common, in the order of their first ones."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(tuple(getattr(item, field) for field in fields), []).append(item)
    return list(groups.values())


def equal_waits[T](waits: Iterable[T]) -> list[list[T]]:
    """Return waits in groups: the same call at the same line."""
    return grouped(waits, "call", "place", "function", "coroutine", "timeout", "idle")


def times(items: Sequence[object], text: str) -> str:
    """Return the text of one of several equal items with their number."""
    return text if len(items) == 1 else f"{len(items)} x {text}"


def listed(names: Iterable[str], most: int = MOST) -> str:
    """Return different names as a list, of which only the first are named."""
    found = list(dict.fromkeys(names))
    if len(found) > most + 1:
        return f"{', '.join(found[:most])} and {len(found) - most} more"
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def targets(waits: Iterable[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids of the channels and objects that waits are for."""
    channels = dict.fromkeys(id for wait in waits for id in wait.channels)
    return tuple(channels), tuple(dict.fromkeys(id for wait in waits for id in wait.objects))
