"""Results of keys(), values() and items() of a DictView."""

from collections.abc import ItemsView, KeysView, ValuesView

_KEYS, _VALUES, _ITEMS = range(3)


class DictKeys(KeysView):
    """The keys of a DictView. Set operations return a plain set."""

    __slots__ = ()

    def __iter__(self):
        return self._mapping._iterate(_KEYS, False)

    def __reversed__(self):
        return self._mapping._iterate(_KEYS, True)


class DictValues(ValuesView):
    """The values of a DictView."""

    __slots__ = ()

    def __iter__(self):
        return self._mapping._iterate(_VALUES, False)

    def __reversed__(self):
        return self._mapping._iterate(_VALUES, True)

    def __contains__(self, value):
        return any(each is value or each == value for each in self)


class DictItems(ItemsView):
    """The pairs of key and value of a DictView. Set operations return a plain set."""

    __slots__ = ()

    def __iter__(self):
        return self._mapping._iterate(_ITEMS, False)

    def __reversed__(self):
        return self._mapping._iterate(_ITEMS, True)

    def __contains__(self, item):
        return isinstance(item, tuple) and len(item) == 2 and super().__contains__(item)
