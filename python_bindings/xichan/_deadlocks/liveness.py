"""Which waits can never end: the analysis of a snapshot.

A thread is *blocked* if it sleeps in a wait that only other threads of the process can end; any other thread is *live*.
At first every thread that seems to be blocked counts as such. Then each of these is taken out that a live thread can
resume, and so is live itself, until none is left: the greatest set of threads that wait for each other alone.

What a live thread can resume is decided in its favor. A live thread may do anything with what its interpreter holds:

1. A wait for a channel ends if a live thread can use *any* endpoint of it, because that can shut the channel down. The
   threads of an interpreter share what it holds. An interpreter in which no thread runs can be called or closed by
   any live thread. Endpoints in messages, and channels with a name, are within reach of all live threads.
2. A wait for a shared object ends if there is a live thread at all, because handles of objects are not listed. An RLock
   is released by its owner alone.
3. A wait for a lock of ``threading`` ends if another thread of the same interpreter is live.
4. An event loop goes on if one of its coroutines can, or another thread of its interpreter is live. Without coroutines
   that wait, it is a thread as in 3.
5. Threads that run no Python code may enter any interpreter, and signal handlers run in the main thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._inspect import ChannelInspection, Inspection, ObjectInspection, Wait
    from .._stats import ChannelStats

MAIN = 0  # the id of the main interpreter
_SENDS = "sender"
_PACKAGE = __file__.rpartition("_deadlocks")[0]


class Outside(NamedTuple):
    """A thread of the main interpreter that waits for another one outside of xichan, such as in ``Thread.join``."""

    thread: int  # native id
    name: str | None
    own: bool  # surely for a thread of its own interpreter
    call: str | None  # "Thread.join"; None: a call of a function that is implemented in C
    function: str | None  # the code of the program that made the call
    place: str | None  # "file:line"


@dataclass(frozen=True)
class World:
    """A snapshot of the process: what ``inspect()`` shows, and the threads."""

    inspection: Inspection
    waits: tuple[Wait, ...]  # those that lasted while the snapshot was taken, and whose threads slept
    threads: frozenset[int]  # native ids of all threads, except those that only look
    of_main: frozenset[int] = frozenset()  # of these, those that the main interpreter knows
    outside: tuple[Outside, ...] = ()
    loops: frozenset[int] = frozenset()  # threads in event loops that wait for coroutine waits, or other threads, alone
    running: frozenset[int] = frozenset()  # other interpreters in which a thread runs
    has_handlers: bool = False  # signal handlers
    looks_from: int | None = None  # the interpreter that runs in the calling thread, which does not count as live


@dataclass
class Blocked:
    """A thread that is blocked."""

    thread: int
    interpreters: frozenset[int]  # where it is live once it goes on
    waits: tuple[Wait, ...] = ()  # more than one: of the coroutines of an event loop
    outside: Outside | None = None
    reported: tuple[Wait, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.reported = tuple(wait for wait in self.waits if not (wait.idle or _is_internal(wait)))


def _is_internal(wait: Wait) -> bool:
    """Return whether code of xichan alone has made a call, such as that of a helper thread. Long paths are cut."""
    file = (wait.place or "").rpartition(":")[0]
    return file.startswith(_PACKAGE) or _PACKAGE[-32:] in file


def find_blocked(world: World) -> list[Blocked]:
    """Return the threads that can never go on."""
    return _Search(world).run()


class _Search:
    def __init__(self, world: World) -> None:
        self.world = world
        self.channels = {channel.id: channel for channel in world.inspection.channels}
        self.objects = {object.id: object for object in world.inspection.objects}
        self.blocked = {thread.thread: thread for thread in self._candidates()}
        self.live: set[int] = set()  # interpreters in which a live thread runs
        self.anywhere = False  # a live thread may enter every interpreter
        if world.has_handlers:
            self.live.add(MAIN)
        for thread in world.threads - set(self.blocked):
            self._add_live(thread)
        known = {id for id in world.running if id == world.looks_from or self._is_accounted_for(id)}
        self.live |= world.running - known

    def _candidates(self) -> Iterable[Blocked]:
        world = self.world
        direct: dict[int, Wait] = {}
        coroutines: dict[int, list[Wait]] = {}
        for wait in world.waits:
            if wait.coroutine:
                coroutines.setdefault(wait.thread, []).append(wait)
            elif not wait.timeout:
                direct[wait.thread] = wait
        threads = world.threads - ({world.inspection.pid} if world.has_handlers else set())
        for thread in threads:
            own = frozenset({MAIN} if thread in world.of_main else ())
            if thread in direct:
                wait = direct[thread]
                if wait.interpreter is not None:
                    yield Blocked(thread, own | {wait.interpreter}, (wait,))
            elif thread in world.loops and thread in coroutines:
                waits = tuple(coroutines[thread])
                inside = {wait.interpreter for wait in waits if wait.interpreter is not None}
                yield Blocked(thread, own | inside, waits)
        for outside in world.outside:
            waits_in_loop = outside.thread in world.loops and outside.thread in coroutines
            if outside.thread in threads and outside.thread not in direct and not waits_in_loop:
                yield Blocked(outside.thread, frozenset({MAIN}), outside=outside)

    def _is_accounted_for(self, interpreter: int) -> bool:
        """Return whether the thread that runs in an interpreter, called from the main one, is known to be blocked."""
        return any(
            wait.interpreter == interpreter and thread.thread in self.world.of_main
            for thread in self.blocked.values()
            for wait in thread.waits
        )

    def run(self) -> list[Blocked]:
        resumed = True
        while resumed:
            resumed = False
            for thread in list(self.blocked.values()):
                if self._can_go_on(thread):
                    del self.blocked[thread.thread]
                    self._add_live(thread.thread, thread)
                    resumed = True
        return list(self.blocked.values())

    def _add_live(self, thread: int, blocked: Blocked | None = None) -> None:
        known = {wait.interpreter for wait in self.world.inspection.waits if wait.thread == thread}
        if blocked is not None:
            known |= blocked.interpreters
        if thread in self.world.of_main:
            known.add(MAIN)
        if not known or None in known:
            self.anywhere = True
        self.live |= {id for id in known if id is not None}

    def _can_go_on(self, thread: Blocked) -> bool:
        if self.anywhere:
            return True
        if thread.outside is not None:
            return MAIN in self.live if thread.outside.own else bool(self.live)
        if any(wait.coroutine for wait in thread.waits) and thread.interpreters & self.live:
            return True
        return any(self._can_end(wait) for wait in thread.waits)

    def _can_end(self, wait: Wait) -> bool:
        assert wait.interpreter is not None
        if wait.interpreter != MAIN:
            if wait.interpreter not in self.world.running:
                return True  # a thread that the interpreter has left, or one that it waits for at its end
            if wait.interpreter_name is not None and MAIN in self.live:
                return True  # a task of a pool, which its program may interrupt
        if not wait.channels and not wait.objects:
            return True  # not known what it waits for
        if wait.more and self.live:
            return True
        sides = dict(zip(wait.channels, wait.sides, strict=False))
        return any(self._changes_channel(wait, sides.get(id), self.channels.get(id)) for id in wait.channels) or any(
            self._changes_object(self.objects.get(id)) for id in wait.objects
        )

    def _changes_channel(self, wait: Wait, side: str | None, channel: ChannelInspection | None) -> bool:
        if channel is None or channel.state != "open":  # it changes at this moment, and wakes its waits
            return True
        stats = channel.stats
        if not wait.until_closed and self._is_ready(side, stats):
            return True
        if (stats.name is not None or channel.in_transit or stats.tickets) and self.live:
            return True
        return any(self._has_live_user(end.interpreter) for end in (*channel.senders, *channel.receivers))

    @staticmethod
    def _is_ready(side: str | None, stats: ChannelStats) -> bool:
        """Return whether the call could proceed: then it is about to be woken."""
        if side == _SENDS:
            return stats.max_bytes is None and (stats.capacity is None or stats.depth < stats.capacity)
        return stats.depth > 0

    def _has_live_user(self, interpreter: int | None) -> bool:
        """Return whether a live thread can use what an interpreter holds. None: C++."""
        if interpreter is None or interpreter in self.live:
            return True
        return interpreter != MAIN and interpreter not in self.world.running and bool(self.live)

    def _changes_object(self, object: ObjectInspection | None) -> bool:
        if object is None:
            return True
        owner = object.owner
        if object.kind == "RLock" and owner is not None and owner.thread is not None and owner.interpreter is not None:
            if owner.thread in self.world.threads:
                return owner.thread not in self.blocked
            return owner.interpreter != MAIN and bool(self.live)  # released if its interpreter ends
        return bool(self.live)
