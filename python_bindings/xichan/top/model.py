"""What a page shows, as records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .._inspect_report import short_id


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel. The fields are those of ChannelStats and ChannelInspection."""

    id: int
    name: str
    flavor: str
    capacity: int | None
    max_bytes: int | None
    depth: int
    bytes: int
    sent: int
    received: int
    dropped: int
    parks: int
    senders: int
    receivers: int
    waiting_senders: int
    waiting_receivers: int
    state: str  # "open", "no senders", "no receivers" or "shut down"
    kind: str = ""  # "Queue" for the items of a Queue without a name
    sent_per_second: float = 0.0  # since the previous snapshot
    received_per_second: float = 0.0

    @property
    def label(self) -> str:
        """The name, or a short form of the id."""
        return self.name or f"{self.kind} {short_id(self.id)}".lstrip()

    @property
    def waiting(self) -> int:
        """The calls that are blocked at the channel."""
        return self.waiting_senders + self.waiting_receivers


@dataclass(frozen=True, slots=True)
class Object:
    """An object of shared state."""

    id: int
    kind: str
    name: str
    waiting: int
    value: int | None  # its value, what arrived, whether it is held, ...; None: it has none
    limit: int  # the parties of a Barrier
    owner_interpreter: int | None = None  # of a lock that is held: of what holds it
    owner_thread: int = 0  # native id; 0: not known, or a coroutine

    @property
    def label(self) -> str:
        """The name, or kind and number."""
        return self.name or f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker of a pool or of Workers."""

    name: str
    kind: str
    interpreter: int
    thread: int
    state: str  # "starting", "idle", "running" or "ended"
    task: str  # the function that it runs
    running_for: float | None  # seconds
    tasks: int  # done
    failed: int = 0  # of these
    last_error: str = ""  # type and message of the last exception


@dataclass(frozen=True, slots=True)
class Wait:
    """A call that is blocked."""

    id: int
    call: str
    channels: tuple[int, ...]
    objects: tuple[int, ...]
    more: int  # cases of a select beyond these
    interpreter: int | None  # None: a thread of C++
    interpreter_name: str
    thread: int
    place: str  # "file:line"
    function: str
    seconds: float
    timeout: bool
    idle: bool
    coroutine: bool


@dataclass(frozen=True, slots=True)
class Remote:
    """An endpoint of a channel on a server."""

    name: str
    side: str  # "sender" or "receiver"
    server: str
    interpreter: int | None  # None: an endpoint of C++
    interpreter_name: str
    thread: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of messages, as in MemoryStats."""

    blocks: int = 0
    bytes: int = 0
    high_water: int = 0
    limit: int | None = None
    cached: int = 0
    rings: int = 0
    lent: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page showed at one time."""

    pid: int
    command: str
    release: str  # version of xichan
    state: str  # of the process: "running", "sleeping", "stopped", ...
    number: int  # of the snapshot of channels, objects and memory; 0: none was taken yet
    time: float  # of that snapshot, on the monotonic clock
    age: float  # seconds since it was taken
    answered: bool  # the process has taken it for this read
    channels: tuple[Channel, ...] = ()
    internal: tuple[Channel, ...] = ()  # the channels that xichan itself uses
    objects: tuple[Object, ...] = ()
    remotes: tuple[Remote, ...] = ()
    workers: tuple[Worker, ...] = ()
    waits: tuple[Wait, ...] = ()
    memory: Memory = field(default_factory=Memory)
    all_channels: int = 0  # including those that the page has no room for
    all_objects: int = 0
    all_remotes: int = 0
    hidden_waits: int = 0
    damaged: int = 0  # slots that a writer has left half-written

    def with_internal(self) -> Snapshot:
        """Return this snapshot with the internal channels among the others."""
        return replace(self, channels=(*self.channels, *self.internal), internal=())

    def since(self, before: Snapshot | None) -> Snapshot:
        """Return this snapshot with the rates since another one: 0 if the process has not taken one since."""
        if before is None or before.pid != self.pid:
            return self
        seconds = self.time - before.time
        if seconds <= 0:
            return self
        past = {channel.id: channel for channel in (*before.channels, *before.internal)}
        channels, internal = (
            tuple(_with_rates(channel, past.get(channel.id), seconds) for channel in some)
            for some in (self.channels, self.internal)
        )
        return replace(self, channels=channels, internal=internal)


def _with_rates(channel: Channel, before: Channel | None, seconds: float) -> Channel:
    sent, received = (0, 0) if before is None else (before.sent, before.received)
    return replace(
        channel,
        sent_per_second=max(channel.sent - sent, 0) / seconds,
        received_per_second=max(channel.received - received, 0) / seconds,
    )
