from typing import Any

class Stats(dict[str, Any]):
    """A snapshot. ``stats["bytes"]`` and ``stats.bytes`` are the same; ``dict(stats)`` is a plain dict."""

    def __getattr__(self, name: str) -> Any: ...
