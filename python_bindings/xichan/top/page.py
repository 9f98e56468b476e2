"""Opens the page of a process, verifies it, and reads it.

Nothing in a page is trusted: every offset and count is checked against the size of the memory, and the memory is used
only if it is sealed against becoming smaller, which would end this process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import time
from dataclasses import replace
from typing import NamedTuple

from .. import _core
from . import layout, processes
from .model import Channel, Memory, Object, Remote, Snapshot, Wait, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PATIENCE = 0.25  # seconds for the process to take a snapshot
ATTEMPTS = 3  # to read a snapshot that the process does not replace meanwhile
THIS_COMMAND = "-m xichan top"  # which keeps a page, too, because it imports xichan


class PageError(Exception):
    """The page of a process cannot be read; the message says why and what to do."""


class ProcessEnded(PageError):
    """The process has ended, or runs another program now."""


class _Table(NamedTuple):
    slot_size: int
    offset: int
    used: int

    def offsets(self, most: int | None = None) -> range:
        """Return the offsets of the slots that have been used, at most this many."""
        count = self.used if most is None else min(self.used, most)
        return range(self.offset, self.offset + count * self.slot_size, self.slot_size)


class Page:
    """The page of a process, mapped."""

    def __init__(self, pid: int, path: str) -> None:
        """path: in /proc, of the memory file. Raises PageError or OSError."""
        self.pid = pid
        self.path = path
        self.command = processes.command_of(pid)
        self.writable = True
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            self.writable = False
        try:
            self.memory = self._map(descriptor)
        finally:
            os.close(descriptor)
        try:
            self._verify()
        except BaseException:
            self.close()
            raise

    def _map(self, descriptor: int) -> mmap.mmap:
        try:
            sealed = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
        except OSError:
            sealed = 0
        size = os.fstat(descriptor).st_size
        if not sealed or size < layout.HEADER_SIZE:
            raise PageError(f"the memory file {self.path} is not a page of xichan")
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if self.writable else 0)
        return mmap.mmap(descriptor, size, mmap.MAP_SHARED, protection)

    def _verify(self) -> None:
        magic, version, header_size, size, _, self.start_time, release = layout.HEADER.unpack_from(self.memory)
        self.release = layout.text(release)
        if magic != layout.MAGIC:
            raise PageError(f"the memory file {self.path} is not a page of xichan, or is damaged")
        if version != layout.VERSION:
            raise PageError(
                f"process {self.pid} uses xichan {self.release or 'of an unknown version'}, whose page has version "
                f"{version}; this xichan reads version {layout.VERSION}: run the same release as the process"
            )
        if header_size < layout.HEADER_SIZE or size != len(self.memory):
            raise PageError(f"the page of process {self.pid} is damaged: its header gives wrong sizes")

    def close(self) -> None:
        """Unmap the page. Idempotent."""
        self.memory.close()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _status(self) -> processes.Status:
        """Return the status of the process. Raises ProcessEnded."""
        try:
            status = processes.status_of(self.pid)
        except OSError:
            raise ProcessEnded(f"process {self.pid} has ended") from None
        if status.state == "ended" or (self.start_time and status.start_time != self.start_time):
            raise ProcessEnded(f"process {self.pid} has ended")
        if not processes.leads_to_page(self.path):
            raise ProcessEnded(f"process {self.pid} runs another program now, or has closed the descriptor of its page")
        return status

    def _table(self, kind: int, row: layout.Row, more: int = 0) -> _Table:
        """Return the table of a kind. Raises PageError if it is not inside the page."""
        for index in range(layout.TABLES):
            place = layout.TABLES_AT + index * layout.TABLE.size
            found, slot_size, offset, slots, used = layout.TABLE.unpack_from(self.memory, place)
            if found != kind:
                continue
            if (
                slot_size < layout.SEQUENCE.size + row.struct.size + more
                or offset < layout.HEADER_SIZE
                or offset + slot_size * slots > len(self.memory)
                or used > slots
            ):
                raise PageError(f"the page of process {self.pid} is damaged: table {kind} is not inside it")
            return _Table(slot_size, offset, used)
        raise PageError(f"the page of process {self.pid} is damaged: table {kind} is missing")

    def _request(self) -> bool:
        """Have the process take a snapshot of its channels, objects and memory. Return whether it has."""
        *_, publisher = layout.COUNTS.unpack_from(self.memory, layout.COUNTS_AT)
        if not publisher or not self.writable:
            return False
        return _core._request_snapshot(self.memory, layout.REQUEST_AT, layout.ANSWER_AT, PATIENCE)

    def snapshot(self) -> Snapshot:
        """Return what the page shows. Blocks for a quarter of a second at most. Raises PageError."""
        status = self._status()
        answered = status.state not in ("stopped", "traced") and self._request()
        reader = _Reader(self)
        head, channels, objects, remotes = reader.newest()
        workers = tuple(reader.workers())
        names = {worker.interpreter: worker.name for worker in workers}
        tasks = {worker.interpreter: worker.task for worker in workers}
        waits = tuple(sorted((_of_worker(wait, tasks) for wait in reader.waits(names)), key=_order))
        _, hidden, *_ = layout.COUNTS.unpack_from(self.memory, layout.COUNTS_AT)
        taken = head["time"] / 1e9
        return Snapshot(
            pid=self.pid,
            command=self.command,
            release=self.release,
            state=status.state,
            number=head["snapshot"],
            time=taken,
            age=max(reader.now - taken, 0.0) if head["snapshot"] else 0.0,
            answered=answered,
            channels=tuple(channel for channel, internal in channels if not internal),
            internal=tuple(channel for channel, internal in channels if internal),
            objects=tuple(objects),
            remotes=tuple(_remote(fields, names) for fields in remotes),
            workers=workers,
            waits=waits,
            memory=_memory(head),
            all_channels=head["channels"],
            all_objects=head["objects"],
            all_remotes=head["remotes"],
            hidden_waits=hidden,
            damaged=reader.damaged,
        )


class _Reader:
    """One read of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.damaged = 0
        self.now = time.monotonic()

    def rows(
        self, kind: int, row: layout.Row, most: int | None = None, more: int = 0
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Iterate over the offsets and fields of the slots of a table that are complete.

        ``most``: how many slots at most. ``more``: bytes of a slot behind the fields.
        """
        table = self.page._table(kind, row, more)
        for offset in table.offsets(most):
            fields = row.read(self.page.memory, offset)
            if fields is None:
                self.damaged += 1
            else:
                yield offset, fields

    def newest(self) -> tuple[dict[str, Any], list[tuple[Channel, bool]], list[Object], list[dict[str, Any]]]:
        """Return the last snapshot: its description, channels, objects, and the rows of remote endpoints."""
        for _ in range(ATTEMPTS):
            self.damaged = 0
            heads = [fields for _, fields in self.rows(layout.Kind.SNAPSHOT, layout.SNAPSHOT)]
            head = heads[0] if heads else dict.fromkeys(layout.SNAPSHOT.names, 0)
            channels = self.of_snapshot(layout.Kind.CHANNELS, layout.CHANNEL, head["channel_rows"])
            objects = self.of_snapshot(layout.Kind.OBJECTS, layout.OBJECT, head["object_rows"])
            remotes = self.of_snapshot(layout.Kind.REMOTES, layout.REMOTE, head["remote_rows"])
            if all(fields["snapshot"] == head["snapshot"] for fields in (*channels, *objects, *remotes)):
                break
        return head, list(map(_channel, _unique(channels))), list(map(_object, _unique(objects))), remotes

    def of_snapshot(self, kind: int, row: layout.Row, most: int) -> list[dict[str, Any]]:
        """Return the rows of a snapshot, which the process may replace meanwhile."""
        return [fields for _, fields in self.rows(kind, row, most)]

    def workers(self) -> Iterator[Worker]:
        """Iterate over the workers."""
        behind = layout.SEQUENCE.size + layout.WORKER.struct.size
        for offset, fields in self.rows(layout.Kind.WORKERS, layout.WORKER, more=layout.WORKER_WORDS.size):
            owner, began, tasks, failed = layout.WORKER_WORDS.unpack_from(self.page.memory, offset + behind)
            if owner == 0 or owner & 1:
                continue
            running = began != 0
            yield Worker(
                name=layout.text(fields["name"]),
                kind=layout.name_of(layout.WORKER_KINDS, fields["kind"]),
                interpreter=fields["interpreter"],
                thread=fields["thread"],
                state="running" if running else layout.name_of(layout.WORKER_STATES, fields["state"]),
                task=layout.text(fields["task"]) if running else "",
                running_for=max(self.now - began / 1e9, 0.0) if running else None,
                tasks=tasks,
                failed=failed,
                last_error=layout.text(fields["error"]) if failed else "",
            )

    def waits(self, names: dict[int, str]) -> Iterator[Wait]:
        """Iterate over the calls that are blocked. names: of workers, by interpreter."""
        for _, fields in self.rows(layout.Kind.WAITS, layout.WAIT):
            if fields["id"]:
                yield self.wait(fields, names)

    def wait(self, fields: dict[str, Any], names: dict[int, str]) -> Wait:
        """Return the wait with these fields."""
        flags, interpreter = fields["flags"], fields["interpreter"]
        file = layout.text(fields["file"][: fields["file_length"]])
        if flags & layout.IS_FILE_CUT:
            file = "..." + file
        channels, objects = [], []
        for index in range(min(fields["targets"] % 256, layout.MOST_TARGETS)):
            what, *_, low, high = layout.TARGET.unpack_from(fields["target"], index * layout.TARGET.size)
            if what == layout.CHANNEL_TARGET:
                channels.append(low | high << 64)
            elif what == layout.OBJECT_TARGET:
                objects.append(low)
        return Wait(
            id=fields["id"],
            call=layout.text(fields["call"][: fields["call_length"]]),
            channels=tuple(channels),
            objects=tuple(objects),
            more=fields["targets"] >> 8,
            interpreter=None if interpreter < 0 else interpreter,
            interpreter_name=_interpreter_name(interpreter, names),
            thread=fields["thread"],
            place=f"{file}:{fields['line']}" if file else "",
            function=layout.text(fields["function"][: fields["function_length"]]),
            seconds=max(self.now - fields["started"] / 1e9, 0.0),
            timeout=bool(flags & layout.HAS_TIMEOUT),
            idle=bool(flags & layout.IS_IDLE),
            coroutine=bool(flags & layout.IS_COROUTINE),
        )


def _of_worker(wait: Wait, tasks: dict[int, str]) -> Wait:
    """Return a wait without the line of xichan that calls a worker: it is idle, or the call is its task."""
    if wait.interpreter not in tasks or not wait.place.startswith("<script>:"):
        return wait
    return replace(wait, place="", function=tasks[wait.interpreter])


def _order(wait: Wait) -> tuple[bool, float]:
    return wait.idle, -wait.seconds


def _unique(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Iterate over rows with different ids: of two snapshots, a row may have moved."""
    return iter({fields["id"]: fields for fields in rows}.values())


def _channel(fields: dict[str, Any]) -> tuple[Channel, bool]:
    """Return a channel, and whether it is internal."""
    values = {name: value for name, value in fields.items() if name not in ("snapshot", "flags")}
    if fields["flags"] & layout.SHUT_DOWN:
        state = "shut down"
    elif not fields["receivers"]:
        state = "no receivers"
    elif not fields["senders"]:
        state = "no senders"
    else:
        state = "open"
    name = layout.text(fields["name"])
    kind = name if fields["flags"] & layout.LABEL else ""
    channel = Channel(
        **values
        | {
            "id": int.from_bytes(fields["id"], "little"),
            "name": "" if kind else name,
            "kind": kind,
            "flavor": layout.name_of(layout.FLAVORS, fields["flavor"]),
            "capacity": None if fields["capacity"] == layout.NO_BOUND else fields["capacity"],
            "max_bytes": fields["max_bytes"] or None,
            "state": state,
        }
    )
    return channel, bool(fields["flags"] & layout.INTERNAL)


def _object(fields: dict[str, Any]) -> Object:
    return Object(
        id=fields["id"],
        kind=layout.name_of(layout.OBJECT_KINDS, fields["kind"]),
        name=layout.text(fields["name"]),
        waiting=fields["waiting"],
        value=None if fields["value"] == layout.NO_VALUE else fields["value"],
        limit=fields["limit"],
        owner_interpreter=None if fields["owner_interpreter"] < 0 else fields["owner_interpreter"],
        owner_thread=fields["owner_thread"],
    )


def _interpreter_name(interpreter: int, names: dict[int, str]) -> str:
    if interpreter < 0:
        return "C++"
    return "main" if interpreter == 0 else names.get(interpreter, "")


def _remote(fields: dict[str, Any], names: dict[int, str]) -> Remote:
    interpreter = fields["interpreter"]
    return Remote(
        name=layout.text(fields["name"]),
        side="receiver" if fields["receives"] else "sender",
        server=layout.text(fields["server"]),
        interpreter=None if interpreter < 0 else interpreter,
        interpreter_name=_interpreter_name(interpreter, names),
        thread=fields["thread"],
    )


def _memory(head: dict[str, Any]) -> Memory:
    memory = Memory(**{name: head[name] for name in Memory.__match_args__})
    return replace(memory, limit=None) if memory.limit in (0, layout.NO_BOUND) else memory


def open_page(pid: int) -> Page:
    """Return the page of a process. Raises PageError."""
    try:
        paths = processes.descriptors_of(pid)
    except FileNotFoundError:
        raise PageError(f"no process has the id {pid}") from None
    except PermissionError:
        raise PageError(_refused(pid)) from None
    error: PageError | None = None
    for path in paths:
        try:
            page = Page(pid, path)
        except PageError as found:
            error = found
            continue
        except OSError as found:
            error = PageError(_refused(pid) if found.errno in (errno.EACCES, errno.EPERM) else str(found))
            continue
        with contextlib.suppress(OSError):
            if page.start_time in (0, processes.status_of(pid).start_time):
                return page
        page.close()  # of the parent of a fork
    if error is not None:
        raise error
    raise PageError(
        f"process {pid} keeps no page: it has not imported xichan, has an older version, runs with XICHAN_PAGE=0, "
        "has closed all its descriptors, or had no memory for it (then inspect() warns there)"
    )


def _refused(pid: int) -> str:
    return f"the page of process {pid} must not be read: it belongs to another user; run this as that user or as root"


def find_processes() -> list[tuple[int, str]]:
    """Return the ids and commands of the processes whose page can be read, without this one."""
    found = []
    for pid in processes.candidates():
        if f" {THIS_COMMAND}" in processes.command_of(pid):
            continue
        with contextlib.suppress(PageError), open_page(pid) as page:
            found.append((pid, page.command))
    return found
