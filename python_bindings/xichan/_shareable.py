"""The alias of what can be sent. Imported on first use, because it names the standard types."""

from __future__ import annotations

import array
import builtins
import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import logging
import pathlib
import sys
import types
import uuid
import zoneinfo
from typing import Any, ClassVar, Protocol, runtime_checkable

from ._core import (
    ArrayView,
    Buffer,
    BytesView,
    Descriptor,
    DictView,
    ListView,
    Receiver,
    RecordView,
    Sender,
    SetView,
    Shared,
    StrView,
    TupleView,
    _State,
)
from ._queue import Queue

if sys.version_info >= (3, 15):
    _Dict = dict[Any, Any] | builtins.frozendict[Any, Any]
else:
    _Dict = dict[Any, Any]


@runtime_checkable
class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


@runtime_checkable
class _NumPy(Protocol):
    """An array or scalar of NumPy."""

    @property
    def __array_interface__(self) -> Any: ...


# What a message may be. Not in it: instances of classes given to xichan.register(), which no alias can name. Elements
# of mutable containers are Any, because a list[int] is not a list[Shareable].
type Shareable = (
    None
    | bool
    | int
    | float
    | complex
    | str
    | bytes
    | bytearray
    | range
    | slice
    | types.EllipsisType
    | tuple[Shareable, ...]
    | frozenset[Shareable]
    | list[Any]
    | _Dict
    | set[Any]
    | array.array[Any]
    | memoryview
    | datetime.date
    | datetime.time
    | datetime.timedelta
    | datetime.timezone
    | zoneinfo.ZoneInfo
    | decimal.Decimal
    | fractions.Fraction
    | uuid.UUID
    | pathlib.PurePath
    | ipaddress.IPv4Address
    | ipaddress.IPv6Address
    | ipaddress.IPv4Network
    | ipaddress.IPv6Network
    | ipaddress.IPv4Interface
    | ipaddress.IPv6Interface
    | enum.Enum
    | BaseException
    | types.SimpleNamespace
    | collections.deque[Any]
    | logging.LogRecord
    | _Dataclass
    | _NumPy
    | Sender[Any]
    | Receiver[Any]
    | Queue[Any]
    | Shared
    | _State
    | Buffer
    | Descriptor
    | TupleView
    | ListView
    | DictView
    | SetView
    | RecordView
    | ArrayView
    | BytesView
    | StrView
)
