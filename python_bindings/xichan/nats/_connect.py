"""Making connections to NATS servers."""

from __future__ import annotations

import os

from .. import _nats
from ._errors import NatsError
from ._hub import Hub
from ._names import without_secrets

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


_LONGEST = 1e6  # seconds, 11 days: libnats counts milliseconds in 31 bits
_MOST = 2**31 - 1


def _milliseconds(name: str, seconds: float) -> int:
    """Return a time in milliseconds, at least 1."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, got {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"{name} must not be negative, got {seconds}")
    return max(int(min(seconds, _LONGEST) * 1000), 1)


def _reconnects(number: int | None) -> int:
    """Return how often libnats is to try in a row; -1: without end."""
    if number is None:
        return -1
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"max_reconnects must be an int or None, got {type(number).__name__}")
    if number < 0:
        raise ValueError(f"max_reconnects must not be negative, got {number}; None means without end")
    return min(number, _MOST)


def _checked_urls(servers: str | Iterable[str]) -> tuple[str, ...]:
    """Return the URLs of servers."""
    if not isinstance(servers, str) and (isinstance(servers, (bytes, bytearray)) or not hasattr(servers, "__iter__")):
        raise TypeError(f"servers must be a URL or an iterable of URLs, got {type(servers).__name__}")
    urls = tuple(servers.split(",")) if isinstance(servers, str) else tuple(servers)
    if not urls:
        raise ValueError("servers must name at least one server")
    for url in urls:
        if not isinstance(url, str):
            raise TypeError(f"servers must contain URLs, got {type(url).__name__}")
        if not url.strip():
            raise ValueError("servers contains an empty URL")
        scheme, mark, _ = url.strip().partition("://")
        if mark and scheme.lower() not in ("nats", "tls"):
            raise ValueError(f"the URL of a server begins with nats:// or tls://, got {without_secrets(url)!r}")
    return tuple(url.strip() for url in urls)


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
    urls = _checked_urls(servers)
    milliseconds = _milliseconds("timeout", timeout)
    options: dict[str, Any] = {
        "name": name,
        "user": user,
        "password": password,
        "token": token,
        "credentials": None if credentials is None else os.fspath(credentials),
        "timeout_ms": milliseconds,
        "ping_interval_ms": _milliseconds("ping_interval", ping_interval),
        "reconnect_wait_ms": _milliseconds("reconnect_wait", reconnect_wait),
        "reconnect_most_ms": _milliseconds("max_reconnect_wait", max_reconnect_wait),
        "most_reconnects": _reconnects(max_reconnects),
        "tls": bool(tls) or any(url.lower().startswith("tls://") for url in urls),
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
