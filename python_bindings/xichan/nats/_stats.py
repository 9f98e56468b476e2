"""The figures of channels on a server."""

from __future__ import annotations

from dataclasses import dataclass

from ._calls import CONSUMER_NOT_FOUND, STREAM_NOT_FOUND
from ._channels import find_settings
from ._errors import NatsError
from ._kv import Leases
from ._names import CONSUMER, STREAM_PREFIX, Names, without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._calls import Calls
    from ._channels import Settings
    from ._hub import Hub
    from ._receiver import Receiver
    from ._steps import _Steps


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a channel on a server: the server counts for all machines."""

    name: str
    depth: int
    """Values in the channel, including those received and not acknowledged."""
    bytes: int
    """The size of these values on the server."""
    sent: int
    """Values that the channel has ever accepted."""
    received: int
    """Values that it has accepted and no longer holds."""
    unacknowledged: int
    """Values that have been received and are not acknowledged."""
    redelivered: int
    """Of these: values that have been delivered more than once."""
    waiting_receivers: int
    """Receives that wait for a value."""
    senders: int
    """Open Senders. One whose process has died counts until its lease ends."""
    receivers: int
    """Open Receivers, likewise."""
    dead_letters: int
    """Values that were moved to the dead letters and are there."""
    storage: str
    capacity: int | None
    closed: bool
    """Whether the channel is shut down."""


def read_stats(calls: Calls, names: Names) -> _Steps[Stats]:
    info = yield from calls.api(f"STREAM.INFO.{names.stream}", None, f"channel {names.channel!r}")
    return (yield from _stats_of(calls, names, info))


def _stats_of(calls: Calls, names: Names, info: dict[str, Any]) -> _Steps[Stats]:
    settings: Settings = find_settings(info, names)
    state = info["state"]
    consumer = yield from _optional(calls, f"CONSUMER.INFO.{names.stream}.{CONSUMER}")
    leases = Leases(names, settings)
    leased = yield from _optional(calls, f"STREAM.INFO.KV_{leases.bucket}", {"subjects_filter": f"{leases.stream}.>"})
    keys = list(leased.get("state", {}).get("subjects") or ())
    dead = yield from _optional(calls, f"STREAM.INFO.{Names(names.channel, dead=True).stream}")
    return Stats(
        name=names.channel,
        depth=state["messages"],
        bytes=state["bytes"],
        sent=state["last_seq"],
        received=state["last_seq"] - state["messages"],
        unacknowledged=consumer.get("num_ack_pending", 0),
        redelivered=consumer.get("num_redelivered", 0),
        waiting_receivers=consumer.get("num_waiting", 0),
        senders=sum(key.startswith(f"{leases.stream}.s.") for key in keys),
        receivers=sum(key.startswith(f"{leases.stream}.r.") for key in keys),
        dead_letters=dead.get("state", {}).get("messages", 0),
        storage=settings.storage,
        capacity=settings.capacity,
        closed=bool(info["config"].get("sealed")),
    )


def _optional(calls: Calls, verb: str, data: dict[str, Any] | None = None) -> _Steps[dict[str, Any]]:
    """Return what the server knows about a stream or consumer; nothing if that does not exist."""
    try:
        return (yield from calls.api(verb, data))
    except NatsError as error:
        if error.code not in (STREAM_NOT_FOUND, CONSUMER_NOT_FOUND):
            raise
        return {}


def list_channels(calls: Calls) -> _Steps[list[Stats]]:
    """Return the figures of all channels, by name."""
    found: list[Stats] = []
    offset = 0
    while True:
        page = yield from calls.api("STREAM.LIST", {"offset": offset})
        streams = page.get("streams") or []
        for info in streams:
            name: str = info["config"]["name"]
            if name.startswith(STREAM_PREFIX):
                found.append((yield from _stats_of(calls, Names(name.removeprefix(STREAM_PREFIX)), info)))
        offset += len(streams)
        if not streams or offset >= page.get("total", 0):
            return sorted(found, key=lambda stats: stats.name)


@dataclass(frozen=True, slots=True)
class HubStats:
    """The state of a hub."""

    server: str
    """The server that it is connected to, or was last."""
    servers: tuple[str, ...]
    """The servers that it may connect to: those that were given, then those that a cluster has told of."""
    connected: bool
    """False while the connection is being made again, and once the hub is closed."""
    closed: bool
    reconnects: int
    """How often the connection was made again."""
    unconfirmed: int
    """Requests, values and acknowledgments that the server has not confirmed."""
    max_value: int
    """The most bytes that the dump of a value may have."""
    senders: int
    """Open endpoints of this hub."""
    receivers: int
    bridges: int
    held: int
    """Values that have arrived and were not received. They are returned to the server after a second."""


def hub_stats(hub: Hub, senders: int, receivers: Iterable[Receiver], bridges: int) -> HubStats:
    server, servers, connections, unconfirmed = hub._connection.state()
    held = [receiver._consumer.held for receiver in receivers]
    return HubStats(
        server=without_secrets(server),
        servers=tuple(map(without_secrets, servers)),
        connected=hub.connected,
        closed=hub.closed,
        reconnects=max(connections - 1, 0),
        unconfirmed=unconfirmed,
        max_value=hub._max_value,
        senders=senders,
        receivers=len(held),
        bridges=bridges,
        held=sum(held),
    )


@dataclass(frozen=True, slots=True)
class Inspection:
    """What ``Hub.inspect()`` returns."""

    hub: HubStats
    memory: int
    """Bytes of the server's memory that the account uses, on all servers and by all its streams."""
    file: int
    """Bytes of the server's files, likewise."""
    streams: int
    """Streams of the account: those of channels, dead letters, leases and errors, and those of other programs."""
    consumers: int
    channels: tuple[Stats, ...]
    """The channels, by name."""


def inspect(calls: Calls, hub: HubStats) -> _Steps[Inspection]:
    account = yield from calls.api("INFO")
    channels = yield from list_channels(calls)
    return Inspection(
        hub=hub,
        memory=account.get("memory", 0),
        file=account.get("storage", 0),
        streams=account.get("streams", 0),
        consumers=account.get("consumers", 0),
        channels=tuple(channels),
    )
