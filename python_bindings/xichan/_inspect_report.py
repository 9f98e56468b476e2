"""The text of an Inspection: who waits for what first, then everything else. Imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._inspect import ChannelInspection, EndpointInspection, Inspection, ObjectInspection, Wait


def short_id(channel: int) -> str:
    """Return what identifies a channel without a name, as in the repr of its endpoints."""
    return f"#{channel & (1 << 64) - 1:x}"


def channel_name(channel: ChannelInspection) -> str:
    return short_id(channel.stats.id) if channel.stats.name is None else repr(channel.stats.name)


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


def _wait_lines(
    wait: Wait, channels: dict[int, ChannelInspection], objects: dict[int, ObjectInspection]
) -> Iterator[str]:
    who = actor_name(wait.interpreter, wait.interpreter_name, wait.thread, wait.thread_name)
    notes = [name for name, holds in (("a coroutine", wait.coroutine), ("with a timeout", wait.timeout)) if holds]
    yield f"  {wait.call} for {duration(wait.seconds)}: {', '.join([who, *notes])}"
    if wait.place is not None:
        yield f"    at {wait.place}" + (f" in {wait.function}" if wait.function else "")
    for channel in wait.channels:
        found = channels.get(channel)
        state = "" if found is None else f": {depth(found)}, {found.state}"
        yield f"    channel {short_id(channel) if found is None else channel_name(found)}{state}"
    for number in wait.objects:
        found_object = objects.get(number)
        if found_object is None:
            yield f"    object #{number}"
            continue
        yield f"    {object_name(found_object)}{_state(found_object)}"
    if wait.more:
        yield f"    and {wait.more} more"


def _state(obj: ObjectInspection) -> str:
    words = [f"{name} {value}" for name, value in obj.detail.items() if value is not None]
    if obj.owner is not None:
        holder = obj.owner
        words.append("held by " + actor_name(*(getattr(holder, name) for name in holder.__match_args__)))
    return ": " + ", ".join(words) if words else ""


def _endpoint_line(endpoint: EndpointInspection) -> str:
    who = actor_name(endpoint.interpreter, endpoint.interpreter_name, endpoint.thread, endpoint.thread_name)
    opened = "" if endpoint.opened is None else f", opened at {endpoint.opened}"
    return f"    {endpoint.side} of {who}{opened}"


def _channel_lines(channel: ChannelInspection) -> Iterator[str]:
    stats = channel.stats
    rates = f"sent {stats.sent} ({channel.sent_per_second:.1f}/s)"
    rates += f", received {stats.received} ({channel.received_per_second:.1f}/s)"
    dropped = f", dropped {stats.dropped}" if stats.dropped else ""
    yield f"  {channel_name(channel)} {stats.flavor}: {depth(channel)}, {channel.state}, {rates}{dropped}"
    yield from map(_endpoint_line, channel.senders + channel.receivers)
    for side, count in (("sender", channel.senders_in_transit), ("receiver", channel.receivers_in_transit)):
        if count:
            yield f"    {count} {side}{'s' if count > 1 else ''} in transit"


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
    lines += _section("waits", (line for wait in busy for line in _wait_lines(wait, channels, objects)))
    if idle:
        lines.append(f"  and {idle} idle: threads of pools and helpers that have nothing to do")
    if inspection.unshown_waits:
        lines.append(f"  and {inspection.unshown_waits} that the process has no room to show")
    lines += _section("channels", (line for channel in inspection.channels for line in _channel_lines(channel)))
    lines += _section("objects", (f"  {object_name(obj)}{_state(obj)}" for obj in inspection.objects))
    workers = (
        f"  {worker.name}: {worker.state}"
        + ("" if worker.task is None else f" {worker.task}")
        + ("" if worker.running_for is None else f" for {duration(worker.running_for)}")
        for worker in inspection.workers
    )
    lines += _section("workers", workers)
    remote = (
        f"  {end.side} of {end.name!r} at {end.server}" + ("" if end.opened is None else f", opened at {end.opened}")
        for end in inspection.remote
    )
    lines += _section("remote", remote)
    return "\n".join(lines)
