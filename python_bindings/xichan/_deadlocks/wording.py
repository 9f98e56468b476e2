"""The text of a deadlock: what each call waits for, and where what could end the wait is."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from .. import _inspect_groups as groups
from .._inspect_report import channel_title, depth, failures, object_name, origin, span, unfinished_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
        equal = groups.equal_waits(self.group.waits)
        parts = [
            f"{groups.times(waits, waits[0].call)} at {_short_code(waits[0])} {self._clause(waits)}"
            for waits in equal[:_MOST]
        ]
        if len(equal) > _MOST:
            parts.append(f"{sum(map(len, equal[_MOST:]))} more calls wait")
        return "; ".join(parts)

    @property
    def details(self) -> str:
        lines = []
        equal = groups.equal_waits(self.group.waits)
        for waits in equal[:_MOST]:
            lines += self._describe(waits)
        if len(equal) > _MOST:
            lines.append(f"  and {sum(map(len, equal[_MOST:]))} more calls")
        if self.group.outside:
            lines.append("  These threads of the main interpreter wait for other threads:")
            lines += [f"    {_outside(thread)}" for thread in self.group.outside[:_MOST]]
        failed = [worker for worker in self.world.inspection.workers if worker.failed]
        if failed:
            lines.append("  These workers have run tasks that failed:")
            lines += [f"    {worker.name}{failures(worker.failed, worker.last_error)}" for worker in failed[:_MOST]]
        return "\n".join(lines)

    def _describe(self, waits: list[Wait]) -> list[str]:
        wait = waits[0]
        lines = [
            f"  {groups.times(waits, wait.call)}, blocked for {span(waits)}, {_threads(waits)}",
            f"    at {_code(wait)}",
        ]
        if wait.call.startswith(_FOR_TASKS):
            return [*lines, "    waits for tasks"]
        channels = list(self._channels_of(waits))
        for channel, side in channels[:_MOST]:
            lines += self._describe_channel(channel, side)
        objects = groups.targets(waits)[1]
        for id in objects[:_MOST]:
            lines.append(f"    waits for {object_name(self.objects[id])}, which {self._state(self.objects[id])}")
        more = max(len(channels) - _MOST, 0) + max(len(objects) - _MOST, 0)
        return [*lines, f"    and {more} more"] if more else lines

    def _channels_of(self, waits: list[Wait]) -> Iterator[tuple[ChannelInspection, str]]:
        """Iterate over the channels that calls wait for, and what they wait as."""
        found = dict.fromkeys(pair for wait in waits for pair in zip(wait.channels, wait.sides, strict=False))
        for id, side in found:
            yield self.channels[id], side

    def _describe_channel(self, channel: ChannelInspection, side: str) -> list[str]:
        queue = self._joined(channel)
        if queue is not None:
            lines = [f"    waits for {unfinished_tasks(queue)} of {_channel(queue, queue.receivers)}"]
            lines += ["      task_done() was not called for each item that was put"]
            return lines + _endpoints(queue.receivers, "Queue")
        others, in_transit = _other_side(channel, side)
        lines = [f"    waits for {_channel(channel, others)}, to {'send' if side == 'sender' else 'receive'}"]
        if channel.unfinished is not None:
            lines += _endpoints(others, "Queue")
        else:
            lines += _endpoints(others, "Receiver" if side == "sender" else "Sender")
        if in_transit:
            lines.append(f"      {in_transit} in messages or pickles that no thread receives")
        return lines

    def _joined(self, channel: ChannelInspection) -> ChannelInspection | None:
        """Return the channel of the Queue whose ``join()`` waits on this one."""
        if channel.label != "Queue.join" or channel.part_of is None:
            return None
        return self.channels.get(channel.part_of)

    def _clause(self, waits: list[Wait]) -> str:
        if waits[0].call.startswith(_FOR_TASKS):
            return "waits for tasks"
        parts = [self._channel_clause(channel, side) for channel, side in list(self._channels_of(waits))[:_MOST]]
        parts += [
            f"waits for {object_name(self.objects[id])}, which {self._state(self.objects[id])}"
            for id in groups.targets(waits)[1][:_MOST]
        ]
        return " and ".join(parts)

    def _channel_clause(self, channel: ChannelInspection, side: str) -> str:
        queue = self._joined(channel)
        if queue is not None:
            held = groups.listed(_holders(queue.receivers), _MOST)
            return (
                f"waits for {unfinished_tasks(queue)} of {_channel(queue, queue.receivers, _short)}, and what could "
                f"call task_done() is held by {held}, where no thread goes on"
            )
        if side == "sender":
            state, verb = "to send to" if channel.stats.capacity == 0 else "for room in", "receive"
        else:
            state, verb = "for a value from", "send"
        others, in_transit = _other_side(channel, side)
        holders = _holders(others)
        if in_transit:
            holders.append("messages or pickles that no thread receives")
        held = (
            f"what could {verb} is held by {groups.listed(holders, _MOST)}" if holders else f"no endpoint could {verb}"
        )
        return f"waits {state} {_channel(channel, others, _short)}, and {held}, where no thread goes on"

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


def _threads(waits: list[Wait]) -> str:
    wait = waits[0]
    kind = "a coroutine of " if wait.coroutine else ""
    if len(waits) > 1 and len({each.interpreter for each in waits}) > 1:
        names = (_interpreter(each.interpreter, each.interpreter_name) for each in waits)
        return f"in {kind and 'coroutines of '}{groups.listed(names)}"
    where = _interpreter(wait.interpreter, wait.interpreter_name)
    names = (
        each.thread_name or f"thread {each.thread}"
        if each.thread_name != each.interpreter_name
        else f"thread {each.thread}"
        for each in waits
    )
    return f"in {kind}{groups.listed(names)} of {where}"


def _code(wait: Wait) -> str:
    if wait.place is None and wait.function:
        return f"the call of task {wait.function} itself"
    return f"{wait.place or 'a line that is not known'}" + (f", in {wait.function}" if wait.function else "")


def _outside(thread: Outside) -> str:
    call = f", in {thread.call}" if thread.call else ""
    return f"{thread.name or f'thread {thread.thread}'} at {thread.place}, in {thread.function}{call}"


def _interpreter(id: int | None, name: str | None) -> str:
    if id is None:
        return "C++"
    return "the main interpreter" if id == 0 else f"interpreter {id}" + (f" ({name})" if name else "")


def _channel(channel: ChannelInspection, ends: Iterable[EndpointInspection], show: Callable[[str], str] = str) -> str:
    """Return what a channel is. ends: those that are named with it; show: how to write the line that has made it."""
    stats = channel.stats
    full = f", {stats.bytes} of {stats.max_bytes} bytes" if stats.max_bytes is not None else ""
    made = channel.made if channel.made not in {end.opened for end in ends} else None
    return f"{channel_title(channel)} ({depth(channel)}{full}{f', made at {show(made)}' if made else ''})"


def _other_side(channel: ChannelInspection, side: str) -> tuple[tuple[EndpointInspection, ...], int]:
    """Return the endpoints that could end a wait, and how many no handle has."""
    if side == "sender":
        return channel.receivers, channel.receivers_in_transit
    return channel.senders, channel.senders_in_transit


def _endpoints(ends: Iterable[EndpointInspection], kind: str) -> list[str]:
    equal = groups.grouped(ends, "interpreter", "opened", "task")
    if len(equal) > _MOST:
        equal = groups.grouped(ends, "opened", "task")
    lines = []
    for same in equal[:_MOST]:
        where = groups.listed(_interpreter(end.interpreter, end.interpreter_name) for end in same)
        number = f"{len(same)} {kind}s" if len(same) > 1 else kind
        lines.append(f"      open {number} of {where}{origin(same[0])}")
    if len(equal) > _MOST:
        lines.append(f"      and {sum(map(len, equal[_MOST:]))} more")
    return lines


def _holders(ends: Iterable[EndpointInspection]) -> list[str]:
    found: dict[str, None] = {}
    for end in ends:
        opened = f" (opened at {_short(end.opened)})" if end.opened else ""
        if end.task is not None:
            opened = f" (task {end.task})"
        found[_interpreter(end.interpreter, end.interpreter_name) + opened] = None
    return list(found)


def _short_code(wait: Wait) -> str:
    return _short(wait.place) if wait.place else _code(wait)


def _short(place: str | None) -> str:
    return os.path.basename(place) if place else "a line that is not known"
