"""Channels and shared values between Python's parallel interpreters.

    import xichan

    tx, rx = xichan.channel(capacity=1024)

Both endpoints can be transferred to other interpreters. A value is encoded once, into memory that belongs to the
process, and decoded by its receiver, without pickling.
"""

from _collections_abc import MutableMapping as _MutableMapping

from ._core import (
    ArrayView,
    AtomicInt,
    Barrier,
    Broadcast,
    BroadcastReceiver,
    BroadcastSender,
    Buffer,
    BytesView,
    Cell,
    Condition,
    DictView,
    Event,
    ListView,
    Lock,
    Map,
    Receiver,
    RecordView,
    RLock,
    Semaphore,
    Sender,
    SetView,
    Shared,
    StrView,
    TupleView,
    __version__,
    aselect,
    broadcast,
    channel,
    channels,
    dumps,
    is_shareable,
    loads,
    lookup,
    memory_stats,
    objects,
    publish,
    select,
    set_memory_limit,
    share,
    trim,
    unpublish,
)
from ._errors import (
    ChannelClosed,
    ChannelEmpty,
    ChannelFailed,
    ChannelFull,
    ChannelTimeout,
    DecodeError,
    Error,
    Lagged,
    MemoryLimitExceeded,
    NotFound,
    NotShareableError,
    OwnerDied,
)
from ._queue import Queue

_MutableMapping.register(Map)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._records.registry import register
    from ._remote import RemoteError
    from ._shareable import Shareable
    from ._stats import ChannelStats, MapStats, MemoryClass, MemoryStats, PoolStats, QueueStats
    from .pool.errors import BrokenInterpreterPool, BrokenWorker
    from .pool.executor import InterpreterPoolExecutor
    from .service import Client, serve

# Imported on first use, so that an interpreter pays only for what it uses.
_LAZY = {
    "BrokenInterpreterPool": "pool.errors",
    "BrokenWorker": "pool.errors",
    "ChannelStats": "_stats",
    "Client": "service",
    "InterpreterPoolExecutor": "pool.executor",
    "MapStats": "_stats",
    "MemoryClass": "_stats",
    "MemoryStats": "_stats",
    "PoolStats": "_stats",
    "QueueStats": "_stats",
    "RemoteError": "_remote",
    "Shareable": "_shareable",
    "register": "_records.registry",
    "serve": "service",
}

__all__ = [
    "ArrayView",
    "AtomicInt",
    "Barrier",
    "Broadcast",
    "BroadcastReceiver",
    "BroadcastSender",
    "BrokenInterpreterPool",
    "BrokenWorker",
    "Buffer",
    "BytesView",
    "Cell",
    "ChannelClosed",
    "ChannelEmpty",
    "ChannelFailed",
    "ChannelFull",
    "ChannelStats",
    "ChannelTimeout",
    "Client",
    "Condition",
    "DecodeError",
    "DictView",
    "Error",
    "Event",
    "InterpreterPoolExecutor",
    "Lagged",
    "ListView",
    "Lock",
    "Map",
    "MapStats",
    "MemoryClass",
    "MemoryLimitExceeded",
    "MemoryStats",
    "NotFound",
    "NotShareableError",
    "OwnerDied",
    "PoolStats",
    "Queue",
    "QueueStats",
    "RLock",
    "Receiver",
    "RecordView",
    "RemoteError",
    "Semaphore",
    "Sender",
    "SetView",
    "Shareable",
    "Shared",
    "StrView",
    "TupleView",
    "__version__",
    "aselect",
    "broadcast",
    "channel",
    "channels",
    "dumps",
    "is_shareable",
    "loads",
    "lookup",
    "memory_stats",
    "objects",
    "publish",
    "register",
    "select",
    "serve",
    "set_memory_limit",
    "share",
    "trim",
    "unpublish",
]


if not TYPE_CHECKING:  # type checkers see the imports above

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    shown = {name for name in globals() if name.startswith("__") or not name.startswith("_")}
    return sorted((shown - {"TYPE_CHECKING"}) | set(_LAZY))
