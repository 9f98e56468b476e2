"""The layout of the page: the same as src/page/layout.h and src/page/rows.h, which explain the fields.

All words are little-endian. A slot begins with its sequence number, then has the words that it
guards.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class _Memory(Protocol):
        """A mapped page."""

        def __len__(self) -> int: ...
        def __getitem__(self, place: slice, /) -> bytes: ...


MAGIC = b"xichanpg"
VERSION = 2

HEADER = Struct("<8sIIQQQ32s")  # magic, version, header_size, size, process, start_time, release
TABLE = Struct("<IIQQQ")  # kind, slot_size, offset, slots, used
TABLES_AT = HEADER.size
TABLES = 8
COUNTS_AT = TABLES_AT + TABLES * TABLE.size
COUNTS = Struct("<QQIII")  # waits_begun, waits_unshown, request, answer, publisher
REQUEST_AT = COUNTS_AT + 16
ANSWER_AT = REQUEST_AT + 4
PUBLISHER_AT = ANSWER_AT + 4
HEADER_SIZE = COUNTS_AT + COUNTS.size

SEQUENCE = Struct("<Q")
WORKER_WORDS = Struct("<QqQQ")  # owner, began, tasks, failed: behind the row
NO_BOUND = 2**64 - 1


class Kind:
    """Numbers of PageTableKind."""

    WAITS = 1
    SNAPSHOT = 2
    CHANNELS = 3
    OBJECTS = 4
    WORKERS = 5
    REMOTES = 6


class Row:
    """The fields of the row of a slot, in order."""

    def __init__(self, format: str, *names: str) -> None:
        self.struct = Struct("<" + format)
        self.names = names

    def read(self, memory: _Memory, offset: int) -> dict[str, Any] | None:
        """Return the fields of the slot at an offset, or None if it is being written, or its writer has died."""
        begin = offset + SEQUENCE.size
        for _ in range(3):
            before = memory[offset:begin]
            data = memory[begin : begin + self.struct.size]
            if SEQUENCE.unpack(before)[0] % 2 == 0 and memory[offset:begin] == before:
                return dict(zip(self.names, self.struct.unpack(data)))
        return None


SNAPSHOT = Row(
    "QqQQIIQQQQQQQQQ",
    "snapshot",
    "time",
    "channels",
    "objects",
    "channel_rows",
    "object_rows",
    "remotes",
    "remote_rows",
    "blocks",
    "bytes",
    "high_water",
    "limit",
    "cached",
    "rings",
    "lent",
)
CHANNEL = Row(
    "Q16sIIQQQQQQQQIIII64s",
    "snapshot",
    "id",
    "flavor",
    "flags",
    "capacity",
    "max_bytes",
    "depth",
    "bytes",
    "sent",
    "received",
    "dropped",
    "parks",
    "senders",
    "receivers",
    "waiting_senders",
    "waiting_receivers",
    "name",
)
OBJECT = Row(
    "QQIIqqqQ64s",
    "snapshot",
    "id",
    "kind",
    "waiting",
    "value",
    "limit",
    "owner_interpreter",
    "owner_thread",
    "name",
)
REMOTE = Row("QqII64s64s", "snapshot", "interpreter", "thread", "receives", "name", "server")
NO_VALUE = -(2**63)
WORKER = Row("qqII48s104s88s", "interpreter", "thread", "kind", "state", "name", "task", "error")

WAIT = Row(
    "QqqIIIIHHI96s40s104s208s",
    "id",
    "started",
    "interpreter",
    "thread",
    "flags",
    "line",
    "targets",  # how many there are in the slot, and 256 times how many more the call has
    "call_length",
    "function_length",
    "file_length",
    "target",
    "call",
    "function",
    "file",
)
TARGET = Struct("<BBBB4xQQ")  # what, receives, kind, until_closed, low, high
MOST_TARGETS = 4
NOTHING, CHANNEL_TARGET, OBJECT_TARGET = range(3)
# Flags of a wait.
HAS_TIMEOUT, IS_IDLE, IS_COROUTINE, IS_FILE_CUT = 1, 2, 4, 8

CLOSED, SHUT_DOWN, INTERNAL, LABEL = 1, 2, 4, 8  # flags of a channel
FLAVORS = ("mpmc", "spsc", "unbounded", "relaxed", "rendezvous")
OBJECT_KINDS = (
    "AtomicInt",
    "Cell",
    "Map",
    "Lock",
    "RLock",
    "Semaphore",
    "Event",
    "Barrier",
    "Condition",
    "broadcast",
    "BroadcastSender",
    "BroadcastReceiver",
)
WORKER_KINDS = ("pool", "workers")
WORKER_STATES = ("starting", "idle", "ended")


def text(data: bytes) -> str:
    """Return a text that ends at the first NUL and may be cut within a character.

    What a terminal would not print is escaped: another program has chosen the text.
    """
    found = data.split(b"\0", 1)[0].decode(errors="ignore")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in found)


def name_of(names: tuple[str, ...], number: int) -> str:
    """Return the name of a number, which a damaged page may have made up."""
    return names[number] if number < len(names) else f"unknown ({number})"
