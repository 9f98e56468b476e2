"""Channels, queues, pools and shared values for the interpreters of one Python process.

    from xichan import InterpreterPoolExecutor

    with InterpreterPoolExecutor() as pool:  # one interpreter per CPU; no pickling
        print(list(pool.map(pow, range(10), range(10))))

    import xichan

    tx, rx = xichan.channel(capacity=1024)  # both can be sent to other interpreters
    tx.send({"any": ("shareable", "value")})
    print(rx.recv())

Each name has its own page: help(xichan.channel), help(xichan.Sender.send).

Channels
    channel(capacity)        make a channel: (Sender, Receiver)
    Sender, Receiver         its endpoints: send, recv, for loops, asend, arecv, close, clone
    select, aselect          wait for the first of several sends and receives
    lookup, publish, unpublish  values by name, for all interpreters; Sender.lookup(name) finds a channel
    channels                 all channels of the process, with their figures
    Queue(maxsize)           the interface of queue.Queue, between interpreters

Pools and services
    InterpreterPoolExecutor  a concurrent.futures executor whose workers are interpreters
    Workers(n, target)       n interpreters that run a function, supervised; worker() inside them
    serve, Client            requests and replies over a channel

Values
    is_shareable(value)      whether a value can be sent; Shareable is the type for annotations
    register(cls)            make the objects of a class shareable
    share, Shared            encode a value once, send it many times
    Buffer                   memory that is written, then shared without a copy
    dumps, loads             the same encoding as bytes, for files and sockets
    ArrayView, BytesView, DictView, ListView, RecordView, SetView, StrView, TupleView
                             what recv(copy=False) returns: values that are read in place

Memory and figures
    memory_stats, set_memory_limit, trim
    ChannelStats, MemoryClass, MemoryStats, PoolStats, QueueStats

Exceptions
    Error                    the base class of all below
    ChannelClosed, ChannelFailed, ChannelEmpty, ChannelFull, ChannelTimeout
    NotShareableError, DecodeError, MemoryLimitExceeded, NotFound
    BrokenInterpreterPool, BrokenWorker, RemoteError, Interrupted, TaskInterrupted

Commands
    python -m xichan         check the installation; print paths for C++
    python -m xichan.bench   measure, compare and plot
"""

import sys as _sys

from ._core import (
    ArrayView,
    Buffer,
    BytesView,
    DictView,
    ListView,
    Receiver,
    RecordView,
    Sender,
    SetView,
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
    memory_stats,
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
    Interrupted,
    MemoryLimitExceeded,
    NotFound,
    NotShareableError,
)
from ._queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._records.registry import register
    from ._remote import RemoteError
    from ._shareable import Shareable
    from ._stats import ChannelStats, MemoryClass, MemoryStats, PoolStats, QueueStats
    from .pool.errors import BrokenInterpreterPool, BrokenWorker, TaskInterrupted
    from .pool.executor import InterpreterPoolExecutor
    from .pool.member import worker
    from .pool.supervisor import Workers
    from .service import Client, serve

# Imported on first use, so that an interpreter pays only for what it uses.
_LAZY = {
    "BrokenInterpreterPool": "pool.errors",
    "BrokenWorker": "pool.errors",
    "ChannelStats": "_stats",
    "Client": "service",
    "InterpreterPoolExecutor": "pool.executor",
    "MemoryClass": "_stats",
    "MemoryStats": "_stats",
    "PoolStats": "_stats",
    "QueueStats": "_stats",
    "RemoteError": "_remote",
    "Shareable": "_shareable",
    "TaskInterrupted": "pool.errors",
    "Workers": "pool.supervisor",
    "register": "_records.registry",
    "serve": "service",
    "worker": "pool.member",
}

__all__ = [
    "ArrayView",
    "BrokenInterpreterPool",
    "BrokenWorker",
    "Buffer",
    "BytesView",
    "ChannelClosed",
    "ChannelEmpty",
    "ChannelFailed",
    "ChannelFull",
    "ChannelStats",
    "ChannelTimeout",
    "Client",
    "DecodeError",
    "DictView",
    "Error",
    "InterpreterPoolExecutor",
    "Interrupted",
    "ListView",
    "MemoryClass",
    "MemoryLimitExceeded",
    "MemoryStats",
    "NotFound",
    "NotShareableError",
    "PoolStats",
    "Queue",
    "QueueStats",
    "Receiver",
    "RecordView",
    "RemoteError",
    "Sender",
    "SetView",
    "Shareable",
    "Shared",
    "StrView",
    "TaskInterrupted",
    "TupleView",
    "Workers",
    "__version__",
    "aselect",
    "channel",
    "channels",
    "dumps",
    "is_shareable",
    "loads",
    "lookup",
    "memory_stats",
    "publish",
    "register",
    "select",
    "serve",
    "set_memory_limit",
    "share",
    "trim",
    "unpublish",
    "worker",
]


if not TYPE_CHECKING:  # type checkers see the imports above

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            from ._hints import missing_name

            raise missing_name(_sys.modules[__name__], name)
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    # help() documents each name of dir() in full: two thousand lines, before which the page above is lost.
    return [] if _called_by_pydoc() else sorted(__all__)


def _called_by_pydoc() -> bool:
    frame = _sys._getframe().f_back
    for _ in range(4):  # __dir__(), inspect.getmembers() and its helper, pydoc
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == "pydoc":
            return True
        frame = frame.f_back
    return False
