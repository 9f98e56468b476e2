"""The views that keys(), values() and items() of a Map return.

As the views of a dict, they show the Map as it is when they are used. Each iteration takes all entries of one moment.
"""

from __future__ import annotations

from _collections_abc import ItemsView, KeysView, ValuesView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._core import Map


class _Values(ValuesView):
    _mapping: Any

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mapping._list_values())

    def __contains__(self, value: object) -> bool:
        return value in self._mapping._list_values()


class _Items(ItemsView):
    _mapping: Any

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._mapping._list_items())


def keys(table: Map[Any, Any]) -> KeysView[Any]:
    return KeysView(table)  # which iterates over the Map


def values(table: Map[Any, Any]) -> ValuesView[Any]:
    return _Values(table)


def items(table: Map[Any, Any]) -> ItemsView[Any, Any]:
    return _Items(table)
