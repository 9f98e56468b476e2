"""The text of an Inspection: who waits for what first, then everything else. Imported on first use."""

from __future__ import annotations

from . import _inspect_groups as groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._inspect import ChannelInspection, EndpointInspection, Inspection, ObjectInspection, Wait


_MOST = 4  # channels and objects that are listed


def short_id(channel: int) -> str:
    """Return what identifies a channel without a name, as in the repr of its endpoints."""
    return f"#{channel & (1 << 64) - 1:x}"


def channel_name(channel: ChannelInspection) -> str:
    """Return the name of a channel, what it is, or its short id."""
    if channel.stats.name is not None and not channel.internal:
        return repr(channel.stats.name)
    if channel.label is None:
        return short_id(channel.stats.id)
    return channel.label if channel.internal else f"{channel.label} {short_id(channel.stats.id)}"


def channel_title(channel: ChannelInspection) -> str:
    """Return the same as part of a sentence: "channel 'rows'", "Queue #1"."""
    return f"channel {channel_name(channel)}" if channel.label is None else channel_name(channel)


def object_name(obj: ObjectInspection) -> str:
    return f"{obj.kind} #{obj.id}" if obj.name is None else f"{obj.kind} {obj.name!r}"


def actor_name(
    interpreter: int | None, interpreter_name: str | None, thread: int | None, thread_name: str | None
) -> str:
    """Return the interpreter and thread in words."""
    words = "C++" if interpreter is None else interpreter_name or f"interpreter {interpreter}"
    if thread is None:
        return words
    return f"{words}, thread {thread}" if thread_name is None else f"{words}, {thread_name} ({thread})"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def depth(channel: ChannelInspection) -> str:
    stats = channel.stats
    return f"{stats.depth} queued" if stats.capacity is None else f"{stats.depth}/{stats.capacity} queued"


def span(waits: Sequence[Wait]) -> str:
    """Return how long calls have waited: "1.0 s", "1.0 s to 2.5 s"."""
    shortest, longest = (duration(choose(wait.seconds for wait in waits)) for choose in (min, max))
    return longest if shortest == longest else f"{shortest} to {longest}"


def actors(waits: Sequence[Wait]) -> str:
    """Return the interpreters of calls, or their threads if all are of one interpreter."""
    if len(waits) == 1:
        (wait,) = waits
        return actor_name(wait.interpreter, wait.interpreter_name, wait.thread, wait.thread_name)
    names = dict.fromkeys(actor_name(wait.interpreter, wait.interpreter_name, None, None) for wait in waits)
    if len(names) > 1:
        return groups.listed(names)
    (name,) = names
    return f"{name}, {groups.listed(wait.thread_name or f'thread {wait.thread}' for wait in waits)}"


def _wait_lines(
    waits: list[Wait], channels: dict[int, ChannelInspection], objects: dict[int, ObjectInspection]
) -> Iterator[str]:
    wait = waits[0]
    notes = [name for name, holds in (("a coroutine", wait.coroutine), ("with a timeout", wait.timeout)) if holds]
    yield f"  {groups.times(waits, wait.call)} for {span(waits)}: {', '.join([actors(waits), *notes])}"
    if wait.place is not None:
        yield f"    at {wait.place}" + (f" in {wait.function}" if wait.function else "")
    elif wait.function is not None:
        yield f"    at the call of task {wait.function} itself"
    channel_ids, numbers = groups.targets(waits)
    for channel in channel_ids[:_MOST]:
        found = channels.get(channel)
        if found is None:
            yield f"    channel {short_id(channel)}"
        elif wait.call == "Queue.join":
            yield f"    {unfinished_tasks(found)} of {channel_title(found)}{_made(found)}"
        else:
            yield f"    {channel_title(found)}: {depth(found)}, {found.state}"
    for number in numbers[:_MOST]:
        found_object = objects.get(number)
        if found_object is None:
            yield f"    object #{number}"
            continue
        yield f"    {object_name(found_object)}{_state(found_object)}"
    more = wait.more + max(len(channel_ids) - _MOST, 0) + max(len(numbers) - _MOST, 0)
    if more:
        yield f"    and {more} more"


def unfinished_tasks(queue: ChannelInspection) -> str:
    """Return what ``join()`` of a Queue waits for."""
    return "1 unfinished task" if queue.unfinished == 1 else f"{queue.unfinished} unfinished tasks"


def _made(channel: ChannelInspection) -> str:
    return f", made at {channel.made}" if channel.made else ""


def _state(obj: ObjectInspection) -> str:
    words = [f"{name} {value}" for name, value in obj.detail.items() if value is not None]
    if obj.owner is not None:
        holder = obj.owner
        words.append("held by " + actor_name(*(getattr(holder, name) for name in holder.__match_args__)))
    return ": " + ", ".join(words) if words else ""


def origin(end: EndpointInspection) -> str:
    """Return where an endpoint comes from."""
    if end.task is not None:
        return f", an argument of task {end.task}"
    return f", opened at {end.opened}" if end.opened else ""


def _endpoint_line(ends: list[EndpointInspection]) -> str:
    end = ends[0]
    if len(ends) == 1:
        who = actor_name(end.interpreter, end.interpreter_name, end.thread, end.thread_name)
        return f"    {end.side} of {who}{origin(end)}"
    who = groups.listed(actor_name(each.interpreter, each.interpreter_name, None, None) for each in ends)
    return f"    {len(ends)} {end.side}s of {who}{origin(end)}"


def _channel_lines(channel: ChannelInspection) -> Iterator[str]:
    stats = channel.stats
    rates = f"sent {stats.sent} ({channel.sent_per_second:.1f}/s)"
    rates += f", received {stats.received} ({channel.received_per_second:.1f}/s)"
    dropped = f", dropped {stats.dropped}" if stats.dropped else ""
    unfinished = "" if channel.unfinished is None else f", {unfinished_tasks(channel)}"
    yield (
        f"  {channel_name(channel)} {stats.flavor}: {depth(channel)}{unfinished}, {channel.state}, {rates}{dropped}"
        f"{_made(channel)}"
    )
    for ends in groups.grouped(channel.senders + channel.receivers, "side", "opened", "task"):
        yield _endpoint_line(ends)
    for side, count in (("sender", channel.senders_in_transit), ("receiver", channel.receivers_in_transit)):
        if count:
            yield f"    {count} {side}{'s' if count > 1 else ''} in transit"


def failures(failed: int, last_error: str | None) -> str:
    """Return how many tasks of a worker have failed."""
    if not failed:
        return ""
    return f", {failed} task{'s' if failed > 1 else ''} failed, the last with {last_error or 'an unknown error'}"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [title, *found] if found else []


def report(inspection: Inspection) -> str:
    """Return the text that ``str()`` of an Inspection returns."""
    channels = {channel.stats.id: channel for channel in inspection.channels}
    objects = {obj.id: obj for obj in inspection.objects}
    busy = [wait for wait in inspection.waits if not wait.idle]
    idle = len(inspection.waits) - len(busy)
    counts = (
        (len(busy), "blocked call"),
        (len(inspection.channels), "channel"),
        (len(inspection.objects), "object"),
        (len(inspection.workers), "worker"),
    )
    head = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)
    lines = [f"process {inspection.pid}: {head}"]
    equal = groups.equal_waits(busy)
    lines += _section("waits", (line for waits in equal for line in _wait_lines(waits, channels, objects)))
    if idle:
        lines.append(f"  and {idle} idle: threads of pools and helpers that have nothing to do")
    if inspection.unshown_waits:
        lines.append(f"  and {inspection.unshown_waits} that the process has no room to show")
    lines += _section("channels", (line for channel in inspection.channels for line in _channel_lines(channel)))
    if inspection.unshown_channels:
        lines.append(f"  and {inspection.unshown_channels} internal ones: inspect(internal=True)")
    lines += _section("objects", (f"  {object_name(obj)}{_state(obj)}" for obj in inspection.objects))
    workers = (
        f"  {worker.name}: {worker.state}"
        + ("" if worker.task is None else f" {worker.task}")
        + ("" if worker.running_for is None else f" for {duration(worker.running_for)}")
        + failures(worker.failed, worker.last_error)
        for worker in inspection.workers
    )
    lines += _section("workers", workers)
    remote = (
        f"  {end.side} of {end.name!r} at {end.server}" + ("" if end.opened is None else f", opened at {end.opened}")
        for end in inspection.remote
    )
    lines += _section("remote", remote)
    return "\n".join(lines)
