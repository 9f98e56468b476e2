"""Types of the compiled module. What may be sent: str, bytes, int, float, bool, None, ends, and tuples of these."""

from types import GenericAlias, TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeVar, final

from typing_extensions import disjoint_base

_T_co = TypeVar("_T_co", covariant=True)
_T_contra = TypeVar("_T_contra", contravariant=True)

__version__: Final[str]

@disjoint_base
class _End:
    """What Sender and Receiver have in common."""

    @property
    def closed(self) -> bool:
        """This end is closed, or the channel shut down or finished for it."""
    @property
    def id(self) -> int:
        """The same for all ends of a channel, and for no other channel ever."""
    @property
    def capacity(self) -> int:
        """How many values the channel holds at the most."""
    def close(self) -> None:
        """Give this end back; the last one of its side ends the channel for the other. Idempotent, never waits."""
    def clone(self) -> Self:
        """A further end of the same channel and side, to be closed on its own."""
    def shutdown(self, immediate: bool = False) -> None:
        """Close the channel for every end; ``immediate`` discards what is queued. Never waits."""
    @classmethod
    def from_id(cls, id: int, /) -> Self:
        """Open one more end of the channel that has this id, or raise NotFound."""
    def __len__(self) -> int: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

@final
class Sender(_End, Generic[_T_contra]):
    """The sending end of a channel; made by ``xichan.channel()``."""

    def send(self, value: _T_contra, timeout: float | None = None) -> None:
        """Put a value into the channel, waiting up to ``timeout`` seconds while it is full."""
    def send_nowait(self, value: _T_contra, /) -> None:
        """Put a value into the channel without waiting, or raise ChannelFull."""

@final
class Receiver(_End, Generic[_T_co]):
    """The receiving end of a channel; made by ``xichan.channel()``. Iterating receives until nothing can come."""

    def recv(self, timeout: float | None = None) -> _T_co:
        """Take the oldest value, waiting up to ``timeout`` seconds while the channel is empty."""
    def recv_nowait(self) -> _T_co:
        """Take the oldest value without waiting, or raise ChannelEmpty."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...

def channel(capacity: int = 1024, *, flavor: Literal["mpmc"] = "mpmc") -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel and return its two ends."""

def is_shareable(value: object, /) -> bool:
    """Whether a channel takes this value, with all that is in it."""

def set_memory_limit(nbytes: int | None, /) -> None:
    """Bound the bytes of all values on their way in the whole process; None lifts the bound."""

def _memory_stats() -> dict[str, Any]: ...
def _count_alive() -> dict[str, int]: ...
def _end_counts(end: Sender[Any] | Receiver[Any], /) -> dict[str, int]: ...
def _fail_after(countdown: int, /) -> None: ...
