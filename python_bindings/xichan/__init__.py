"""Channels and shared immutable values between Python's parallel interpreters.

    import xichan

    tx, rx = xichan.channel(capacity=1024)

Both ends can be handed to other interpreters; values are copied into memory that belongs to the process and decoded at
the far end, without pickling and without polling.
"""

from ._core import (
    Buffer,
    BytesView,
    Receiver,
    Sender,
    Shared,
    StrView,
    TupleView,
    __version__,
    aselect,
    channel,
    channels,
    dumps,
    is_shareable,
    loads,
    lookup,
    lookup_receiver,
    lookup_sender,
    memory_stats,
    publish,
    select,
    set_memory_limit,
    share,
    unpublish,
)
from ._errors import (
    ChannelClosed,
    ChannelEmpty,
    ChannelFull,
    ChannelTimeout,
    Error,
    MemoryLimitExceeded,
    NotFound,
    NotShareableError,
)
from ._queue import Queue
from ._stats import Stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pool.errors import BrokenInterpreterPool, BrokenWorker
    from .pool.executor import InterpreterPoolExecutor
    from .pool.remote import RemoteError
    from .service import Client, serve

# Imported when it is used: an interpreter that does not pays nothing.
_LATER = {
    "BrokenInterpreterPool": "pool.errors",
    "BrokenWorker": "pool.errors",
    "Client": "service",
    "InterpreterPoolExecutor": "pool.executor",
    "RemoteError": "pool.remote",
    "serve": "service",
}

__all__ = [
    "MemoryLimitExceeded",
    "Buffer",
    "BytesView",
    "BrokenInterpreterPool",
    "BrokenWorker",
    "ChannelClosed",
    "ChannelEmpty",
    "ChannelFull",
    "ChannelTimeout",
    "Client",
    "Error",
    "InterpreterPoolExecutor",
    "NotFound",
    "NotShareableError",
    "Queue",
    "Receiver",
    "RemoteError",
    "Sender",
    "Shared",
    "Stats",
    "StrView",
    "TupleView",
    "__version__",
    "aselect",
    "channel",
    "channels",
    "dumps",
    "is_shareable",
    "loads",
    "lookup",
    "lookup_receiver",
    "lookup_sender",
    "memory_stats",
    "publish",
    "select",
    "serve",
    "set_memory_limit",
    "share",
    "unpublish",
]


def __getattr__(name):
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__():
    return sorted({*globals(), *_LATER})
