"""Statistics as records: each field is an item and an attribute."""


class Stats(dict):
    """A snapshot. ``stats["bytes"]`` and ``stats.bytes`` are the same; ``dict(stats)`` is a plain dict."""

    __slots__ = ()
    __module__ = "xichan"

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no statistic {name!r}; there are {', '.join(self)}") from None

    def __repr__(self):
        return f"Stats({', '.join(f'{name}={value!r}' for name, value in self.items())})"
