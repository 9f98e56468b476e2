"""The channels of PEP 554, with the interface of CPython's own wrapper (``test.support.channels``)."""

from collections.abc import Buffer
from typing import Any, Self, final, overload

from .._errors import ChannelClosed, ChannelEmpty, Error, NotFound

__all__ = [
    "UNBOUND",
    "UNBOUND_ERROR",
    "UNBOUND_REMOVE",
    "ChannelClosedError",
    "ChannelEmptyError",
    "ChannelError",
    "ChannelNotEmptyError",
    "ChannelNotFoundError",
    "ItemInterpreterDestroyed",
    "RecvChannel",
    "SendChannel",
    "create",
    "list_all",
]

class ChannelError(Error, RuntimeError): ...
class ChannelNotFoundError(ChannelError, NotFound): ...
class ChannelClosedError(ChannelError, ChannelClosed): ...
class ChannelEmptyError(ChannelError, ChannelEmpty): ...
class ChannelNotEmptyError(ChannelError): ...
class ItemInterpreterDestroyed(ChannelError): ...

@final
class _Unbound: ...

UNBOUND: _Unbound
UNBOUND_ERROR: _Unbound
UNBOUND_REMOVE: _Unbound

def create(*, unbounditems: _Unbound | None = ...) -> tuple[RecvChannel, SendChannel]:
    """Make a channel and return its two ends, (RecvChannel, SendChannel)."""

def list_all() -> list[tuple[RecvChannel, SendChannel]]:
    """The two ends, (RecvChannel, SendChannel), of every channel that is not closed."""

class _ChannelEnd:
    def __init__(self, cid: int) -> None: ...
    @property
    def id(self) -> int:
        """That of the channel."""
    @property
    def is_closed(self) -> bool: ...
    def close(self) -> None: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[type[Self], tuple[int]]: ...

class RecvChannel(_ChannelEnd):
    """The receiving end of a channel, for any thread."""

    def recv(self, timeout: float | None = None) -> Any:
        """Receive the oldest item, waiting for it up to ``timeout`` seconds."""
    @overload
    def recv_nowait(self) -> Any:
        """Receive the oldest item without waiting, or raise ChannelEmptyError."""
    @overload
    def recv_nowait(self, default: object) -> Any:
        """Receive the oldest item without waiting, or return the default."""

class SendChannel(_ChannelEnd):
    """The sending end of a channel, for any thread."""

    @property
    def unbounditems(self) -> _Unbound:
        """What ``create`` was told."""
    def send(self, obj: object, timeout: float | None = None, *, unbounditems: _Unbound | None = None) -> None:
        """Send an object and wait until it is received."""
    def send_nowait(self, obj: object, *, unbounditems: _Unbound | None = None) -> None:
        """Send an object without waiting; any number may be queued."""
    def send_buffer(self, obj: Buffer, timeout: float | None = None, *, unbounditems: _Unbound | None = None) -> None:
        """As ``send``; what arrives is a memoryview of a copy of the object's buffer."""
    def send_buffer_nowait(self, obj: Buffer, *, unbounditems: _Unbound | None = None) -> None:
        """As ``send_nowait``; what arrives is a memoryview of a copy of the object's buffer."""
