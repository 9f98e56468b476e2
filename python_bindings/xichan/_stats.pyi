import dataclasses
from typing import Any

class Stats(dict[str, Any]):
    """A snapshot. ``stats["bytes"]`` and ``stats.bytes`` are the same; ``dict(stats)`` is a plain dict."""

    def __getattr__(self, name: str) -> Any: ...

@dataclasses.dataclass(frozen=True, slots=True)
class PoolStats:
    """Counts of an InterpreterPoolExecutor."""

    workers: int
    max_workers: int
    queued: int
    submitted: int
    finished: int
    failed: int
    cancelled: int
    lost: int
    replaced: int
    pickled_calls: int
    pickled_results: int
