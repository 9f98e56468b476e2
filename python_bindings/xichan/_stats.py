"""Statistics as records: each field is an item and an attribute."""

import dataclasses


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


@dataclasses.dataclass(frozen=True, slots=True)
class PoolStats:
    """Counts of an InterpreterPoolExecutor."""

    workers: int  # alive now
    max_workers: int
    queued: int  # tasks that no worker has taken
    submitted: int  # tasks; each of them becomes one of the next three
    finished: int  # with a result
    failed: int  # with an exception
    cancelled: int
    lost: int  # workers that ended while they ran a task
    replaced: int  # workers whose interpreter was replaced
    pickled_calls: int
    pickled_results: int
