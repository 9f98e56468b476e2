"""Connections to NATS servers."""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from weakref import WeakSet

from .. import _nats
from .._errors import ChannelClosed, ChannelTimeout
from ._calls import Calls
from ._channels import Settings, create, delete, join
from ._errors import NatsError
from ._names import Names
from ._receiver import Receiver
from ._sender import Sender
from ._stats import Stats, list_channels
from ._steps import check_timeout, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Literal, Self

    from ._endpoint import Endpoint

_TLS_KEYS = {
    "ca": "tls_ca",
    "certificate": "tls_certificate",
    "key": "tls_key",
    "hostname": "tls_hostname",
    "ciphers": "tls_ciphers",
    "verify": "tls_verify",
}
# What the server adds to a value: its subject, message id and the rest of its headers.
_OVERHEAD = 512


def connect(
    servers: str | Iterable[str] = "nats://127.0.0.1:4222",
    *,
    timeout: float = 5.0,
    name: str | None = None,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    credentials: str | os.PathLike[str] | None = None,
    tls: bool | dict[str, Any] = False,
    ping_interval: float = 5.0,
    reconnect_wait: float = 0.05,
    max_reconnect_wait: float = 2.0,
    max_reconnects: int | None = None,
) -> Hub:
    """Connect to a server, or to one of a cluster. Blocks until the connection is made; raises NatsError otherwise.

    ``servers`` is a URL, or several, separated by commas or in an iterable. ``timeout`` in seconds bounds each attempt
    to connect, and each request that the hub makes itself, such as that for a new channel. ``name`` is what the server
    shows in its list of connections.

    ``user`` and ``password``, ``token``, and ``credentials``, the path of a ``.creds`` file, are passed to libnats; so
    is ``tls``: True, or a dict with the paths ``ca``, ``certificate`` and ``key``, the ``hostname`` that the
    certificate must have, ``ciphers``, and ``verify``, which is True by default.

    A connection that breaks, or whose server does not reply to two pings in a row, is made again:
    ``reconnect_wait`` seconds later, then after twice as long up to ``max_reconnect_wait``, less a random part, for
    ``max_reconnects`` attempts in a row; None: without end. Meanwhile calls wait.
    """
    urls = tuple(servers.split(",")) if isinstance(servers, str) else tuple(servers)
    if not urls:
        raise ValueError("servers must name at least one server")
    check_timeout(timeout)
    options: dict[str, Any] = {
        "name": name,
        "user": user,
        "password": password,
        "token": token,
        "credentials": None if credentials is None else os.fspath(credentials),
        "timeout_ms": max(int(timeout * 1000), 1),
        "ping_interval_ms": max(int(ping_interval * 1000), 1),
        "reconnect_wait_ms": max(int(reconnect_wait * 1000), 1),
        "reconnect_most_ms": max(int(max_reconnect_wait * 1000), 1),
        "most_reconnects": -1 if max_reconnects is None else max_reconnects,
        "tls": bool(tls) or any(urlsplit(url).scheme == "tls" for url in urls),
    }
    if isinstance(tls, dict):
        for key, value in tls.items():
            if key not in _TLS_KEYS:
                raise ValueError(f"tls must have keys of {', '.join(_TLS_KEYS)}, got {key!r}")
            options[_TLS_KEYS[key]] = os.fspath(value) if key in ("ca", "certificate", "key") else value
    events = _nats.Mailbox(16)
    connection = _nats.Connection(urls, events, options)
    kind, text, number = events.receiver.recv()
    if kind != "connected":
        raise NatsError(f"cannot connect to {', '.join(map(_without_secrets, urls))}: {text}")
    return Hub(_create=(connection, events, text, number, timeout))


def _without_secrets(url: str) -> str:
    """Return a URL without its user and password."""
    return url.rpartition("//")[0] + "//" + url.rpartition("@")[2] if "@" in url else url


class Hub:
    """A connection to a NATS server; created by ``xichan.nats.connect()``. The endpoints of its channels use it.

    All threads of the interpreter may use it. Leaving a ``with`` block closes it.
    """

    def __init__(self, *, _create: tuple[_nats.Connection, _nats.Mailbox, str, int, float] | None = None) -> None:
        if _create is None:
            raise TypeError("use xichan.nats.connect() to make a Hub")
        self._connection, self._events, self._server, largest, timeout = _create
        self._shown_server = _without_secrets(self._server)
        self._max_value = largest - _OVERHEAD
        self._calls = Calls(self._connection, timeout)
        self._pid = os.getpid()
        self._is_silent = False  # an endpoint that was closed got no reply: others do not wait for one
        self._endpoints: WeakSet[Endpoint] = WeakSet()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open" if self._connection.connected else "reconnecting"
        return f"<xichan.nats.Hub {self._shown_server!r}, {state}>"

    @property
    def closed(self) -> bool:
        """True once the hub is closed, or the connection is lost for good."""
        return self._connection.closed

    @property
    def connected(self) -> bool:
        """True while the connection is up; False while it is being made again."""
        return self._connection.connected

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
        settings = Settings(
            capacity, max_bytes, storage, ack, ack_wait, max_deliver, duplicate_window, sender_timeout, keep
        )
        names = Names(name)
        run(create(self._calls, names, settings))
        return Sender(_create=(self, names, settings)), Receiver(_create=(self, names, settings, tuple(classes)))

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
        names = Names(name, dead)
        return Receiver(_create=(self, names, run(join(self._calls, names)), tuple(classes)))

    def channels(self) -> list[Stats]:
        """Return the figures of all channels of the server, by name. Blocks for requests."""
        self._check()
        return run(list_channels(self._calls))

    def delete(self, name: str) -> bool:
        """Delete a channel with its values and dead letters. Returns False if there is none. Blocks for requests."""
        self._check()
        run(delete(self._calls, Names(name, dead=True)))
        return run(delete(self._calls, Names(name)))

    def close(self) -> None:
        """Close the endpoints of this hub and the connection. Blocks for replies of the server. Idempotent."""
        if self._pid != os.getpid():
            return
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

    def _check(self) -> None:
        """Raise NatsError if the hub cannot be used."""
        if self._pid != os.getpid():
            raise NatsError("the connection belongs to the parent process: call connect() after the fork")
        if self._connection.closed:
            raise self._calls.gone()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()
