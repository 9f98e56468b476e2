"""Making a channel on the server, and joining one: its stream, the consumer of its Receivers, and its settings.

The settings that JetStream does not know are kept in the description of the stream, as JSON. ``src/nats/settings.cpp``
writes the same text for C++ programs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from .._errors import ChannelClosed, NotFound
from ._calls import STREAM_NOT_FOUND, find_stream
from ._errors import NatsError
from ._kv import forget_error
from ._names import CONSUMER, Names
from ._registry import Registry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ._calls import Calls
    from ._steps import _Steps

_STREAM_EXISTS = 10058  # with another configuration
_FORMAT = 1
_STORAGES = {"memory": ("memory", 1), "file": ("file", 1), "durable": ("file", 3)}
# Receivers of all processes that may wait at the same time. JetStream's default is 512.
_MOST_WAITING = 1 << 16


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of ``Hub.channel()``, checked."""

    capacity: int | None = 1000
    max_bytes: int | None = None
    storage: Literal["memory", "file", "durable"] = "memory"
    ack: Literal["receive", "lease"] = "receive"
    ack_wait: float = 30.0
    max_deliver: int | None = None
    duplicate_window: float = 120.0
    sender_timeout: float = 10.0
    keep: bool = False

    def __post_init__(self) -> None:
        for name in ("capacity", "max_bytes", "max_deliver"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int or None, got {type(value).__name__}")
            if value == 0 and name == "capacity":
                raise ValueError("capacity must be at least 1: a channel between machines cannot be a rendezvous")
            if value < 1:
                raise ValueError(f"{name} must be at least 1 or None, got {value}")
            if value >= 1 << 63:
                raise ValueError(f"{name} must be less than 2**63; None: no bound")
        for name in ("ack_wait", "duplicate_window", "sender_timeout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{name} must be a number of seconds, got {type(value).__name__}")
            if not 0.1 <= value <= 1e9:
                raise ValueError(f"{name} must be from 0.1 to 1e9 seconds, got {value}")
            object.__setattr__(self, name, float(value))  # the server compares the text of the description
        if not isinstance(self.keep, bool):
            raise TypeError(f"keep must be a bool, got {type(self.keep).__name__}")
        if self.storage not in _STORAGES:
            raise ValueError(f"storage must be 'memory', 'file' or 'durable', got {self.storage!r}")
        if self.ack not in ("receive", "lease"):
            raise ValueError(f"ack must be 'receive' or 'lease', got {self.ack!r}")

    @property
    def replicas(self) -> int:
        """How many servers hold the channel."""
        return _STORAGES[self.storage][1]

    @property
    def bucket_suffix(self) -> str:
        """What distinguishes the replicated buckets from the others: they are as durable as the channel."""
        return "_durable" if self.replicas > 1 else ""

    def for_dead_letters(self) -> Settings:
        """Return the settings of the stream that holds the dead letters of a channel."""
        return Settings(None, None, self.storage, "receive", self.ack_wait, None, self.duplicate_window, keep=True)

    def stream(self, names: Names) -> dict[str, Any]:
        """Return the configuration of the stream."""
        return {
            "name": names.stream,
            "subjects": [names.values],
            "retention": "workqueue",
            "discard": "new",
            "storage": _STORAGES[self.storage][0],
            "num_replicas": self.replicas,
            "max_msgs": self.capacity or -1,
            "max_bytes": self.max_bytes or -1,
            "max_consumers": -1,
            "max_msg_size": -1,
            "duplicate_window": int(self.duplicate_window * 1e9),
            "description": json.dumps({"xichan": _FORMAT, **asdict(self)}),
        }

    def sealed_stream(self, names: Names, by: str) -> dict[str, Any]:
        """Return the configuration of the stream once the channel has ended. ``by``: "shutdown", or "senders"."""
        config = self.stream(names)
        config["description"] = json.dumps({"xichan": _FORMAT, "ended_by": by, **asdict(self)})
        config["sealed"] = True
        return config

    def consumer(self, names: Names) -> dict[str, Any]:
        """Return the configuration of the consumer. What happens after ``max_deliver`` is decided by Receivers."""
        return {
            "stream_name": names.stream,
            "config": {
                "durable_name": CONSUMER,
                "ack_policy": "explicit",
                "ack_wait": int(self.ack_wait * 1e9),
                "deliver_policy": "all",
                "replay_policy": "instant",
                "max_ack_pending": -1,
                "max_deliver": -1,
                "max_waiting": _MOST_WAITING,
            },
        }


def find_settings(info: dict[str, Any], names: Names) -> Settings:
    """Return the settings that a stream was made with."""
    try:
        settings = json.loads(info["config"].get("description") or "null")
        settings.pop("ended_by", None)
        if settings.pop("xichan") == _FORMAT:
            return Settings(**settings)
    except (TypeError, ValueError, KeyError, AttributeError):
        pass
    raise NatsError(f"the stream {names.stream} was not made by this version of xichan")


def is_shut_down(info: dict[str, Any]) -> bool:
    """Return whether a channel was shut down, rather than left by its last Sender."""
    return bool(info["config"].get("sealed")) and '"ended_by": "senders"' not in info["config"].get("description", "")


def join(calls: Calls, names: Names) -> _Steps[Settings]:
    """Find a channel that exists."""
    info = yield from find_stream(calls, names)
    if info is None:
        raise NotFound(f"the server has no channel {names.channel!r}; hub.channel() makes one")
    return find_settings(info, names)


def create(calls: Calls, names: Names, settings: Settings) -> _Steps[None]:
    """Make a channel, or join one with the same settings. One that was shut down and is drained is made anew."""
    what = f"channel {names.channel!r}"
    while True:
        try:
            made = yield from calls.api(f"STREAM.CREATE.{names.stream}", settings.stream(names), what)
            break
        except NatsError as error:
            if error.code != _STREAM_EXISTS:
                raise
        yield from _replace(calls, names, settings)
    yield from calls.api(f"CONSUMER.DURABLE.CREATE.{names.stream}.{CONSUMER}", settings.consumer(names), what)
    if made.get("did_create") and not names.is_dead:
        yield from forget_error(calls, names, settings)
        yield from Registry(names, settings).forget_all(calls)


def _replace(calls: Calls, names: Names, settings: Settings) -> _Steps[None]:
    """Remove a channel that has ended, so that it can be made anew. Raises if the channel is in use."""
    what = f"channel {names.channel!r}"
    info = yield from find_stream(calls, names)
    if info is None:
        return
    found = find_settings(info, names)
    if found != settings:
        different = [
            f"{name}={value!r}, not {asdict(settings)[name]!r}"
            for name, value in asdict(found).items()
            if value != asdict(settings)[name]
        ]
        raise ValueError(f"{what} exists with {'; '.join(different)}. hub.delete({names.channel!r}) removes it")
    if not info["config"].get("sealed"):
        raise NatsError(f"{what} exists with another configuration, which xichan did not make")
    left = info["state"]["messages"]
    if left:
        raise ChannelClosed(f"{what} was shut down and still holds {left} values: receive them, or delete the channel")
    yield from delete(calls, names)


def delete(calls: Calls, names: Names) -> _Steps[bool]:
    """Delete a channel with its values. Returns False if there is none."""
    try:
        yield from calls.api(f"STREAM.DELETE.{names.stream}", None, f"channel {names.channel!r}")
    except NatsError as error:
        if error.code == STREAM_NOT_FOUND:
            return False
        raise
    return True
