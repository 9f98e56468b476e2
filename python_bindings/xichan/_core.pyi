"""Types of the compiled module. What may be sent: str, bytes, int, float, bool, None, ends, Shared, and tuples."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from collections.abc import Buffer as _Buffer
from types import GenericAlias, TracebackType
from typing import Any, Final, Generic, Literal, Self, SupportsIndex, TypeVar, final, overload

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

    @overload
    def recv(self, timeout: float | None = None, *, copy: Literal[True] = True) -> _T_co:
        """Take the oldest value, waiting up to ``timeout`` seconds while the channel is empty.

        Without ``copy``, a tuple, and large bytes or str, arrive as TupleView, BytesView and StrView, which read it in place.
        """
    @overload
    def recv(self, timeout: float | None = None, *, copy: bool) -> Any: ...
    @overload
    def recv_nowait(self, *, copy: Literal[True] = True) -> _T_co:
        """Take the oldest value without waiting, or raise ChannelEmpty."""
    @overload
    def recv_nowait(self, *, copy: bool) -> Any: ...
    @overload
    def recv_many(self, max_items: int, timeout: float | None = None, *, copy: Literal[True] = True) -> list[_T_co]:
        """Wait for one value and take with it what else is there, up to ``max_items``."""
    @overload
    def recv_many(self, max_items: int, timeout: float | None = None, *, copy: bool) -> list[Any]: ...
    @overload
    def drain(self, *, copy: Literal[True] = True) -> list[_T_co]:
        """Take all that is there now, without waiting."""
    @overload
    def drain(self, *, copy: bool) -> list[Any]: ...
    def views(self) -> _Views:
        """An iterator that receives with ``copy=False`` until nothing can come; for ``async for`` too."""
    @overload
    def arecv(self, *, copy: Literal[True] = True) -> Coroutine[Any, Any, _T_co]:
        """Take the oldest value, waiting in the running asyncio event loop."""
    @overload
    def arecv(self, *, copy: bool) -> Coroutine[Any, Any, Any]: ...
    @overload
    def arecv_many(self, max_items: int, *, copy: Literal[True] = True) -> Coroutine[Any, Any, list[_T_co]]:
        """As recv_many(), waiting in the running asyncio event loop."""
    @overload
    def arecv_many(self, max_items: int, *, copy: bool) -> Coroutine[Any, Any, list[Any]]: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, _T_co]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...

@final
class TupleView(Sequence[Any]):
    """A tuple that is read where it lies in the memory of the process; received with ``copy=False``."""

    def value(self) -> tuple[Any, ...]:
        """The tuple itself, as recv() would have given it."""
    def count(self, value: object, /) -> int:
        """How many elements are equal to the value."""
    def index(self, value: object, start: SupportsIndex = 0, stop: SupportsIndex = ..., /) -> int:
        """The index of the first element equal to the value; ValueError if there is none."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> TupleView: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __add__(self, value: TupleView | tuple[Any, ...], /) -> tuple[Any, ...]: ...
    def __radd__(self, value: TupleView | tuple[Any, ...], /) -> tuple[Any, ...]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __le__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __gt__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __ge__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[tuple[Any, ...]], tuple[tuple[Any, ...]]]: ...

@final
class BytesView(Sequence[int]):
    """Bytes that are read where they lie in the memory of the process; received with ``copy=False``."""

    def value(self) -> bytes:
        """The bytes themselves, as recv() would have given them."""
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The text that the bytes encode, as bytes.decode()."""
    def hex(self, sep: str | bytes = ..., bytes_per_sep: SupportsIndex = 1) -> str:
        """The bytes in hexadecimal digits, as bytes.hex()."""
    def count(self, value: SupportsIndex | _Buffer, /) -> int:
        """How often a byte or bytes occur, not counting overlaps."""
    def index(self, value: SupportsIndex | _Buffer, start: SupportsIndex = 0, stop: SupportsIndex = ..., /) -> int:
        """Where a byte or bytes first occur; ValueError if they do not."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> BytesView | bytes: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: _Buffer, /) -> bool: ...
    def __le__(self, value: _Buffer, /) -> bool: ...
    def __gt__(self, value: _Buffer, /) -> bool: ...
    def __ge__(self, value: _Buffer, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __reduce__(self) -> tuple[type[bytes], tuple[bytes]]: ...

@final
class StrView(str):
    """A str whose characters stay where they lie in the memory of the process; received with ``copy=False``."""

    def value(self) -> str:
        """A plain str, as recv() would have given it."""
    def __reduce__(self) -> tuple[type[str], tuple[str]]: ...

@final
class Shared:
    """A value encoded once by share(), which is sent without a copy ever after."""

    @property
    def nbytes(self) -> int:
        """The bytes of memory that it takes, once in the whole process."""
    def value(self) -> Any:
        """The value: a copy of its own, as recv() would give it."""
    def view(self) -> Any:
        """The value as a view, as recv(copy=False) would give it."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __reduce__(self) -> tuple[Callable[[object], Shared], tuple[Any]]: ...

def share(value: object, /) -> Shared:
    """Encode a value, or the content of a contiguous buffer, once, to be sent without a copy from then on."""

@final
class Buffer:
    """Zeroed memory of so many bytes to write into, which ``freeze()`` turns into a Shared without a copy."""

    def __new__(cls, nbytes: int) -> Self: ...
    @property
    def nbytes(self) -> int:
        """How many bytes it holds."""
    def freeze(self, nbytes: int | None = None) -> Shared:
        """A Shared of the first ``nbytes`` bytes; the Buffer is of no use afterwards."""
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __release_buffer__(self, buffer: memoryview, /) -> None: ...

def channel(
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
) -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel and return its two ends."""

def select(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]], timeout: float | None = None, *, copy: bool = True
) -> tuple[Receiver[Any] | tuple[Sender[Any], Any], Any]:
    """Wait for the first case that can go ahead, and do that one alone; (case, value)."""

def aselect(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]], *, copy: bool = True
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
    """Counters of the process-wide arena: ``blocks``, ``bytes``, ``high_water``, ``limit``, ``cached``, ``classes``."""

def dumps(value: object, /) -> bytes:
    """A value as bytes that may leave the process; ends and Queues cannot: NotShareableError."""

def loads(buffer: _Buffer, /) -> Any:
    """The value that dumps() made these bytes of; ValueError for anything else."""

def is_shareable(value: object, /) -> bool:
    """Whether a channel takes this value, with all that is in it."""

def set_memory_limit(nbytes: int | None, /) -> None:
    """Bound the bytes of all values on their way in the whole process; None lifts the bound."""

@final
class _Views:
    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...
    def __anext__(self) -> Coroutine[Any, Any, Any]: ...

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
def _is_exiting() -> bool: ...
def _register_queue(type: type, /) -> None: ...
def _sent(end: Sender[Any] | Receiver[Any], /) -> int: ...
def _try_select(cases: Iterable[Any], *, copy: bool = True) -> tuple[Any, Any] | None: ...
def _unpickle_end(id: int, nonce: int, ticket: int, type: type, /) -> Any: ...
