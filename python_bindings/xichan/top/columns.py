"""The columns of the tables, for text and terminal."""

from __future__ import annotations

from typing import NamedTuple

from .._inspect_report import short_id
from . import model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

BAR = 8  # characters of a full channel
EIGHTHS = " ▏▎▍▌▋▊▉█"
MOST_COMMAND = 60  # characters of a command line


class Column(NamedTuple):
    """A column of a table: its heading, the text of a row, and what rows are sorted by."""

    heading: str
    text: Callable[[Any], str]
    key: Callable[[Any], Any]
    right: bool = False  # aligned to the right


class Table(NamedTuple):
    """A table: the field of Snapshot with its rows, its title, its columns."""

    field: str
    title: str
    columns: tuple[Column, ...]
    key: Callable[[Any], object]  # of a row, stable between two snapshots


def count(number: float) -> str:
    """Return a count in at most six characters: 12, 1.2k, 34M."""
    for unit in ("", "k", "M", "G", "T"):
        if number < 1000 or unit == "T":
            break
        number /= 1000
    if unit == "" and number == int(number) or number >= 100:
        return f"{number:.0f}{unit}"
    return f"{number:.1f}{unit}"


def size(number: int) -> str:
    """Return a number of bytes: 12 B, 1.5 KiB."""
    value: float = number
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Return a time: 12 ms, 1.5 s, 3:25, 1:02:03."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def fill(channel: model.Channel) -> float:
    """Return how full a channel is, from 0 to 1. Without a bound it is never full."""
    return min(channel.depth / channel.capacity, 1.0) if channel.capacity else 0.0


def bar(channel: model.Channel) -> str:
    """Return how full a channel is, as a bar of fixed width."""
    eighths = round(fill(channel) * BAR * 8)
    if channel.depth and not eighths and channel.capacity:
        eighths = 1
    whole, part = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[part] if part else "")).ljust(BAR, "·" if channel.capacity else " ")


def depth(channel: model.Channel) -> str:
    """Return bar, depth and capacity."""
    capacity = "∞" if channel.capacity is None else str(channel.capacity)
    return f"{bar(channel)} {channel.depth}/{capacity}"


def waiting(channel: model.Channel) -> str:
    """Return how many calls are blocked, and in what."""
    parts = []
    if channel.waiting_senders:
        parts.append(f"{channel.waiting_senders} send")
    if channel.waiting_receivers:
        parts.append(f"{channel.waiting_receivers} recv")
    return ", ".join(parts)


CHANNELS = (
    Column("channel", lambda row: row.label, lambda row: (not row.name, row.label)),  # those without a name last
    Column("depth", depth, fill),
    Column("sent/s", lambda row: count(row.sent_per_second), lambda row: -row.sent_per_second, right=True),
    Column("recv/s", lambda row: count(row.received_per_second), lambda row: -row.received_per_second, right=True),
    Column("sent", lambda row: count(row.sent), lambda row: -row.sent, right=True),
    Column("received", lambda row: count(row.received), lambda row: -row.received, right=True),
    Column("dropped", lambda row: count(row.dropped) if row.dropped else "", lambda row: -row.dropped, right=True),
    Column("tx", lambda row: str(row.senders), lambda row: -row.senders, right=True),
    Column("rx", lambda row: str(row.receivers), lambda row: -row.receivers, right=True),
    Column("waiting", waiting, lambda row: -row.waiting),
    Column("state", lambda row: row.state, lambda row: row.state),
    Column("flavor", lambda row: row.flavor, lambda row: row.flavor),
)


def detail(row: model.Object) -> str:
    """Return what an object is worth knowing of: its value, or what it waits for."""
    if row.value is None:
        return ""
    match row.kind:
        case "Lock" | "RLock" | "Condition":
            return "locked" if row.value else "free"
        case "Event":
            return "set" if row.value else "not set"
        case "Barrier":
            return f"{row.value} of {row.limit} arrived"
        case "Cell":
            return f"version {row.value}"
        case "broadcast" | "BroadcastSender":
            return f"{row.value} subscribers"
        case "BroadcastReceiver":
            return f"{row.value} to receive"
    return f"value {row.value}"


def objects_of(snapshot: model.Snapshot) -> tuple[Column, ...]:
    """Return the columns of shared state, which name what holds a lock."""

    def holder(row: model.Object) -> str:
        return _holder(snapshot, row)

    return (
        Column("object", lambda row: row.label, lambda row: row.label),
        Column("kind", lambda row: row.kind, lambda row: row.kind),
        Column("state", detail, detail),
        Column("waiting", lambda row: str(row.waiting or ""), lambda row: -row.waiting, right=True),
        Column("held by", holder, lambda row: (not holder(row), holder(row))),
    )


def _holder(snapshot: model.Snapshot, row: model.Object) -> str:
    """Return what holds a lock: its interpreter and thread, and the line in which it waits or the task that it runs."""
    if row.kind not in ("Lock", "RLock", "Condition") or not row.value:
        return ""
    names = {worker.interpreter: worker.name for worker in snapshot.workers} | {0: "main", None: "C++"}
    name = names.get(row.owner_interpreter, f"interpreter {row.owner_interpreter}")
    if not row.owner_thread:
        return f"{name}, a coroutine or a thread that is not known"
    parts = [name, f"thread {row.owner_thread}"]
    waits = [wait for wait in snapshot.waits if wait.thread == row.owner_thread and not wait.coroutine]
    tasks = [worker.task for worker in snapshot.workers if worker.thread == row.owner_thread and worker.task]
    if waits:
        parts.append(f"in {waits[0].call} at {waits[0].place}")
    elif tasks:
        parts.append(f"in task {tasks[0]}")
    return ", ".join(parts)


REMOTES = (
    Column("channel", lambda row: row.name, lambda row: row.name),
    Column("side", lambda row: row.side, lambda row: row.side),
    Column("server", lambda row: row.server, lambda row: row.server),
    Column(
        "in", lambda row: row.interpreter_name or f"interpreter {row.interpreter}", lambda row: row.interpreter or -1
    ),
    Column("thread", lambda row: str(row.thread or ""), lambda row: row.thread, right=True),
)
WORKERS = (
    Column("worker", lambda row: row.name, lambda row: natural(row.name)),
    Column("state", lambda row: row.state, lambda row: row.state),
    Column("task", lambda row: row.task, lambda row: row.task),
    Column("for", lambda row: duration(row.running_for), lambda row: -(row.running_for or 0.0), right=True),
    Column("done", lambda row: count(row.tasks), lambda row: -row.tasks, right=True),
    Column("failed", lambda row: count(row.failed) if row.failed else "", lambda row: -row.failed, right=True),
    Column("last error", lambda row: row.last_error, lambda row: (not row.last_error, row.last_error)),
    Column("of", lambda row: row.kind, lambda row: row.kind),
    Column("interpreter", lambda row: str(row.interpreter), lambda row: row.interpreter, right=True),
    Column("thread", lambda row: str(row.thread), lambda row: row.thread, right=True),
)


def natural(text: str) -> tuple[str, int]:
    """Return a key by which worker_2 precedes worker_10."""
    begin, _, number = text.rpartition("_")
    return (begin, int(number)) if number.isdecimal() else (text, -1)


def waits_of(snapshot: model.Snapshot) -> tuple[Column, ...]:
    """Return the columns of the waits, which name channels and objects."""
    channels = {channel.id: channel.label for channel in (*snapshot.channels, *snapshot.internal)}
    objects = {each.id: each.label for each in snapshot.objects}

    def targets(row: model.Wait) -> Iterator[str]:
        for id in row.channels:
            yield channels.get(id, short_id(id))
        for number in row.objects:
            yield objects.get(number, f"object {number}")
        if row.more:
            yield f"{row.more} more"

    def target(row: model.Wait) -> str:
        return ", ".join(targets(row))

    def call(row: model.Wait) -> str:
        return "helper thread" if row.idle and "." not in row.call else row.call

    def interpreter(row: model.Wait) -> str:
        return row.interpreter_name or f"interpreter {row.interpreter}"

    def note(row: model.Wait) -> str:
        notes = (("idle", row.idle), ("timeout", row.timeout), ("coroutine", row.coroutine))
        return ", ".join(text for text, applies in notes if applies)

    return (
        Column("call", call, call),
        Column("waits for", target, target),
        Column("since", lambda row: duration(row.seconds), lambda row: -row.seconds, right=True),
        Column("in", interpreter, interpreter),
        Column("place", lambda row: "" if row.idle else row.place, lambda row: row.place),
        Column("function", lambda row: "" if row.idle else row.function, lambda row: row.function),
        Column("thread", lambda row: str(row.thread or ""), lambda row: row.thread, right=True),
        Column("note", note, lambda row: row.idle),
    )


def tables_of(snapshot: model.Snapshot) -> tuple[Table, ...]:
    """Return the tables in the order in which they are shown."""
    return (
        Table("channels", "channels", CHANNELS, lambda row: row.id),
        Table("waits", "waiting calls", waits_of(snapshot), lambda row: row.id),
        Table("workers", "workers", WORKERS, lambda row: (row.interpreter, row.name)),
        Table("objects", "shared state", objects_of(snapshot), lambda row: row.id),
        Table("remotes", "remote endpoints", REMOTES, lambda row: row),
    )


def title(snapshot: model.Snapshot) -> str:
    """Return one line about the process."""
    name = snapshot.command if len(snapshot.command) <= MOST_COMMAND else snapshot.command[: MOST_COMMAND - 3] + "..."
    command = f" ({name})" if name else ""
    return f"process {snapshot.pid}{command}, {snapshot.state}, xichan {snapshot.release}"


def summary(snapshot: model.Snapshot) -> str:
    """Return one line about its memory and the age of the snapshot."""
    memory = snapshot.memory
    limit = "no limit" if memory.limit is None else f"limit {size(memory.limit)}"
    parts = [
        f"messages {size(memory.bytes)} in {count(memory.blocks)} blocks ({limit})",
        f"lent {size(memory.lent)}",
        f"cached {size(memory.cached)}",
        f"rings {size(memory.rings)}",
    ]
    return ", ".join(parts) + ". " + age(snapshot)


def age(snapshot: model.Snapshot) -> str:
    """Return how old the tables of channels, objects and memory are."""
    if not snapshot.number:
        return "No snapshot of the channels yet: only calls that wait and workers are shown."
    if snapshot.answered:
        return "Snapshot taken now."
    return f"Snapshot from {duration(snapshot.age)} ago; waiting calls and workers are current."
