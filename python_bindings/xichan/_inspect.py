"""What ``xichan.inspect()`` returns: a snapshot of the process.

Imported on first use, because ``dataclasses`` takes longer to import than the rest of xichan.
"""

from dataclasses import dataclass
from typing import Any

from ._stats import ChannelStats


@dataclass(frozen=True, slots=True)
class Wait:
    """A call that is blocked: a thread that sleeps in it, or a coroutine that waits in its event loop."""

    __module__ = "xichan"

    id: int  # number of this wait; no other wait of the process has or had it
    call: str  # "Receiver.recv", "Sender.send", "select", "Lock.acquire", ...
    channels: tuple[int, ...]  # ids of the channels it waits for, at most 4
    sides: tuple[str, ...]  # for each channel "sender" or "receiver": what the call waits as
    objects: tuple[int, ...]  # ids of the state objects it waits for
    until_closed: bool  # it waits until the channel is closed, not for a value
    more: int  # cases of a select that do not appear in ``channels`` and ``objects``
    interpreter: int | None  # None: a thread of C++
    interpreter_name: str | None  # "main", or the name of a worker
    thread: int  # native id
    thread_name: str | None
    coroutine: bool  # the wait of a coroutine; ``thread`` runs its event loop
    place: str | None  # "file:line" of the Python code that called; None: not known, or xichan itself
    function: str | None  # qualified name of that code; or, without a place, the task that is this call
    seconds: float  # how long it has waited
    timeout: bool  # the call has a timeout
    idle: bool  # a wait that is not a fault: a worker without a task, a helper thread


@dataclass(frozen=True, slots=True)
class EndpointInspection:
    """A Sender or Receiver that is open."""

    __module__ = "xichan"

    side: str  # "sender" or "receiver"
    interpreter: int | None  # None: an endpoint of C++
    interpreter_name: str | None  # "main", or the name of a worker
    thread: int | None  # native id of the thread that opened it
    thread_name: str | None  # None if that thread has ended
    opened: str | None  # "file:line" of the code that opened it; None: not known, or xichan itself
    task: str | None = None  # the task that has it as an argument, if a pool or Workers passed it


@dataclass(frozen=True, slots=True)
class ChannelInspection:
    """A channel. Also has the attributes of ``stats``, except ``senders`` and ``receivers``."""

    __module__ = "xichan"

    stats: ChannelStats
    state: str  # "open", "no senders", "no receivers" or "shut down"
    senders: tuple[EndpointInspection, ...]
    receivers: tuple[EndpointInspection, ...]
    senders_in_transit: int  # in messages, tickets and published values: no handle has them
    receivers_in_transit: int
    waits: tuple[Wait, ...]
    sent_per_second: float  # since the previous inspect() of this interpreter, or since the channel was made
    received_per_second: float
    made: str | None = None  # "file:line" of the code that made the channel
    internal: bool = False  # xichan itself uses it: only inspect(internal=True) lists it
    label: str | None = None  # what a channel without a name is: "Queue", "pool 'images' tasks"
    part_of: int | None = None  # the id of the channel for which an internal one exists
    unfinished: int | None = None  # of a Queue: items for which task_done() has not been called

    @property
    def in_transit(self) -> int:
        """The endpoints that no handle has."""
        return self.senders_in_transit + self.receivers_in_transit

    def __getattr__(self, name: str) -> Any:
        if name not in ChannelStats.__match_args__:
            raise AttributeError(f"'ChannelInspection' object has no attribute {name!r}", name=name, obj=self)
        return getattr(self.stats, name)


@dataclass(frozen=True, slots=True)
class Holder:
    """The thread or coroutine that holds a Lock."""

    __module__ = "xichan"

    interpreter: int | None  # None: a thread of C++
    interpreter_name: str | None
    thread: int | None  # native id; None: not known
    thread_name: str | None  # None: not known, or the thread has ended


@dataclass(frozen=True, slots=True)
class ObjectInspection:
    """An object of shared state."""

    __module__ = "xichan"

    kind: str  # "Lock", "Map", ...
    id: int
    name: str | None
    waits: tuple[Wait, ...]
    owner: Holder | None  # of a Lock or RLock that is held
    detail: dict[str, Any]  # what the kind has: value, parties, arrived, items, ...


@dataclass(frozen=True, slots=True)
class WorkerInspection:
    """A worker of a pool or of Workers."""

    __module__ = "xichan"

    name: str
    kind: str  # "pool" or "workers"
    interpreter: int | None  # None while it starts
    thread: int | None  # native id
    state: str  # "starting", "idle", "running" or "ended"
    task: str | None  # qualified name of the function that it runs
    running_for: float | None  # seconds
    tasks: int  # done
    failed: int = 0  # of these, with an exception
    last_error: str | None = None  # type and message of the exception of the last one that failed


@dataclass(frozen=True, slots=True)
class RemoteInspection:
    """An endpoint of a channel on a server (``xichan.nats``)."""

    __module__ = "xichan"

    name: str  # of the channel
    side: str  # "sender" or "receiver"
    server: str  # the URL of its hub, without secrets
    interpreter: int | None
    interpreter_name: str | None
    thread: int | None  # native id of the thread that opened it
    thread_name: str | None
    opened: str | None  # "file:line" of the code that opened it
    waits: tuple[Wait, ...]  # its calls that wait for a value, for space, or for its end


@dataclass(frozen=True, slots=True)
class Inspection:
    """What exists in the process, and what waits for what, from ``inspect()``."""

    __module__ = "xichan"

    time: float  # time.time() when it was taken
    pid: int
    channels: tuple[ChannelInspection, ...]
    objects: tuple[ObjectInspection, ...]
    waits: tuple[Wait, ...]  # all, also those on no channel or object; longest first
    workers: tuple[WorkerInspection, ...]
    remote: tuple[RemoteInspection, ...]
    unshown_waits: int  # waits that do not appear in ``waits``: the process has more than it has room to show
    unshown_channels: int = 0  # internal ones, which ``inspect(internal=True)`` lists

    def __str__(self) -> str:
        from ._inspect_report import report

        return report(self)
