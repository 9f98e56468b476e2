"""The text of a deadlock: what each call waits for, and where what could end the wait is."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from .._inspect_report import channel_name, depth, duration, object_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._inspect import ChannelInspection, EndpointInspection, Holder, ObjectInspection, Wait
    from .groups import Group
    from .liveness import Outside, World

_KINDS = {"RLock": "lock", "BroadcastSender": "broadcast", "BroadcastReceiver": "broadcast"}
_MOST = 8  # waits, endpoints or threads that are listed
_FOR_TASKS = ("Future.", "ViewFuture.", "Batch.", "InterpreterPoolExecutor.", "Executor.", "Workers.")


class Wording:
    """Describes one group of waits."""

    def __init__(self, world: World, group: Group) -> None:
        self.world = world
        self.group = group
        self.channels = {channel.id: channel for channel in world.inspection.channels}
        self.objects = {object.id: object for object in world.inspection.objects}

    @property
    def kind(self) -> str:
        waits = [wait for wait in self.group.waits if not wait.call.startswith(_FOR_TASKS)] or self.group.waits
        kinds = {"channel" for wait in waits if wait.channels}
        for wait in waits:
            for id in wait.objects:
                kind = self.objects[id].kind
                kinds.add(_KINDS.get(kind, kind.lower()))
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def reason(self) -> str:
        parts = [f"{wait.call} at {_short(wait.place)} {self._clause(wait)}" for wait in self.group.waits[:_MOST]]
        if len(self.group.waits) > _MOST:
            parts.append(f"{len(self.group.waits) - _MOST} more calls wait")
        return "; ".join(parts)

    @property
    def details(self) -> str:
        lines = []
        for wait in self.group.waits[:_MOST]:
            lines += self._describe(wait)
        if len(self.group.waits) > _MOST:
            lines.append(f"  and {len(self.group.waits) - _MOST} more calls")
        if self.group.outside:
            lines.append("  These threads of the main interpreter wait for other threads:")
            lines += [f"    {_outside(thread)}" for thread in self.group.outside[:_MOST]]
        return "\n".join(lines)

    def _describe(self, wait: Wait) -> list[str]:
        lines = [f"  {wait.call}, blocked for {duration(wait.seconds)}, {_thread(wait)}", f"    at {_code(wait)}"]
        if wait.call.startswith(_FOR_TASKS):
            return [*lines, "    waits for tasks"]
        for id, side in zip(wait.channels, wait.sides, strict=False):
            channel = self.channels[id]
            others = channel.receivers if side == "sender" else channel.senders
            lines.append(f"    waits for {_channel(channel)}, to {'send' if side == 'sender' else 'receive'}")
            lines += [f"      open {_endpoint(end)}" for end in others[:_MOST]]
            if len(others) > _MOST:
                lines.append(f"      and {len(others) - _MOST} more")
            in_transit = channel.receivers_in_transit if side == "sender" else channel.senders_in_transit
            if in_transit:
                lines.append(f"      {in_transit} in messages or pickles that no thread receives")
        for id in wait.objects:
            lines.append(f"    waits for {object_name(self.objects[id])}, which {self._state(self.objects[id])}")
        return lines

    def _clause(self, wait: Wait) -> str:
        if wait.call.startswith(_FOR_TASKS):
            return "waits for tasks"
        parts = [
            self._channel_clause(self.channels[id], side) for id, side in zip(wait.channels, wait.sides, strict=False)
        ]
        parts += [
            f"waits for {object_name(self.objects[id])}, which {self._state(self.objects[id])}" for id in wait.objects
        ]
        return " and ".join(parts)

    def _channel_clause(self, channel: ChannelInspection, side: str) -> str:
        if side == "sender":
            state = "to send to" if channel.stats.capacity == 0 else "for room in"
            verb, others, in_transit = "receive", channel.receivers, channel.receivers_in_transit
        else:
            state = "for a value from"
            verb, others, in_transit = "send", channel.senders, channel.senders_in_transit
        holders = _holders(others)
        if in_transit:
            holders.append("messages or pickles that no thread receives")
        where = f"what could {verb} is held by {_listed(holders)}" if holders else f"no endpoint could {verb}"
        return f"waits {state} {_channel(channel)}, and {where}, where no thread goes on"

    def _state(self, object: ObjectInspection) -> str:
        if object.owner is not None:
            return f"is held by {self._owner(object.owner)}"
        detail = object.detail
        match object.kind:
            case "Barrier" if {"parties", "arrived"} <= detail.keys():
                return f"{detail['arrived']} of {detail['parties']} parties have reached"
            case "Semaphore":
                return "no thread releases"
            case "Event":
                return "no thread sets"
            case "Condition":
                return "no thread notifies"
            case "Lock" | "RLock":
                return "no thread releases"
        return "no thread changes"

    def _owner(self, owner: Holder) -> str:
        interpreter = _interpreter(owner.interpreter, owner.interpreter_name)
        if owner.thread is None:
            return f"a coroutine or thread of {interpreter}"
        if owner.thread not in self.world.threads:
            return f"a thread of {interpreter} that has ended"
        name = owner.thread_name or f"thread {owner.thread}"
        waits = [wait for wait in self.group.waits if wait.thread == owner.thread]
        if waits:
            return f"{name} of {interpreter}, which waits in {waits[0].call} at {_short(waits[0].place)}"
        return f"{name} of {interpreter}"


def _thread(wait: Wait) -> str:
    where = _interpreter(wait.interpreter, wait.interpreter_name)
    name = wait.thread_name if wait.thread_name not in (None, wait.interpreter_name) else f"thread {wait.thread}"
    return f"in {'a coroutine of ' if wait.coroutine else ''}{name} of {where}"


def _code(wait: Wait) -> str:
    return f"{wait.place or 'a line that is not known'}" + (f", in {wait.function}" if wait.function else "")


def _outside(thread: Outside) -> str:
    call = f", in {thread.call}" if thread.call else ""
    return f"{thread.name or f'thread {thread.thread}'} at {thread.place}, in {thread.function}{call}"


def _interpreter(id: int | None, name: str | None) -> str:
    if id is None:
        return "C++"
    return "the main interpreter" if id == 0 else f"interpreter {id}" + (f" ({name})" if name else "")


def _channel(channel: ChannelInspection) -> str:
    stats = channel.stats
    full = f", {stats.bytes} of {stats.max_bytes} bytes" if stats.max_bytes is not None else ""
    return f"channel {channel_name(channel)} ({depth(channel)}{full})"


def _endpoint(end: EndpointInspection) -> str:
    opened = f", opened at {end.opened}" if end.opened else ""
    return f"{end.side.capitalize()} of {_interpreter(end.interpreter, end.interpreter_name)}{opened}"


def _holders(ends: Iterable[EndpointInspection]) -> list[str]:
    found: dict[str, None] = {}
    for end in ends:
        opened = f" (opened at {_short(end.opened)})" if end.opened else ""
        found[_interpreter(end.interpreter, end.interpreter_name) + opened] = None
    return list(found)


def _short(place: str | None) -> str:
    return os.path.basename(place) if place else "a line that is not known"


def _listed(items: list[str]) -> str:
    if len(items) > _MOST:
        items = [*items[:_MOST], f"{len(items) - _MOST} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
