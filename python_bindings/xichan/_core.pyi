"""Types of the compiled module."""

from builtins import type as _Type
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    ItemsView,
    Iterable,
    Iterator,
    KeysView,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from collections.abc import Buffer as _Buffer
from collections.abc import Set as AbstractSet
from concurrent.futures import Future as _Future
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from pickle import PickleBuffer
from socket import socket as _Socket
from types import FrameType, GenericAlias, TracebackType, UnionType
from typing import (
    IO,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    Self,
    SupportsIndex,
    TypeAliasType,
    TypeVar,
    final,
    overload,
)

from _typeshed import (
    OpenBinaryMode,
    OpenBinaryModeReading,
    OpenBinaryModeWriting,
    OpenTextMode,
    SupportsKeysAndGetItem,
)
from typing_extensions import disjoint_base

from ._stats import ChannelStats, MapStats, MemoryStats

_K = TypeVar("_K")
_V = TypeVar("_V")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_T_contra = TypeVar("_T_contra", contravariant=True)

__version__: Final[str]

@disjoint_base
class _End:
    """The common base class of Sender and Receiver."""

    @property
    def closed(self) -> bool:
        """True if this endpoint is closed, or the channel is shut down or finished for it."""
    @property
    def id(self) -> int:
        """The same for all endpoints of a channel, and never that of another channel."""
    @property
    def capacity(self) -> int | None:
        """The maximum number of values that the channel holds; None if it is unbounded."""
    @property
    def name(self) -> str | None:
        """The name by which lookup() finds the channel; None if it has none or this endpoint is closed."""
    def close(self, *, error: BaseException | None = None) -> None:
        """Close this endpoint; closing the last one of a side ends the channel for the other side. Idempotent.

        With ``error``, calls of the other side then raise ChannelFailed, with the exception as its cause.
        """
    def clone(self) -> Self:
        """Return another endpoint of the same channel and side, which is closed separately."""
    def shutdown(self, immediate: bool = False, *, error: BaseException | None = None) -> None:
        """Close the channel for every endpoint, in every interpreter; ``immediate`` discards what is queued.

        With ``error``, calls then raise ChannelFailed, with the exception as its cause.
        """
    def wait_closed(self, timeout: float | None = None) -> None:
        """Block until the channel is shut down or all endpoints of the other side are closed."""
    def await_closed(self) -> Coroutine[Any, Any, None]:
        """Wait in the running asyncio event loop as ``wait_closed()`` does."""
    @classmethod
    def from_id(cls, id: int, /) -> Self:
        """Open another endpoint of the channel with this id, or raise NotFound."""
    def stats(self) -> ChannelStats:
        """Return the statistics of the channel."""
    def cancel_tickets(self) -> int:
        """Release the endpoints of this side that are in transit as tickets; return their number."""
    def fileno(self) -> int:
        """Return a file descriptor to poll for reading after a _nowait call found this endpoint not ready."""
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
    """The sending endpoint of a channel; created by ``xichan.channel()``."""

    @classmethod
    def lookup(cls, name: str, timeout: float | None = 0) -> Self:
        """Open a Sender of the channel with this name; block until there is one or the timeout expires."""

    def send(self, value: _T_contra, timeout: float | None = None) -> None:
        """Send a value; block while the channel is full."""
    def send_nowait(self, value: _T_contra, /) -> None:
        """Send a value without blocking, or raise ChannelFull."""
    def send_many(self, values: Iterable[_T_contra], timeout: float | None = None) -> int:
        """Send all values of an iterable; block while the channel is full. Returns the number of values sent."""
    def asend(self, value: _T_contra) -> Coroutine[Any, Any, None]:
        """Send a value; wait in the running asyncio event loop while the channel is full."""
    def asend_many(self, values: Iterable[_T_contra]) -> Coroutine[Any, Any, int]:
        """Send all values of an iterable, as ``asend()`` does. Returns the number of values sent."""

@final
class Receiver(_End, Generic[_T_co]):
    """The receiving endpoint of a channel; created by ``xichan.channel()``. Iteration receives until it ends."""

    @classmethod
    def lookup(cls, name: str, timeout: float | None = 0) -> Self:
        """Open a Receiver of the channel with this name; block until there is one or the timeout expires."""

    @overload
    def recv(self, timeout: float | None = None, *, copy: Literal[True] = True) -> _T_co:
        """Receive the oldest value; block while the channel is empty.

        With ``copy=False``, containers, objects, and large bytes, str and arrays arrive as views: TupleView, ...
        """
    @overload
    def recv(self, timeout: float | None = None, *, copy: bool) -> Any: ...
    @overload
    def recv_nowait(self, *, copy: Literal[True] = True) -> _T_co:
        """Receive the oldest value without blocking, or raise ChannelEmpty."""
    @overload
    def recv_nowait(self, *, copy: bool) -> Any: ...
    @overload
    def recv_many(self, max_items: int, timeout: float | None = None, *, copy: Literal[True] = True) -> list[_T_co]:
        """Receive 1 to ``max_items`` values; block while the channel is empty."""
    @overload
    def recv_many(self, max_items: int, timeout: float | None = None, *, copy: bool) -> list[Any]: ...
    @overload
    def drain(self, *, copy: Literal[True] = True) -> list[_T_co]:
        """Receive everything that is queued now, without blocking."""
    @overload
    def drain(self, *, copy: bool) -> list[Any]: ...
    def views(self) -> _Views:
        """Return an iterator that receives with ``copy=False`` until the channel ends; also for ``async for``."""
    @overload
    def arecv(self, *, copy: Literal[True] = True) -> Coroutine[Any, Any, _T_co]:
        """Receive the oldest value; wait in the running asyncio event loop while the channel is empty."""
    @overload
    def arecv(self, *, copy: bool) -> Coroutine[Any, Any, Any]: ...
    @overload
    def arecv_many(self, max_items: int, *, copy: Literal[True] = True) -> Coroutine[Any, Any, list[_T_co]]:
        """Receive 1 to ``max_items`` values, waiting as ``arecv()`` does."""
    @overload
    def arecv_many(self, max_items: int, *, copy: bool) -> Coroutine[Any, Any, list[Any]]: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, _T_co]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...

@final
class TupleView(Sequence[Any]):
    """A tuple that is read in place, in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> tuple[Any, ...]:
        """Return a copy, as a tuple."""
    def count(self, value: object, /) -> int:
        """Return the number of elements equal to the value."""
    def index(self, value: object, start: SupportsIndex = 0, stop: SupportsIndex = ..., /) -> int:
        """Return the index of the first element equal to the value, or raise ValueError."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> TupleView: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __add__(self, value: TupleView | tuple[Any, ...], /) -> tuple[Any, ...]: ...
    def __radd__(self, value: TupleView | tuple[Any, ...], /) -> tuple[Any, ...]: ...
    def __mul__(self, value: SupportsIndex, /) -> tuple[Any, ...]: ...
    def __rmul__(self, value: SupportsIndex, /) -> tuple[Any, ...]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __le__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __gt__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __ge__(self, value: TupleView | tuple[Any, ...], /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[tuple[Any, ...]], tuple[tuple[Any, ...]]]: ...

@final
class ListView(Sequence[Any]):
    """A list that is read in place, in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> list[Any]:
        """Return a copy, as a list."""
    def count(self, value: object, /) -> int:
        """Return the number of elements equal to the value."""
    def index(self, value: object, start: SupportsIndex = 0, stop: SupportsIndex = ..., /) -> int:
        """Return the index of the first element equal to the value, or raise ValueError."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> ListView: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __add__(self, value: ListView | list[Any], /) -> list[Any]: ...
    def __mul__(self, value: SupportsIndex, /) -> list[Any]: ...
    def __rmul__(self, value: SupportsIndex, /) -> list[Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: ListView | list[Any], /) -> bool: ...
    def __le__(self, value: ListView | list[Any], /) -> bool: ...
    def __gt__(self, value: ListView | list[Any], /) -> bool: ...
    def __ge__(self, value: ListView | list[Any], /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]: ...

@final
class DictView(Mapping[Any, Any]):
    """A dict that is read in place, in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> dict[Any, Any]:
        """Return a copy, as a dict or frozendict."""
    def get(self, key: object, default: Any = None, /) -> Any:
        """Return the value of the key, or the default if the key is missing."""
    def keys(self) -> KeysView[Any]:
        """Return the keys."""
    def values(self) -> ValuesView[Any]:
        """Return the values."""
    def items(self) -> ItemsView[Any, Any]:
        """Return the pairs of key and value."""
    def _iterate(self, part: int, reversed: bool, /) -> Iterator[Any]: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __reversed__(self) -> Iterator[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __or__(self, value: DictView | dict[Any, Any], /) -> dict[Any, Any]: ...
    def __ror__(self, value: DictView | dict[Any, Any], /) -> dict[Any, Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]: ...

@final
class SetView(AbstractSet[Any]):
    """A set that is read in place, in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> set[Any] | frozenset[Any]:
        """Return a copy, as a set or frozenset."""
    def isdisjoint(self, other: Iterable[Any], /) -> bool:
        """Return True if the two have no item in common."""
    def issubset(self, other: Iterable[Any], /) -> bool:
        """Return True if the other contains every item of this one."""
    def issuperset(self, other: Iterable[Any], /) -> bool:
        """Return True if this one contains every item of the other."""
    def union(self, *others: Iterable[Any]) -> set[Any] | frozenset[Any]:
        """Return a plain set with the items of all."""
    def intersection(self, *others: Iterable[Any]) -> set[Any] | frozenset[Any]:
        """Return a plain set with the items that all have in common."""
    def difference(self, *others: Iterable[Any]) -> set[Any] | frozenset[Any]:
        """Return a plain set with the items that are in none of the others."""
    def symmetric_difference(self, other: Iterable[Any], /) -> set[Any] | frozenset[Any]:
        """Return a plain set with the items that are in exactly one of the two."""
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __and__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __or__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __xor__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __sub__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __rand__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __ror__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __rxor__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __rsub__(self, value: AbstractSet[Any], /) -> set[Any] | frozenset[Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: AbstractSet[Any], /) -> bool: ...
    def __le__(self, value: AbstractSet[Any], /) -> bool: ...
    def __gt__(self, value: AbstractSet[Any], /) -> bool: ...
    def __ge__(self, value: AbstractSet[Any], /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]: ...

@final
class ArrayView:
    """An array that is read in place; received with ``copy=False``, and where NumPy is missing."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the dimensions, in items."""
    @property
    def strides(self) -> tuple[int, ...]:
        """For each dimension, the bytes from one item to the next."""
    @property
    def format(self) -> str:
        """The format of an item in a buffer, as the ``struct`` module has it."""
    @property
    def dtype(self) -> str | list[Any]:
        """The type string of NumPy; of a structured dtype, its ``descr``."""
    @property
    def nbytes(self) -> int:
        """The size of the content in bytes."""
    def value(self) -> Any:
        """Return a copy: an array.array, or a NumPy array; where NumPy is missing, an ArrayView."""
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]: ...

@final
class RecordView:
    """An object that is read in place: its fields are attributes; received with ``copy=False``."""

    @property
    def __record_type__(self) -> str:
        """The module and name of the class; of a builtin, the name."""
    def value(self) -> Any:
        """Return a copy, as an object of its class, which this imports. A field of this name hides the method."""
    def __getattribute__(self, name: str, /) -> Any: ...
    def __dir__(self) -> list[str]: ...
    def __eq__(self, value: object, /) -> bool: ...
    def __lt__(self, value: object, /) -> bool: ...
    def __le__(self, value: object, /) -> bool: ...
    def __gt__(self, value: object, /) -> bool: ...
    def __ge__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: SupportsIndex | slice, /) -> Any: ...
    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]: ...

@final
class BytesView(Sequence[int]):
    """Bytes that are read in place, in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> bytes:
        """Return a copy, as bytes."""
    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Decode the bytes to a str, as ``bytes.decode()`` does."""
    def hex(self, sep: str | bytes = ..., bytes_per_sep: SupportsIndex = 1) -> str:
        """Return the bytes as hexadecimal digits, as ``bytes.hex()`` does."""
    def count(
        self,
        value: SupportsIndex | _Buffer,
        start: SupportsIndex | None = None,
        stop: SupportsIndex | None = None,
        /,
    ) -> int:
        """Return the number of non-overlapping occurrences of a byte or bytes."""
    def index(
        self,
        value: SupportsIndex | _Buffer,
        start: SupportsIndex | None = None,
        stop: SupportsIndex | None = None,
        /,
    ) -> int:
        """Return the index of the first occurrence of a byte or bytes, or raise ValueError."""
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, key: slice, /) -> BytesView | bytes: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[int]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __add__(self, value: _Buffer, /) -> bytes: ...
    def __mul__(self, value: SupportsIndex, /) -> bytes: ...
    def __rmul__(self, value: SupportsIndex, /) -> bytes: ...
    def __mod__(self, value: Any, /) -> bytes: ...
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
    """A str whose characters stay in the shared memory of the process; received with ``copy=False``."""

    def value(self) -> str:
        """Return a copy, as a plain str."""
    def format(self, *args: object, **kwargs: object) -> str:
        """Return a plain str, as ``str.format()`` does."""
    def format_map(self, mapping: Any, /) -> str:
        """Return a plain str, as ``str.format_map()`` does."""
    def partition(self, sep: str, /) -> tuple[str, str, str]:
        """Return the parts before, of and after the first separator, as plain str."""
    def rpartition(self, sep: str, /) -> tuple[str, str, str]:
        """Return the parts before, of and after the last separator, as plain str."""
    def __format__(self, format_spec: str, /) -> str: ...
    def __mod__(self, value: Any, /) -> str: ...
    def __reduce__(self) -> tuple[type[str], tuple[str]]: ...

@final
class Shared:
    """A value encoded once, by ``share()``, and sent any number of times without a copy."""

    @property
    def nbytes(self) -> int:
        """The bytes of memory that the value occupies, once in the whole process."""
    def value(self) -> Any:
        """Return a copy of the value, as ``recv()`` does."""
    def view(self) -> Any:
        """Return a view of the value, as ``recv(copy=False)`` does."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __reduce__(self) -> tuple[Callable[[object], Shared], tuple[Any]]: ...

def share(value: object, /, *, pickle: bool = False) -> Shared:
    """Encode a value once, to be sent without a copy. The content of a buffer that cannot be sent becomes bytes."""

@final
class Buffer:
    """Zeroed, writable memory of ``nbytes`` bytes, which moves to the receiver when it is sent, without a copy."""

    def __new__(cls, nbytes: int) -> Self: ...
    @property
    def nbytes(self) -> int:
        """The size in bytes."""
    def freeze(self, nbytes: int | None = None) -> Shared:
        """Turn the first ``nbytes`` bytes, all by default, into a Shared; the Buffer cannot be used afterwards."""
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __release_buffer__(self, buffer: memoryview, /) -> None: ...

@final
class Descriptor:
    """A file descriptor of a socket, pipe or file, which moves to the receiver when it is sent."""

    def socket(self) -> _Socket:
        """Return a socket that owns the descriptor, with the family, type, protocol and timeout of the original."""
    @overload
    def open(
        self,
        mode: OpenTextMode = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> TextIOWrapper:
        """Return a file that owns the descriptor. The parameters are those of ``os.fdopen()``."""

    @overload
    def open(
        self,
        mode: OpenBinaryMode,
        buffering: Literal[0],
        encoding: None = None,
        errors: None = None,
        newline: None = None,
    ) -> FileIO: ...
    @overload
    def open(
        self,
        mode: OpenBinaryModeReading,
        buffering: Literal[-1, 1] = -1,
        encoding: None = None,
        errors: None = None,
        newline: None = None,
    ) -> BufferedReader: ...
    @overload
    def open(
        self,
        mode: OpenBinaryModeWriting,
        buffering: Literal[-1, 1] = -1,
        encoding: None = None,
        errors: None = None,
        newline: None = None,
    ) -> BufferedWriter: ...
    @overload
    def open(
        self,
        mode: str,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]: ...
    def fileno(self) -> int:
        """Return the number of the descriptor, which the Descriptor continues to own."""
    def detach(self) -> int:
        """Return the number of the descriptor, which the caller owns from then on."""
    def close(self) -> None:
        """Close the descriptor, if the Descriptor still owns it."""
    @property
    def closed(self) -> bool:
        """True once it owns nothing: closed, sent or detached."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: _Type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

@disjoint_base
class _State:
    """The common base class of the objects that interpreters share."""

    @property
    def name(self) -> str | None:
        """The name under which lookup() finds the object."""
    @classmethod
    def lookup(cls, name: str, timeout: float | None = 0) -> Self:
        """Return the object of this class with this name; block until there is one or the timeout expires."""
    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class AtomicInt(_State):
    """An int of 64 bits that all interpreters change together; no change is lost."""

    def __new__(cls, value: int = 0, *, name: str | None = None) -> Self: ...
    @property
    def value(self) -> int:
        """The value now. Assigning stores another one."""
    @value.setter
    def value(self, value: int, /) -> None: ...
    def add(self, n: int = 1) -> int:
        """Add ``n`` and return the new value, or raise OverflowError."""
    def exchange(self, value: int, /) -> int:
        """Store a value and return the previous one."""
    def compare_exchange(self, expected: int, new: int) -> bool:
        """Store ``new`` if the value is ``expected``. Return True if it was."""
    def __int__(self) -> int: ...

@final
class Cell(_State, Generic[_T]):
    """A value that all interpreters read and replace."""

    def __new__(cls, value: _T, *, name: str | None = None) -> Self: ...
    @property
    def version(self) -> int:
        """How often the value was set, from 1 on."""
    @overload
    def get(self, copy: Literal[True] = True) -> _T: ...
    @overload
    def get(self, copy: bool) -> Any: ...
    def set(self, value: _T, /) -> None:
        """Replace the value, and add 1 to the version."""
    def swap(self, value: _T, /) -> _T:
        """Replace the value, and return the previous one."""
    def compare_and_set(self, version: int, value: _T) -> bool:
        """Replace the value if the version is still ``version``. Return True if it was."""
    def update(self, function: Callable[[_T], _T], /) -> _T:
        """Replace the value by ``function(value)``, and return the new value."""
    def wait(self, version: int, timeout: float | None = None) -> int:
        """Block until the version is no longer ``version``, and return the new one."""
    @overload
    def watch(self, *, copy: Literal[True] = True) -> AsyncIterator[_T]: ...
    @overload
    def watch(self, *, copy: bool) -> AsyncIterator[Any]: ...
    def _get(self, copy: bool, /) -> tuple[int, _T]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int, version: int, /) -> tuple[_StateWatch, bool]: ...

@final
class Lock(_State):
    """A lock that threads of all interpreters acquire, in the order in which they began to wait."""

    def __new__(cls, *, name: str | None = None) -> Self: ...
    def acquire(self, blocking: bool = True, timeout: float | None = -1) -> bool:
        """Acquire the lock; block while it is held. Returns False after the timeout."""
    def release(self) -> None:
        """Release the lock. It goes to the call that has waited longest."""
    def locked(self) -> bool:
        """Return True if the lock is held."""
    def aacquire(self) -> Coroutine[Any, Any, bool]:
        """Wait in the running asyncio event loop as ``acquire()`` does."""
    def __enter__(self) -> bool: ...
    def __exit__(self, *exc: object) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, None]: ...
    def __aexit__(self, *exc: object) -> Coroutine[Any, Any, None]: ...
    def __await__(self) -> Generator[Any, None, bool]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int = 0, unit: int = 0, /) -> tuple[_StateWatch, bool]: ...
    def _acquire_nowait(self, unit: int, /) -> bool: ...
    def _release(self, unit: int, /) -> None: ...
    def _owned(self, unit: int, /) -> bool: ...
    def _restore(self, depth: int, /) -> None: ...

@final
class RLock(_State):
    """A lock that its owner may acquire again; it is free once it has been released as often."""

    def __new__(cls, *, name: str | None = None) -> Self: ...
    def acquire(self, blocking: bool = True, timeout: float | None = -1) -> bool:
        """Acquire the lock; block while it is held. Returns False after the timeout."""
    def release(self) -> None:
        """Release the lock. It goes to the call that has waited longest."""
    def locked(self) -> bool:
        """Return True if the lock is held."""
    def aacquire(self) -> Coroutine[Any, Any, bool]:
        """Wait in the running asyncio event loop as ``acquire()`` does."""
    def __enter__(self) -> bool: ...
    def __exit__(self, *exc: object) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, None]: ...
    def __aexit__(self, *exc: object) -> Coroutine[Any, Any, None]: ...
    def __await__(self) -> Generator[Any, None, bool]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int = 0, unit: int = 0, /) -> tuple[_StateWatch, bool]: ...
    def _acquire_nowait(self, unit: int, /) -> bool: ...
    def _release(self, unit: int, /) -> None: ...
    def _owned(self, unit: int, /) -> bool: ...
    def _restore(self, depth: int, /) -> None: ...

@final
class Semaphore(_State):
    """A counter that ``acquire()`` takes from and ``release()`` adds to; ``acquire()`` blocks at zero."""

    def __new__(cls, value: int = 1, *, name: str | None = None) -> Self: ...
    @property
    def value(self) -> int:
        """The number of units that can be acquired now."""
    def acquire(self, blocking: bool = True, timeout: float | None = -1) -> bool:
        """Take one unit; block while there is none. Returns False after the timeout."""
    def release(self, n: int = 1) -> None:
        """Add ``n`` units, which go to the calls that have waited longest."""
    def aacquire(self) -> Coroutine[Any, Any, bool]:
        """Wait in the running asyncio event loop as ``acquire()`` does."""
    def __enter__(self) -> bool: ...
    def __exit__(self, *exc: object) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, None]: ...
    def __aexit__(self, *exc: object) -> Coroutine[Any, Any, None]: ...
    def __await__(self) -> Generator[Any, None, bool]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int = 0, /) -> tuple[_StateWatch, bool]: ...

@final
class Event(_State):
    """A flag that threads, interpreters and coroutines wait for."""

    def __new__(cls, *, name: str | None = None) -> Self: ...
    def set(self) -> None:
        """Set the flag, and wake all calls that wait for it, also if the flag is cleared at once."""
    def clear(self) -> None:
        """Clear the flag."""
    def is_set(self) -> bool:
        """Return True if the flag is set."""
    def wait(self, timeout: float | None = None) -> bool:
        """Block until the flag is set. Returns False after the timeout."""
    def await_set(self) -> Coroutine[Any, Any, bool]:
        """Wait in the running asyncio event loop until the flag is set."""
    def __await__(self) -> Generator[Any, None, bool]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int = 0, /) -> tuple[_StateWatch, bool]: ...

@final
class Barrier(_State):
    """Where a number of threads of any interpreters wait until all have arrived."""

    def __new__(cls, parties: int, timeout: float | None = None, *, name: str | None = None) -> Self: ...
    @property
    def parties(self) -> int:
        """The number of calls of wait() in a round."""
    @property
    def n_waiting(self) -> int:
        """The number of calls that wait now."""
    @property
    def broken(self) -> bool:
        """True if the barrier is broken."""
    def wait(self, timeout: float | None = None) -> int:
        """Block until all parties have arrived. Return how many had arrived before."""
    def reset(self) -> None:
        """Make the barrier empty and usable. Calls that wait raise threading.BrokenBarrierError."""
    def abort(self) -> None:
        """Break the barrier."""
    def __await__(self) -> Generator[Any, None, int]: ...
    @property
    def _timeout(self) -> float | None: ...
    def _enter(self) -> _StateRecord: ...
    def _join(
        self, notifier: _Notifier, key: int, ticket: int, record: _StateRecord, /
    ) -> tuple[_StateWatch, bool]: ...

@final
class Condition(_State):
    """Where threads that hold a lock wait until another one notifies them."""

    def __new__(cls, lock: Lock | RLock | None = None, *, name: str | None = None) -> Self: ...
    @property
    def lock(self) -> Lock | RLock:
        """The lock of the condition."""
    def acquire(self, blocking: bool = True, timeout: float | None = -1) -> bool:
        """Acquire the lock; block while it is held. Returns False after the timeout."""
    def release(self) -> None:
        """Release the lock."""
    def locked(self) -> bool:
        """Return True if the lock is held."""
    def aacquire(self) -> Coroutine[Any, Any, bool]:
        """Wait in the running asyncio event loop as ``acquire()`` does."""
    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, block until notified, and acquire the lock again. Returns False after the timeout."""
    def wait_for[R](self, predicate: Callable[[], R], timeout: float | None = None) -> R:
        """Call ``predicate()`` and ``wait()``, in turn, until the result is true. Return it, or the last one."""
    def await_for[R](self, predicate: Callable[[], R]) -> Coroutine[Any, Any, R]:
        """Wait in the running asyncio event loop as ``wait_for()`` does."""
    def notify(self, n: int = 1) -> None:
        """Wake up to ``n`` calls of ``wait()``, those that have waited longest."""
    def notify_all(self) -> None:
        """Wake all calls of ``wait()``."""
    def __enter__(self) -> bool: ...
    def __exit__(self, *exc: object) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, None]: ...
    def __aexit__(self, *exc: object) -> Coroutine[Any, Any, None]: ...
    def __await__(self) -> Generator[Any, None, bool]: ...
    def _enter(self, unit: int, /) -> tuple[_StateRecord, int]: ...
    def _join(
        self, notifier: _Notifier, key: int, ticket: int, record: _StateRecord, /
    ) -> tuple[_StateWatch, bool]: ...

@final
class Map(_State, MutableMapping[_K, _V]):
    """A mapping that all interpreters read and change together."""

    def __new__(
        cls,
        max_items: int | None = None,
        max_bytes: int | None = None,
        *,
        ttl: float | None = None,
        name: str | None = None,
    ) -> Self: ...
    @overload
    def get(self, key: _K, default: None = None, *, copy: Literal[True] = True) -> _V | None:
        """Return the value of a key, or ``default`` if it is absent. With ``copy=False``, a view of a large value."""
    @overload
    def get(self, key: _K, default: _V, *, copy: Literal[True] = True) -> _V: ...
    @overload
    def get[D](self, key: _K, default: D, *, copy: Literal[True] = True) -> _V | D: ...
    @overload
    def get(self, key: _K, default: object = None, *, copy: bool) -> Any: ...
    def set(self, key: _K, value: _V, *, ttl: float | None = None) -> None:
        """Store a value that expires after ``ttl`` seconds."""
    @overload
    def setdefault[D](self: Map[_K, D | None], key: _K, default: None = None, *, ttl: float | None = None) -> D | None:
        """Return the value of a key. If it is absent, store ``default``, and return that."""
    @overload
    def setdefault(self, key: _K, default: _V, *, ttl: float | None = None) -> _V: ...
    @overload
    def pop(self, key: _K) -> _V:
        """Remove a key and return its value, or ``default`` if it is absent."""
    @overload
    def pop(self, key: _K, default: _V) -> _V: ...
    @overload
    def pop[D](self, key: _K, default: D) -> _V | D: ...
    def popitem(self) -> tuple[_K, _V]:
        """Remove some entry and return it as (key, value)."""
    def clear(self) -> None:
        """Remove all entries, in one step."""
    def add(self, key: _K, n: float = 1, *, ttl: float | None = None) -> _V:
        """Add ``n`` to the number of a key, 0 if it is absent, and return the sum."""
    def compare_and_set(self, key: _K, expected: object, new: _V, *, ttl: float | None = None) -> bool:
        """Store ``new`` if the value of the key equals ``expected``. Return True if it did."""
    def update_with(self, key: _K, function: Callable[[_V], _V], default: _V = ..., *, ttl: float | None = None) -> _V:
        """Replace the value of a key by ``function(value)``, and return the new value."""
    @overload
    def get_many(self, keys: Iterable[_K], /, *, copy: Literal[True] = True) -> dict[_K, _V]:
        """Return a dict of those of the keys that are present, and their values."""
    @overload
    def get_many(self, keys: Iterable[_K], /, *, copy: bool) -> dict[_K, Any]: ...
    def set_many(
        self, entries: SupportsKeysAndGetItem[_K, _V] | Iterable[tuple[_K, _V]], /, *, ttl: float | None = None
    ) -> None:
        """Store the entries of a mapping, or of an iterable of pairs, one after the other."""
    def snapshot(self) -> dict[_K, _V]:
        """Return a dict with copies of all entries, as they were at one moment."""
    def keys(self) -> KeysView[_K]:
        """Return a view of the keys. Each iteration takes the keys of one moment."""
    def values(self) -> ValuesView[_V]:
        """Return a view of the values. Each iteration takes copies of the values of one moment."""
    def items(self) -> ItemsView[_K, _V]:
        """Return a view of the pairs of key and value. Each iteration takes the pairs of one moment."""
    @overload
    def wait(self, key: _K, timeout: float | None = None, *, copy: Literal[True] = True) -> _V:
        """Block until a key is present, and return its value."""
    @overload
    def wait(self, key: _K, timeout: float | None = None, *, copy: bool) -> Any: ...
    @overload
    def watch(self, key: _K, *, copy: Literal[True] = True) -> AsyncIterator[_V]:
        """Return an asynchronous iterator over the value of a key, once it is present, and all later values."""
    @overload
    def watch(self, key: _K, *, copy: bool) -> AsyncIterator[Any]: ...
    def stats(self) -> MapStats:
        """Return the statistics of the Map."""
    def __getitem__(self, key: _K, /) -> _V: ...
    def __setitem__(self, key: _K, value: _V, /) -> None: ...
    def __delitem__(self, key: _K, /) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[_K]: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def _get(self, key: object, copy: bool, /) -> tuple[int, int, Any]: ...
    def _join(
        self, notifier: _Notifier, key: int, ticket: int, map_key: object, changes: int, /
    ) -> tuple[_StateWatch, bool]: ...

@final
class BroadcastSender(_State, Generic[_T_contra]):
    """Sends messages to all subscribers of a ``broadcast()``."""

    @property
    def capacity(self) -> int:
        """The most messages that a subscriber may have left to receive."""
    @property
    def overflow(self) -> Literal["block", "drop_oldest"]:
        """What happens when a subscriber has that many."""
    @property
    def subscribers(self) -> int:
        """The number of subscribers now."""
    @property
    def closed(self) -> bool:
        """True if this BroadcastSender is closed."""
    def send(self, value: _T_contra, timeout: float | None = None) -> None:
        """Send a value to all that are subscribed now; block while the slowest has no room."""
    def send_nowait(self, value: _T_contra, /) -> None:
        """Send a value without blocking, or raise ChannelFull."""
    def asend(self, value: _T_contra) -> Coroutine[Any, Any, None]:
        """Wait in the running asyncio event loop as ``send()`` does."""
    def close(self) -> None:
        """Close this BroadcastSender."""
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int, /) -> tuple[_StateWatch, bool]: ...

@final
class Broadcast(_State, Generic[_T]):
    """The second result of ``broadcast()``. Calling it subscribes."""

    @property
    def capacity(self) -> int:
        """The most messages that a subscriber may have left to receive."""
    @property
    def overflow(self) -> Literal["block", "drop_oldest"]:
        """What happens when a subscriber has that many."""
    @property
    def subscribers(self) -> int:
        """The number of subscribers now."""
    @property
    def closed(self) -> bool:
        """True if this Broadcast is unusable, after its interpreter has ended."""
    def sender(self) -> BroadcastSender[_T]:
        """Return another BroadcastSender, or raise ChannelClosed if all of them are closed."""
    def __call__(self) -> BroadcastReceiver[_T]:
        """Subscribe to every message that is sent from now on."""

@final
class BroadcastReceiver(_State, Generic[_T_co]):
    """One subscriber of a ``broadcast()``. Iteration receives until all BroadcastSenders are closed."""

    @property
    def closed(self) -> bool:
        """True if this BroadcastReceiver is closed."""
    @overload
    def recv(self, timeout: float | None = None, *, copy: Literal[True] = True) -> _T_co:
        """Receive the next message; block until there is one. Raises Lagged once after messages were dropped."""
    @overload
    def recv(self, timeout: float | None = None, *, copy: bool) -> Any: ...
    @overload
    def recv_nowait(self, *, copy: Literal[True] = True) -> _T_co:
        """Receive the next message without blocking, or raise ChannelEmpty."""
    @overload
    def recv_nowait(self, *, copy: bool) -> Any: ...
    @overload
    def arecv(self, *, copy: Literal[True] = True) -> Coroutine[Any, Any, _T_co]:
        """Wait in the running asyncio event loop as ``recv()`` does."""
    @overload
    def arecv(self, *, copy: bool) -> Coroutine[Any, Any, Any]: ...
    def close(self) -> None:
        """Close this BroadcastReceiver."""
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> _T_co: ...
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, _T_co]: ...
    def _join(self, notifier: _Notifier, key: int, ticket: int, /) -> tuple[_StateWatch, bool]: ...

def broadcast(
    capacity: int, overflow: Literal["block", "drop_oldest"] = "block", *, name: str | None = None
) -> tuple[BroadcastSender[Any], Broadcast[Any]]:
    """Create a channel whose messages each go to all subscribers. Return (tx, subscribe)."""

def objects() -> list[
    AtomicInt
    | Cell[Any]
    | Map[Any, Any]
    | Lock
    | RLock
    | Semaphore
    | Event
    | Barrier
    | Condition
    | Broadcast[Any]
    | BroadcastSender[Any]
    | BroadcastReceiver[Any]
]:
    """Return the objects of all classes that interpreters share, oldest first."""

@overload
def channel(
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "block",
    pickle: bool = False,
    type: None = None,
) -> tuple[Sender[Any], Receiver[Any]]:
    """Create a channel and return its endpoints, (Sender, Receiver).

    With ``type``, sends raise TypeError for a value that is not an instance of it.
    """

@overload
def channel[T](
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "block",
    pickle: bool = False,
    type: _Type[T],
) -> tuple[Sender[T], Receiver[T]]: ...
@overload
def channel[T, U](
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "block",
    pickle: bool = False,
    type: tuple[_Type[T], _Type[U]],
) -> tuple[Sender[T | U], Receiver[T | U]]: ...
@overload
def channel(
    capacity: int | None = 1024,
    *,
    flavor: Literal["mpmc", "spsc", "relaxed"] = "mpmc",
    max_bytes: int | None = None,
    name: str | None = None,
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "block",
    pickle: bool = False,
    type: UnionType | TypeAliasType | tuple[Any, ...],
) -> tuple[Sender[Any], Receiver[Any]]: ...
@overload
def select(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]], timeout: float | None = None, *, copy: bool = True
) -> tuple[Receiver[Any] | tuple[Sender[Any], Any], Any]:
    """Block until one of several operations can proceed, and perform exactly that one. Returns (case, value)."""

@overload
def select(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any] | _Future[Any]],
    timeout: float | None = None,
    *,
    copy: bool = True,
) -> tuple[Receiver[Any] | tuple[Sender[Any], Any] | _Future[Any], Any]: ...
@overload
def aselect(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any]], *, copy: bool = True
) -> Coroutine[Any, Any, tuple[Receiver[Any] | tuple[Sender[Any], Any], Any]]:
    """Perform exactly one of several operations, as ``select()`` does; wait in the running asyncio event loop."""

@overload
def aselect(
    cases: Iterable[Receiver[Any] | tuple[Sender[Any], Any] | _Future[Any]], *, copy: bool = True
) -> Coroutine[Any, Any, tuple[Receiver[Any] | tuple[Sender[Any], Any] | _Future[Any], Any]]: ...
def lookup(name: str, timeout: float | None = 0) -> Any:
    """Return the value published or the object shared under a name, or a (Sender, Receiver) of the channel."""

def publish(name: str, value: object, *, pickle: bool = False, replace: bool = False) -> None:
    """Keep a value under a name until ``unpublish(name)``; ``lookup(name)`` returns it in every interpreter."""

def unpublish(name: str, /) -> None:
    """Remove a published name and release its value."""

def channels() -> list[ChannelStats]:
    """Return a list with the statistics of every channel alive in the process."""

def memory_stats() -> MemoryStats:
    """Return the statistics of the process-wide arena."""

def dumps(value: object, /) -> bytes:
    """Encode a value as bytes that may leave the process; endpoints and Queues raise NotShareableError."""

def loads(data: _Buffer, *, classes: Iterable[type] = (), max_bytes: int | None = None) -> Any:
    """Decode what ``dumps()`` returned, or raise ValueError. Objects of other classes arrive as RecordViews."""

def is_shareable(value: object, /) -> bool:
    """Return True if channels accept this value and everything in it."""

def set_memory_limit(nbytes: int | None, /) -> None:
    """Limit the memory, in bytes, of all values and channels in the process; None removes the limit."""

def trim() -> int:
    """Return freed memory that is cached for reuse to the system, and return the number of bytes."""

@final
class _Views:
    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...
    def __anext__(self) -> Coroutine[Any, Any, Any]: ...

@final
class _Elements:
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def __length_hint__(self) -> int: ...

@final
class _Notifier:
    def fileno(self) -> int: ...
    def collect(self) -> list[int]: ...
    def watch(self, key: int, cases: list[Any], /) -> tuple[_Watch, bool]: ...
    def watch_closed(self, key: int, endpoint: _End, /) -> tuple[_Watch, bool]: ...

@final
class _Watch:
    def close(self) -> int | None: ...
    def release(self, used: bool, /) -> None: ...

@final
class _RemoteEnd:
    def __new__(cls, name: str, receives: bool, server: str) -> Self: ...
    def begin_wait_on(self, channel: int, /) -> None: ...
    def end_wait_on(self, channel: int, /) -> None: ...
    def close(self) -> None: ...

@final
class _StateWatch:
    def close(self) -> int | None: ...
    def ticket(self) -> int: ...
    def release(self) -> None: ...
    def withdraw(self) -> None: ...

@final
class _StateRecord:
    def leave(self, returns: bool, /) -> bool: ...
    def index(self) -> int: ...

@final
class _TaskBoard:
    def number(self) -> int: ...
    def interrupt(self, id: int, again: bool = False, /) -> None: ...
    def forget(self, id: int, /) -> None: ...
    def running(self) -> dict[int, float]: ...
    def is_blocked(self) -> bool: ...

@final
class _TaskRunner:
    def __new__(cls, number: int, name: str = ..., supervised: bool = False) -> _TaskRunner: ...
    def run(
        self, id: int, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, /
    ) -> Any: ...
    def unraisablehook(self, unraisable: Any, /) -> None: ...
    def set_wake(self, function: Callable[[], object] | None, /) -> None: ...
    def show(self, task: str, /) -> None: ...
    def show_failure(self, error: str, /) -> None: ...
    def set_state(self, number: int, /) -> None: ...

def _request_snapshot(page: object, request: int, answer: int, timeout: float, /) -> bool: ...
def _add_joiner(parts: tuple[Any, ...], tx: Sender[Any], /) -> bool: ...

@final
class _Ticket:
    def __reduce__(self) -> tuple[type[bool], tuple[bool]]: ...

@final
class _PickleSink:
    def write(self, data: bytes, /) -> None: ...
    def reduce(self, value: object, /) -> Any: ...
    def buffer(self, buffer: PickleBuffer, /) -> bool: ...

def _call_in(interpreter: int, module: str, function: str, /) -> bytes | None: ...
def _count_alive() -> dict[str, int]: ...
def _new_descriptor(source: int | Descriptor, timeout: float | None = ..., /) -> Descriptor: ...
def _duplicate[T](value: T, /) -> T: ...
def _discard_tasks(parts: tuple[Any, ...], /) -> None: ...
def _fail_after(countdown: int, /) -> None: ...
def _fill_group(group: BaseExceptionGroup[Any], message: str, exceptions: tuple[BaseException, ...], /) -> None: ...
def _forget_plan(cls: _Type[Any], /) -> None: ...
def _inspect_channels() -> list[
    tuple[dict[str, Any], str, int, int, int, tuple[bool, str, int, int, str | None, int]]
]: ...
def _inspect_endpoints() -> list[tuple[int, bool, int, int, str | None, int]]: ...
def _inspect_remote() -> list[tuple[str, bool, str, int, int, str | None, int, tuple[int, ...]]]: ...
def _inspect_waits() -> list[
    tuple[int, int, int, int, int, int, int, str, str, str, tuple[tuple[int, int, int, int, int], ...]]
]: ...
def _inspect_workers() -> list[tuple[str, bool, int, int, int, str, int, int, int, str]]: ...
def _interpreter_names() -> dict[int, str | None]: ...
def _is_closed(end: Sender[Any] | Receiver[Any], /) -> bool: ...
def _is_importing_numpy() -> bool: ...
def _external(value: object, /) -> Any: ...
def _exit_patience() -> float | None: ...
def _renew_exit_patience() -> None: ...
def _lock_holder(object: _State, /) -> tuple[int, int] | None: ...
def _name_interpreter(name: str, /) -> None: ...
def _object_number(object: _State, /) -> int: ...
def _outlast_exit(endpoint: _End, /) -> None: ...
def _own_channel(
    label: str, capacity: int | None, part_of: Sender[Any] | Receiver[Any] | None = None, name: str | None = None, /
) -> tuple[Sender[Any], Receiver[Any]]: ...
def _page_descriptor() -> int: ...
def _queue_channel(capacity: int | None, pickle: bool, type: object, /) -> tuple[Sender[Any], Receiver[Any]]: ...
def _take_page_refusal() -> int: ...
def _pickle(value: object, override: Callable[[Any], Any] | None = None, /) -> tuple[bytes, tuple[Any, ...]]: ...
def _register_queue(type: type, /) -> None: ...
def _sent(end: Sender[Any] | Receiver[Any], /) -> int: ...
def _task_done(parts: tuple[Any, ...], /) -> None: ...
def _tasks_done(parts: tuple[Any, ...], /) -> int: ...
def _trace_call(name: str, begin: int, coroutine: bool, /) -> None: ...
def _trace_clock() -> int: ...
def _trace_count(number: int, /) -> tuple[int, int] | None: ...
def _trace_start(max_events: int, /) -> int: ...
def _trace_stop(number: int, fd: int, /) -> tuple[int, int] | None: ...
def _unpickle(data: bytes, external: tuple[Any, ...], /) -> Any: ...
def _threads() -> list[tuple[int, FrameType | None]]: ...
def _try_select(cases: Iterable[Any], *, copy: bool = True) -> tuple[Any, Any] | None: ...
def _unpickle_end(id: int, nonce: int, ticket: int, side: bool | _Ticket, /) -> Any: ...
def _unpickle_state(nonce: int, ticket: int, number: int, /) -> Any: ...
def _unshown_waits() -> int: ...
def _waiting(object: _State, /) -> int: ...
