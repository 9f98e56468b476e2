"""Connections to NATS servers."""

from __future__ import annotations

import os
from weakref import WeakSet

from .. import Receiver as LocalReceiver
from .. import Sender as LocalSender
from .._errors import ChannelClosed, ChannelTimeout, NotFound
from ._bridge import bridges_of
from ._calls import Calls
from ._channels import Settings, create, delete, join
from ._errors import NatsError
from ._export import Export
from ._import import Import
from ._names import OVERHEAD, Names, without_secrets
from ._receiver import Receiver
from ._sender import Sender
from ._stats import HubStats, Inspection, Stats, hub_stats, inspect, list_channels
from ._steps import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Literal, Never, Self

    from .. import _nats
    from ._bridge import Bridge
    from ._endpoint import Endpoint


class Hub:
    """A connection to a NATS server; created by ``xichan.nats.connect()``. The endpoints of its channels use it.

    All threads of the interpreter may use it. Leaving a ``with`` block closes it.
    """

    def __init__(self, *, _create: tuple[_nats.Connection, _nats.Mailbox, str, int, float] | None = None) -> None:
        if _create is None:
            raise TypeError("use xichan.nats.connect() to make a Hub")
        self._connection, self._events, self._server, largest, timeout = _create
        self._shown_server = without_secrets(self._server)
        self._max_value = max(largest - OVERHEAD, 0)
        self._calls = Calls(self._connection, timeout)
        self._pid = os.getpid()
        self._endpoints: WeakSet[Endpoint] = WeakSet()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open" if self.connected else "reconnecting"
        return f"<xichan.nats.Hub {self._shown_server!r}, {state}>"

    def __reduce__(self) -> Never:
        raise TypeError("cannot pickle xichan.nats.Hub objects; call xichan.nats.connect() where it is used")

    @property
    def closed(self) -> bool:
        """True once the hub is closed, or the connection is lost for good. In the child of a fork, hubs are closed."""
        return self._pid != os.getpid() or self._connection.closed

    @property
    def connected(self) -> bool:
        """True while the connection is up; False while it is being made again."""
        return self._pid == os.getpid() and self._connection.connected

    def channel(
        self,
        name: str,
        capacity: int | None = 1000,
        max_bytes: int | None = None,
        storage: Literal["memory", "file", "durable"] = "memory",
        ack: Literal["receive", "lease"] = "receive",
        ack_wait: float = 30.0,
        max_deliver: int | None = None,
        duplicate_window: float = 120.0,
        *,
        sender_timeout: float = 10.0,
        keep: bool = False,
        classes: Iterable[type] = (),
    ) -> tuple[Sender, Receiver]:
        """Make a channel, or join one with the same settings; return a Sender and a Receiver.

        ``capacity`` and ``max_bytes`` bound what the channel holds, including what has been received and is not
        acknowledged; None: no bound. ``storage``: "memory" survives programs but not the server, "file" also a server
        process that is killed, "durable" is replicated to three servers.

        ``ack="receive"`` acknowledges a value when it is received, ``"lease"`` at the end of ``with rx.lease()``. A
        value that is not acknowledged after ``ack_wait`` seconds is delivered again; after ``max_deliver`` deliveries
        it is moved to the dead letters, ``hub.receiver(name, dead=True)``. None: never.

        The server stores a value once that is sent twice within ``duplicate_window`` seconds, because the connection
        broke. The channel ends when its last Sender is closed, or its process has died ``sender_timeout`` seconds ago;
        with ``keep`` it goes on. ``classes`` are those whose objects the Receiver makes, as in ``xichan.loads()``.

        Blocks for requests to the server. Raises ValueError if the channel exists with other settings; ChannelClosed
        if it was shut down and still holds values; NatsError if the server refuses.
        """
        self._check()
        known = _checked_classes(classes)
        settings = Settings(
            capacity, max_bytes, storage, ack, ack_wait, max_deliver, duplicate_window, sender_timeout, keep
        )
        names = Names(name)
        run(create(self._calls, names, settings))
        return Sender(_create=(self, names, settings)), Receiver(_create=(self, names, settings, known))

    def sender(self, name: str) -> Sender:
        """Open a Sender of a channel that exists. Raises NotFound if there is none. Blocks for a request."""
        self._check()
        names = Names(name)
        return Sender(_create=(self, names, run(join(self._calls, names))))

    def receiver(self, name: str, *, dead: bool = False, classes: Iterable[type] = ()) -> Receiver:
        """Open a Receiver of a channel that exists; with ``dead``, of its dead letters. Raises NotFound if none exists.

        ``classes`` are those whose objects the Receiver makes, as in ``xichan.loads()``. Blocks for a request.
        """
        self._check()
        names, known = Names(name, dead), _checked_classes(classes)
        return Receiver(_create=(self, names, run(join(self._calls, names)), known))

    def channels(self) -> list[Stats]:
        """Return the figures of all channels of the server, by name. Blocks for requests."""
        self._check()
        return run(list_channels(self._calls))

    def delete(self, name: str) -> bool:
        """Delete a channel with its values and dead letters. Returns False if there is none. Blocks for requests."""
        self._check()
        run(delete(self._calls, Names(name, dead=True)))
        return run(delete(self._calls, Names(name)))

    def export(self, rx: LocalReceiver[Any], name: str, **settings: Any) -> Bridge:
        """Start to send what a local Receiver receives to a channel of the server; return the Bridge, which does it.

        ``settings`` are those of ``channel()``, which makes the channel or joins it. Without any, a channel that exists
        is joined whatever its settings are. ``rx`` stays open, for the caller to close.

        When the local channel has ended, the bridge closes its Sender of the channel on the server, with the error of
        the local channel if it failed. When the channel on the server ends, the bridge shuts the local channel down,
        likewise. So it does if a value cannot be sent: its error becomes that of both channels. Raises TypeError if
        ``rx`` is not a Receiver of a local channel, and otherwise as ``channel()`` and ``sender()`` do. Blocks for
        requests to the server.
        """
        if type(rx) is not LocalReceiver:
            raise TypeError(f"expected a Receiver of a local channel, got {type(rx).__name__}")
        unknown = settings.keys() - Settings.__dataclass_fields__
        if unknown:
            raise TypeError(f"export() got an unexpected setting: {', '.join(sorted(unknown))}")
        self._check()
        names = Names(name)
        joined = None
        if not settings:
            try:
                joined = run(join(self._calls, names))
            except NotFound:
                pass
        if joined is None:
            joined = Settings(**settings)
            run(create(self._calls, names, joined))
        return Export(self, rx, Sender(_create=(self, names, joined)))._start()

    def import_(self, name: str, tx: LocalSender[Any] | None = None, *, classes: Iterable[type] = ()) -> Bridge:
        """Start to send what a channel of the server holds to a local channel; return the Bridge, which does it.

        ``tx`` is the Sender of the local channel; the bridge closes it at its end. Without, the bridge makes a channel
        of capacity 0, whose Receiver is ``bridge.receiver``. A value is acknowledged once the local channel has taken
        it; with capacity 0 that is when a local receiver has it. Until then it is kept, beyond ``ack_wait`` too.

        When the channel on the server has ended, the bridge closes ``tx``, with the error if the channel failed. When
        the last local Receiver is closed, the bridge ends, and the channel keeps its values. A local ``shutdown()``
        shuts down the channel on the server, and an error of the local channel becomes its error. Raises NotFound if
        the server has no such channel. Blocks for requests to the server.
        """
        if tx is not None and type(tx) is not LocalSender:
            raise TypeError(f"expected a Sender of a local channel, got {type(tx).__name__}")
        return Import(self, self.receiver(name, classes=classes), tx)._start()

    def stats(self) -> HubStats:
        """Return the state of the connection, and what uses it. Never blocks."""
        if self._pid != os.getpid():
            raise self._inherited()
        endpoints = tuple(self._endpoints)
        receivers = [endpoint for endpoint in endpoints if isinstance(endpoint, Receiver) and not endpoint._closed]
        senders = sum(isinstance(endpoint, Sender) and not endpoint._closed for endpoint in endpoints)
        return hub_stats(self, senders, receivers, len(bridges_of(self)))

    def inspect(self) -> Inspection:
        """Return the state of the hub, what its account uses on the server, and all channels. Blocks for requests."""
        self._check()
        return run(inspect(self._calls, self.stats()))

    def close(self) -> None:
        """Close the bridges and endpoints of this hub, and the connection. Blocks for replies of the server.

        Idempotent. A bridge whose value the server does not take within the timeout of the hub ends without: then
        raises NatsError after everything is closed.
        """
        if self._pid != os.getpid():
            return
        stuck = [bridge for bridge in bridges_of(self) if not bridge._end_within(self._calls.timeout)]
        for endpoint in tuple(self._endpoints):
            endpoint.close()
        self._connection.close()
        try:
            while True:
                self._events.receiver.recv(5)
        except (ChannelClosed, ChannelTimeout):
            pass
        self._events.receiver.close()
        self._calls.close()
        for bridge in stuck:
            bridge.wait_closed()
        if any(bridge.unsent for bridge in stuck):
            names = ", ".join(repr(bridge.name) for bridge in stuck if bridge.unsent)
            raise NatsError(f"not sent before the hub was closed: the values in bridge.unsent, for {names}")

    def _check(self) -> None:
        """Raise NatsError if the hub cannot be used."""
        if self._pid != os.getpid():
            raise self._inherited()
        if self._connection.closed:
            raise self._calls.gone()

    def _inherited(self) -> NatsError:
        return NatsError("the connection belongs to the parent process: call connect() after the fork")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()


def _checked_classes(classes: Iterable[type]) -> tuple[type, ...]:
    """Return the argument ``classes`` as a tuple."""
    if isinstance(classes, type) or not hasattr(classes, "__iter__"):
        name = "a class" if isinstance(classes, type) else type(classes).__name__
        raise TypeError(f"classes must be an iterable of classes, got {name}")
    known = tuple(classes)
    for each in known:
        if not isinstance(each, type):
            raise TypeError(f"classes must contain classes, got {type(each).__name__}")
    return known
