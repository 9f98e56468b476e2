"""Request and reply for long-lived workers."""

from collections.abc import Callable
from typing import Any, Self

from ._core import Receiver, Sender

def serve(rx: Receiver[Any], handler: Callable[[Any], object]) -> int:
    """Answer requests with ``handler(value)`` until no more can come. Returns how many there were."""

class Client:
    """Calls those who serve a channel."""

    def __init__(self, tx: Sender[Any]) -> None: ...
    def call(self, value: object, timeout: float | None = None) -> Any:
        """Send a value and wait for the answer to it."""
    def close(self) -> None:
        """Close the Sender. Idempotent."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
