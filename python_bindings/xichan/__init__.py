"""Channels and shared immutable values between Python's parallel interpreters.

    import xichan

    tx, rx = xichan.channel(capacity=1024)

Both ends can be handed to other interpreters; values are copied into memory that belongs to the process and decoded at
the far end, without pickling and without polling.
"""

from ._core import (
    Buffer,
    Bytes,
    Receiver,
    Sender,
    Shared,
    Str,
    Tuple,
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
    ArenaFull,
    ChannelClosed,
    ChannelEmpty,
    ChannelFull,
    ChannelTimeout,
    Error,
    NotFound,
    NotShareableError,
)
from ._queue import Queue
from ._stats import Stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._remote import RemoteError
    from .pool.errors import BrokenInterpreterPool, BrokenWorker
    from .pool.executor import InterpreterPoolExecutor
    from .service import Client, serve

# Imported when it is used: an interpreter that does not pays nothing.
_LATER = {
    "BrokenInterpreterPool": "pool.errors",
    "BrokenWorker": "pool.errors",
    "Client": "service",
    "InterpreterPoolExecutor": "pool.executor",
    "RemoteError": "_remote",
    "serve": "service",
}

__all__ = [
    "ArenaFull",
    "Buffer",
    "Bytes",
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
    "Str",
    "Tuple",
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
