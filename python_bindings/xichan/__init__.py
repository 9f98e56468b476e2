"""Channels, queues, pools and shared values for the interpreters of one Python process.

    from xichan import InterpreterPoolExecutor

    with InterpreterPoolExecutor() as pool:  # one interpreter per CPU
        print(list(pool.map(pow, range(10), range(10))))

    import xichan

    tx, rx = xichan.channel(capacity=1024)  # both can be sent to other interpreters
    tx.send({"any": ("shareable", "value")})
    print(rx.recv())

Each name has its own page: help(xichan.channel), help(xichan.Sender.send).

Channels
    channel(capacity)        make a channel: (Sender, Receiver)
    Sender, Receiver         its endpoints: send, recv, for loops, asend, arecv, close, clone
    select, aselect          wait for the first of several sends, receives and futures
    lookup, publish, unpublish  values by name, for all interpreters; Sender.lookup(name) finds a channel
    channels                 all channels of the process, with their figures
    Queue(maxsize)           the interface of queue.Queue, between interpreters

Pools and services
    InterpreterPoolExecutor  a concurrent.futures executor whose workers are interpreters; fallback= for C extensions
    Workers(n, target)       n interpreters that run a function, supervised; worker() inside them
    serve, Client            requests and replies over a channel
    xichan.nats              channels between processes and machines, over a NATS server
    probe(name)              whether a package loads in workers: a ProbeResult

Values
    is_shareable(value)      whether a value can be sent; Shareable is the type for annotations
    register(cls)            make the objects of a class shareable
    share, Shared            encode a value once, send it many times
    Buffer                   memory that is written, then shared without a copy
    descriptor(sock_or_file), Descriptor  a socket, pipe or file that moves to the receiver
    dumps, loads             the same encoding as bytes, for files and sockets
    ArrayView, BytesView, DictView, ListView, RecordView, SetView, StrView, TupleView  what recv(copy=False) returns

State that interpreters share
    AtomicInt, Cell, Map     a counter, a value, a mapping; Map.lookup(name) finds one
    Lock, RLock, Semaphore, Event, Barrier, Condition  as in threading, between interpreters
    broadcast(capacity)      a channel to all subscribers: BroadcastSender, Broadcast, BroadcastReceiver
    objects                  all shared objects of the process

See inside
    inspect                  channels, endpoints, objects and blocked calls of the process, with lines: an Inspection
    ChannelInspection, EndpointInspection, ObjectInspection, RemoteInspection, WorkerInspection, Wait, Holder  its parts
    deadlocks                calls that can never return: a tuple of Deadlock; XICHAN_DEADLOCK=warn looks for them
    trace(path), Trace       record sends, receives, waits and tasks of all interpreters, for Perfetto

Memory and figures
    memory_stats, set_memory_limit, trim
    ChannelStats, MapStats, MemoryClass, MemoryStats, PoolStats, QueueStats, RefusedModule

Exceptions
    Error                    the base class of all below
    ChannelClosed, ChannelFailed, ChannelEmpty, ChannelFull, ChannelTimeout
    NotShareableError, DecodeError, MemoryLimitExceeded, NotFound, Lagged, OwnerDied
    BrokenInterpreterPool, BrokenWorker, RemoteError, Interrupted, TaskInterrupted, RefusedModuleWarning

Commands
    python -m xichan         check the installation; print paths for C++; probe NAME... as probe() does
    python -m xichan top     live tables of the channels and blocked calls of a process
    python -m xichan.bench   measure, compare and plot
"""

import sys as _sys
from _collections_abc import MutableMapping as _MutableMapping
from os import environ as _environ
from os import register_at_fork as _register_at_fork

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
    Descriptor,
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
    Interrupted,
    Lagged,
    MemoryLimitExceeded,
    NotFound,
    NotShareableError,
    OwnerDied,
)
from ._queue import Queue

_MutableMapping.register(Map)
_QUEUE = Queue  # loads its module, which registers the type, even if imports are lazy (CPython 3.15)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._deadlocks import Deadlock, deadlocks
    from ._descriptor import descriptor
    from ._inspect import (
        ChannelInspection,
        EndpointInspection,
        Holder,
        Inspection,
        ObjectInspection,
        RemoteInspection,
        Wait,
        WorkerInspection,
    )
    from ._inspect_process import inspect
    from ._probe import ProbeResult, probe
    from ._records.registry import register
    from ._remote import RemoteError
    from ._shareable import Shareable
    from ._stats import ChannelStats, MapStats, MemoryClass, MemoryStats, PoolStats, QueueStats, RefusedModule
    from ._trace import Trace, trace
    from .pool.errors import BrokenInterpreterPool, BrokenWorker, RefusedModuleWarning, TaskInterrupted
    from .pool.executor import InterpreterPoolExecutor
    from .pool.member import worker
    from .pool.supervised import Workers
    from .service import Client, serve

# Imported on first use, so that an interpreter pays only for what it uses.
_LAZY = {
    "BrokenInterpreterPool": "pool.errors",
    "BrokenWorker": "pool.errors",
    "ChannelInspection": "_inspect",
    "ChannelStats": "_stats",
    "Client": "service",
    "Deadlock": "_deadlocks",
    "EndpointInspection": "_inspect",
    "Holder": "_inspect",
    "Inspection": "_inspect",
    "InterpreterPoolExecutor": "pool.executor",
    "MapStats": "_stats",
    "MemoryClass": "_stats",
    "MemoryStats": "_stats",
    "ObjectInspection": "_inspect",
    "PoolStats": "_stats",
    "ProbeResult": "_probe",
    "QueueStats": "_stats",
    "RefusedModule": "_stats",
    "RefusedModuleWarning": "pool.errors",
    "RemoteError": "_remote",
    "RemoteInspection": "_inspect",
    "Shareable": "_shareable",
    "TaskInterrupted": "pool.errors",
    "Trace": "_trace",
    "Wait": "_inspect",
    "WorkerInspection": "_inspect",
    "Workers": "pool.supervised",
    "deadlocks": "_deadlocks",
    "descriptor": "_descriptor",
    "inspect": "_inspect_process",
    "probe": "_probe",
    "register": "_records.registry",
    "serve": "service",
    "trace": "_trace",
    "worker": "pool.member",
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
    "ChannelInspection",
    "ChannelStats",
    "ChannelTimeout",
    "Client",
    "Condition",
    "Deadlock",
    "DecodeError",
    "Descriptor",
    "DictView",
    "EndpointInspection",
    "Error",
    "Event",
    "Holder",
    "Inspection",
    "InterpreterPoolExecutor",
    "Interrupted",
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
    "ObjectInspection",
    "OwnerDied",
    "PoolStats",
    "ProbeResult",
    "Queue",
    "QueueStats",
    "RLock",
    "Receiver",
    "RecordView",
    "RefusedModule",
    "RefusedModuleWarning",
    "RemoteError",
    "RemoteInspection",
    "Semaphore",
    "Sender",
    "SetView",
    "Shareable",
    "Shared",
    "StrView",
    "TaskInterrupted",
    "Trace",
    "TupleView",
    "Wait",
    "WorkerInspection",
    "Workers",
    "__version__",
    "aselect",
    "broadcast",
    "channel",
    "channels",
    "deadlocks",
    "descriptor",
    "dumps",
    "inspect",
    "is_shareable",
    "loads",
    "lookup",
    "memory_stats",
    "objects",
    "probe",
    "publish",
    "register",
    "select",
    "serve",
    "set_memory_limit",
    "share",
    "trace",
    "trim",
    "unpublish",
    "worker",
]


if not TYPE_CHECKING:  # type checkers see the imports above

    def __getattr__(name):
        module = _LAZY.get(name)
        if module is None:
            if name.startswith("_"):  # the import of a submodule, as in each worker, asks for this name first
                message = f"module {__name__!r} has no attribute {name!r}"
                raise AttributeError(message, name=name, obj=_sys.modules[__name__])
            from ._hints import missing_name

            raise missing_name(_sys.modules[__name__], name)
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{module}"), name)

    # A child of a fork has no thread that would end an import which another thread of its parent has begun: it would
    # wait for the lock of the module forever.
    def _finish_imports():
        """Wait until no other thread imports a module of the package."""
        for name in list(_bootstrap._module_locks):
            if name.startswith("xichan."):
                _bootstrap._lock_unlock_module(name)  # does not wait for a thread that waits for this one

    import _frozen_importlib as _bootstrap

    # With globals of its own: a hook is never removed, and this one would keep the module when it is imported anew.
    _register_at_fork(before=type(_finish_imports)(_finish_imports.__code__, {"_bootstrap": _bootstrap}))


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


if _environ.get("XICHAN_DEADLOCK", "0") not in ("", "0"):
    from ._deadlocks.watch import enable as _enable

    _enable(_environ["XICHAN_DEADLOCK"])
