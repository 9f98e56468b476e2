"""Making connections to NATS servers."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from .. import _nats
from ._errors import NatsError
from ._hub import Hub
from ._names import without_secrets
from ._steps import check_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_TLS_KEYS = {
    "ca": "tls_ca",
    "certificate": "tls_certificate",
    "key": "tls_key",
    "hostname": "tls_hostname",
    "ciphers": "tls_ciphers",
    "verify": "tls_verify",
}


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
        if "SSL" in text and not options["tls"]:
            text += "; the server requires TLS: pass tls=True, or a dict with what it needs"
        raise NatsError(f"cannot connect to {', '.join(map(without_secrets, urls))}: {text}")
    return Hub(_create=(connection, events, text, number, timeout))
