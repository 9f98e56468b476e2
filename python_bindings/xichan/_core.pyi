"""Types of the compiled module. What may be sent: str, bytes, int, float, bool, None, ends, and tuples of these."""

from collections.abc import Buffer, Coroutine, Iterable
from types import GenericAlias, TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeVar, final

from typing_extensions import disjoint_base

from ._stats import Stats

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
    def capacity(self) -> int | None:
        """How many values the channel holds at the most; None for any number."""
    @property
    def name(self) -> str | None:
        """The name by which lookup() finds the channel; None once this end is closed."""
    def close(self) -> None:
        """Give this end back; the last one of its side ends the channel for the other. Idempotent, never waits."""
    def clone(self) -> Self:
        """A further end of the same channel and side, to be closed on its own."""
    def shutdown(self, immediate: bool = False) -> None:
        """Close the channel for every end; ``immediate`` discards what is queued. Never waits."""
    @classmethod
    def from_id(cls, id: int, /) -> Self:
        """Open one more end of the channel that has this id, or raise NotFound."""
    def stats(self) -> Stats:
        """A record of the channel's depth, counts of messages, ends and waiting calls."""
    def fileno(self) -> int:
        """A descriptor for other event loops: watch it for reading after a _nowait call found this end not ready."""
    def __len__(self) -> int: ...
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> Coroutine[Any, Any, None]: ...

@final
class Sender(_End, Generic[_T_contra]):
    """The sending end of a channel; made by ``xichan.channel()``."""

    def send(self, value: _T_contra, timeout: float | None = None) -> None:
        """Put a value into the channel, waiting up to ``timeout`` seconds while it is full."""
    def send_nowait(self, value: _T_contra, /) -> None:
        """Put a value into the channel without waiting, or raise ChannelFull."""
    def send_many(self, values: Iterable[_T_contra], timeout: float | None = None) -> int:
        """Put all values into the channel, waiting up to ``timeout`` seconds in all; how many were sent."""
    def asend(self, value: _T_contra) -> Coroutine[Any, Any, None]:
        """Put a value into the channel, waiting in the running asyncio event loop."""
    def asend_many(self, values: Iterable[_T_contra]) -> Coroutine[Any, Any, int]:
        """Put all values into the channel, waiting in the running asyncio event loop; how many were sent."""

@final
class Receiver(_End, Generic[_T_co]):
    """The receiving end of a channel; made by ``xichan.channel()``. Iterating receives until nothing can come."""

    def recv(self, timeout: float | None = None) -> _T_co:
        """Take the oldest value, waiting up to ``timeout`` seconds while the channel is empty."""
    def recv_nowait(self) -> _T_co:
        """Take the oldest value without waiting, or raise ChannelEmpty."""
    def recv_many(self, max_items: int, timeout: float | None = None) -> list[_T_co]:
        """Wait for one value and take with it what else is there, up to ``max_items``."""
    def drain(self) -> list[_T_co]:
        """Take all that is there now, without waiting."""
    def arecv(self) -> Coroutine[Any, Any, _T_co]:
        """Take the oldest value, waiting in the running asyncio event loop."""
    def arecv_many(self, max_items: int) -> Coroutine[Any, Any, list[_T_co]]:
        """As recv_many(), waiting in the running asyncio event loop."""
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, _T_co]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...

def channel(
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
) -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel and return its two ends."""

def select(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]], timeout: float | None = None
) -> tuple[Receiver[Any] | tuple[Sender[Any], Any], Any]:
    """Wait for the first case that can go ahead, and do that one alone; (case, value)."""

def aselect(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]],
) -> Coroutine[Any, Any, tuple[Receiver[Any] | tuple[Sender[Any], Any], Any]]:
    """As select(), waiting in the running asyncio event loop."""

def lookup_sender(name: str, timeout: float | None = 0) -> Sender[Any]:
    """Open a Sender of the channel made with this name, waiting up to ``timeout`` seconds for it."""

def lookup_receiver(name: str, timeout: float | None = 0) -> Receiver[Any]:
    """Open a Receiver of the channel made with this name, waiting up to ``timeout`` seconds for it."""

def lookup(name: str, timeout: float | None = 0) -> Any:
    """The value published under a name, or (Sender, Receiver) of the channel made with it."""

def publish(name: str, value: object) -> None:
    """Keep a value under a name for every interpreter, until unpublish()."""

def unpublish(name: str, /) -> None:
    """End a published name."""

def channels() -> list[Stats]:
    """The stats() of every channel alive in the process."""

def memory_stats() -> Stats:
    """Counters of the process-wide arena: ``blocks``, ``bytes``, ``high_water``, ``limit``."""

def dumps(value: object, /) -> bytes:
    """A value as bytes that may leave the process; ends and Queues cannot: NotShareableError."""

def loads(buffer: Buffer, /) -> Any:
    """The value that dumps() made these bytes of; ValueError for anything else."""

def is_shareable(value: object, /) -> bool:
    """Whether a channel takes this value, with all that is in it."""

def set_memory_limit(nbytes: int | None, /) -> None:
    """Bound the bytes of all values on their way in the whole process; None lifts the bound."""

@final
class _Notifier:
    def fileno(self) -> int: ...
    def collect(self) -> list[int]: ...
    def watch(self, key: int, cases: list[Any], /) -> tuple[_Watch, bool]: ...

@final
class _Watch:
    def close(self) -> int | None: ...
    def release(self, used: bool, /) -> None: ...

def _count_alive() -> dict[str, int]: ...
def _fail_after(countdown: int, /) -> None: ...
def _is_closed(end: Sender[Any] | Receiver[Any], /) -> bool: ...
def _register_queue(type: type, /) -> None: ...
def _sent(end: Sender[Any] | Receiver[Any], /) -> int: ...
def _try_select(cases: Iterable[Any], /) -> tuple[Any, Any] | None: ...
def _unpickle_end(id: int, nonce: int, ticket: int, type: type, /) -> Any: ...
