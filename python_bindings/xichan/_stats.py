"""Records of statistics: snapshots, which do not change when their source does.

Imported by the first call that makes a record, because ``dataclasses`` takes longer to import than the rest of xichan.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """Statistics of a channel, from ``stats()`` of its endpoints and ``channels()``.

    Counts are read one after another: they are exact only while no other thread uses the channel.
    """

    __module__ = "xichan"

    id: int  # the same for all endpoints of the channel
    name: str | None
    flavor: str  # "mpmc", "spsc", "unbounded", "relaxed" or "rendezvous"
    capacity: int | None  # None: unbounded
    max_bytes: int | None  # None: no bound
    depth: int  # values queued
    bytes: int  # memory of the values queued; 0 unless max_bytes bounds it
    sent: int  # including those dropped
    received: int
    dropped: int  # because the channel was full: see channel(overflow=)
    senders: int  # open in the whole process, including those in messages that are queued
    receivers: int
    waiting_senders: int  # calls that are blocked now
    waiting_receivers: int
    parks: int  # how often a call blocked
    wakeups: int  # how often a blocked call was woken
    tickets: int  # endpoints that were pickled, or passed through the standard library, and not yet claimed
    pickled: int  # values that Senders pickled, because the channel was created with pickle=True


@dataclass(frozen=True, slots=True)
class MapStats:
    """Statistics of a Map, from its ``stats()``."""

    __module__ = "xichan"

    items: int  # those that have not expired
    bytes: int  # what max_bytes bounds: keys, values and entries, expired ones included until they are removed
    max_items: int | None  # None: no bound
    max_bytes: int | None
    ttl: float | None  # seconds that an entry lives unless it has its own ttl; None: as long as the Map
    hits: int  # reads that found their key; reads at the same moment may count as one
    misses: int
    evicted: int  # entries removed to make room
    expired: int  # expired entries that were removed


@dataclass(frozen=True)
class QueueStats(ChannelStats):
    """Statistics of a Queue: those of the channel that holds its items, and two of its own."""

    __module__ = "xichan"
    __slots__ = ("unfinished", "waiting_joiners")  # slots=True repeats the inherited ones to type checkers

    unfinished: int  # items put for which task_done() has not been called
    waiting_joiners: int  # calls of join() that are blocked now


@dataclass(frozen=True, slots=True)
class MemoryClass:
    """Blocks of one size class, as in ``MemoryStats.classes``."""

    __module__ = "xichan"

    size: int | None  # bytes of the largest block of the class; None: the class of all larger blocks
    alive: int
    cached: int  # freed and kept for reuse


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """Statistics of the process-wide arena, from ``memory_stats()``.

    Exact only while no thread sends or receives.
    """

    __module__ = "xichan"

    blocks: int  # alive
    bytes: int  # what counts against the limit: these blocks, lent bytes, and the rings of all channels beyond 4 MiB
    high_water: int  # the maximum of ``bytes`` so far, to within 32 KiB per thread
    limit: int | None  # as set by set_memory_limit()
    cached: int  # bytes of freed blocks kept for reuse, not counted against the limit
    rings: int  # bytes of the rings of all channels, which take memory as their slots are first used
    lent_bytes: int  # bytes of large str and bytes objects that messages show without a copy
    classes: tuple[MemoryClass, ...]  # the size classes in use


@dataclass(frozen=True, slots=True)
class RefusedModule:
    """An extension module that workers could not load, as in ``PoolStats.refused`` and ``Workers.refused``."""

    __module__ = "xichan"

    reason: str  # the message of the ImportError
    importer: str | None  # the line that imported it first, as "file:line"; None: xichan itself
    workers: int  # interpreters of workers that have refused it; each does so once
    degraded: bool  # whether what imported it has gone on without it


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Statistics of an InterpreterPoolExecutor.

    Every task that was submitted ends up in one of ``finished``, ``failed`` and ``cancelled``.
    """

    __module__ = "xichan"

    workers: int  # alive
    max_workers: int
    standby: int  # interpreters that are ready for a new worker
    queued: int  # messages that no worker has taken; a chunk of map() is one message
    submitted: int
    finished: int  # with a result
    failed: int  # with an exception
    cancelled: int
    lost: int  # workers that ended while they ran a task
    replaced: int  # workers whose interpreter was replaced
    pickled_calls: int  # calls that could not be sent as values
    pickled_results: int
    refused: dict[str, RefusedModule]  # the modules that workers could not load, by name
    last_error: str | None  # type and message of the exception of the task that failed last


def queue_stats(items: ChannelStats, unfinished: int, waiting_joiners: int) -> QueueStats:
    """Extend the statistics of the channel that holds the items of a queue."""
    fields = {name: getattr(items, name) for name in ChannelStats.__match_args__}
    return QueueStats(**fields, unfinished=unfinished, waiting_joiners=waiting_joiners)
