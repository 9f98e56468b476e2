"""The names of what a channel consists of on the server."""

from __future__ import annotations

import re

_VALID = re.compile(r"[A-Za-z0-9_-]{1,200}")
STREAM_PREFIX = "XICHAN_"
DEAD_PREFIX = "XICHANDEAD_"
CONSUMER = "receivers"  # the one consumer of a stream, which all Receivers share
# Bytes that are kept free in a message for its headers; those of dead letters are the longest.
OVERHEAD = 512


def check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a channel's name must be a str, got {type(name).__name__}")
    if _VALID.fullmatch(name) is None:
        raise ValueError(f"a channel's name consists of 1 to 200 letters, digits, '-' and '_', got {name!r}")


class Names:
    """What belongs to the channel, or with ``dead`` to its dead letters."""

    __slots__ = ("channel", "is_dead", "room", "stream", "values")

    def __init__(self, channel: str, dead: bool = False) -> None:
        check_name(channel)
        self.channel = channel
        self.is_dead = dead
        self.stream = (DEAD_PREFIX if dead else STREAM_PREFIX) + channel
        self.values = f"xichan.{channel}.{'dead' if dead else 'values'}"  # the subject that values are sent to
        self.room = f"{self.values}.room"  # the subject that tells senders of free space

    @property
    def changes(self) -> str:
        """The subject of the server's advisories about the stream."""
        return f"$JS.EVENT.ADVISORY.STREAM.*.{self.stream}"

    @property
    def requests(self) -> str:
        """The subject of requests for values."""
        return f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{CONSUMER}"


def without_secrets(url: str) -> str:
    """Return the URL of a server without its user and password."""
    if "@" not in url:
        return url
    scheme, mark, _ = url.partition("://")
    begin = f"{scheme}://" if mark and scheme.isalpha() else "//"  # else it is part of a password
    return begin + url.rpartition("@")[2]
