"""Blocked threads that belong together: one deadlock each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._inspect import Wait
    from .liveness import Blocked, Outside, World


class Group(NamedTuple):
    waits: tuple[Wait, ...]  # longest first
    outside: tuple[Outside, ...]  # threads of the main interpreter that cannot go on either


def grouped(world: World, blocked: Iterable[Blocked]) -> list[Group]:
    """Group the threads whose waits are to be reported: those that could end each other's waits."""
    blocked = list(blocked)
    waiting = {thread.thread: thread for thread in blocked if thread.reported}
    leader = {thread: thread for thread in waiting}

    def find(thread: int) -> int:
        while leader[thread] != thread:
            thread = leader[thread]
        return thread

    for thread in waiting.values():
        for other in _partners(world, thread, waiting.values()):
            leader[find(other)] = find(thread.thread)
    groups: dict[int, list[Wait]] = {}
    for thread in waiting.values():
        groups.setdefault(find(thread.thread), []).extend(thread.reported)
    outside = tuple(thread.outside for thread in blocked if thread.outside is not None and thread.outside.place)
    found = [Group(tuple(sorted(waits, key=lambda wait: -wait.seconds)), outside) for waits in groups.values()]
    return sorted(found, key=lambda group: -group.waits[0].seconds)


def _partners(world: World, thread: Blocked, waiting: Iterable[Blocked]) -> Iterable[int]:
    """Return the threads that hold what could end the waits of a thread, or wait for the same."""
    channels = {channel.id: channel for channel in world.inspection.channels}
    objects = {object.id: object for object in world.inspection.objects}
    holders: set[int | None] = set()
    threads: set[int | None] = set()
    for wait in thread.reported:
        for id, side in zip(wait.channels, wait.sides, strict=False):
            channel = channels[id]
            holders |= {end.interpreter for end in (channel.receivers if side == "sender" else channel.senders)}
        for id in wait.objects:
            owner = objects[id].owner
            if owner is not None:
                threads.add(owner.thread)
    targets = {id for wait in thread.reported for id in (*wait.channels, *wait.objects)}
    for other in waiting:
        shared = targets & {id for wait in other.reported for id in (*wait.channels, *wait.objects)}
        inside = {wait.interpreter for wait in other.reported}
        if shared or other.thread in threads or inside & holders:
            yield other.thread
