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

__all__ = [
    "ArenaFull",
    "Buffer",
    "Bytes",
    "ChannelClosed",
    "ChannelEmpty",
    "ChannelFull",
    "ChannelTimeout",
    "Error",
    "NotFound",
    "NotShareableError",
    "Queue",
    "Receiver",
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
    "set_memory_limit",
    "share",
    "unpublish",
]
