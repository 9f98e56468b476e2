"""Calls to a server over one connection: what is sent, and the wait for the reply."""

from __future__ import annotations

import json

from .. import _nats
from .._errors import ChannelClosed, ChannelTimeout
from ._errors import NatsError, refused
from ._steps import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._names import Names
    from ._steps import _Steps

    type _Replies = tuple[tuple[int, bytes], ...]

# JetStream's numbers for these errors.
STREAM_NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014
_MOST_FREE = 64


class Calls:
    """The calls of one connection. Safe to use from all threads of its interpreter."""

    def __init__(self, connection: _nats.Connection, timeout: float) -> None:
        self.connection = connection
        self.timeout = timeout
        self.reason = "the connection is closed"
        # An endpoint that was closed got no reply: others do not wait for one. Until the server replies again.
        self.is_silent = False
        self._free: list[_nats.Mailbox] = []  # each serves one call at a time

    def close(self) -> None:
        """Release what is kept for further calls."""
        while self._free:
            self._free.pop().receiver.close()

    def gone(self) -> NatsError:
        """Return the exception for calls on a connection that has ended."""
        return NatsError(self.reason)

    def take_mailbox(self) -> _nats.Mailbox:
        try:
            return self._free.pop()
        except IndexError:
            return _nats.Mailbox()

    def give_mailbox(self, mailbox: _nats.Mailbox) -> None:
        if len(self._free) < _MOST_FREE:
            self._free.append(mailbox)

    def wait(self, mailbox: _nats.Mailbox, number: int, deadline: Deadline) -> _Steps[_Replies]:
        """Wait for the replies to a batch. A call that fails uses neither the batch nor the mailbox again."""
        try:
            while True:
                got = yield mailbox.receiver, deadline.left()
                if got == number:
                    replies: _Replies = ()
                    break
                if type(got) is tuple and got[0] == number:
                    replies = got[1]
                    break
        except ChannelClosed:
            if self.connection.closed:
                raise self.gone() from None
            raise
        self.give_mailbox(mailbox)
        return replies

    def request(
        self, subject: str, data: bytes | str = b"", headers: tuple[tuple[str, str], ...] = (), what: str = ""
    ) -> _Steps[bytes]:
        """Send a request and wait for its reply, for the timeout of the connection."""
        mailbox = self.take_mailbox()
        number = self.connection.request(mailbox, subject, data, headers)
        try:
            replies = yield from self.wait(mailbox, number, Deadline(self.timeout))
        except BaseException as error:
            self.connection.cancel(number)
            if not isinstance(error, ChannelTimeout):
                raise
            raise NatsError(f"{what or subject}: no reply from the server within {self.timeout:g} seconds") from None
        self.is_silent = False
        return replies[0][1]

    def api(self, verb: str, data: dict[str, Any] | None = None, what: str = "") -> _Steps[dict[str, Any]]:
        """Call a function of JetStream's API. Raises NatsError for an error that the server reports."""
        content = b"" if data is None else json.dumps(data)
        try:
            reply = json.loads((yield from self.request(f"$JS.API.{verb}", content, (), what)))
        except NatsError as error:
            if not self.connection.connected:
                raise
            raise NatsError(f"{error}; is JetStream enabled on the server?") from None
        if "error" in reply:
            raise refused(what or verb, reply["error"])
        answer: dict[str, Any] = reply
        return answer


def find_stream(calls: Calls, names: Names) -> _Steps[dict[str, Any] | None]:
    """Return the server's information about the stream of a channel, or None if it does not exist."""
    try:
        return (yield from calls.api(f"STREAM.INFO.{names.stream}", None, f"channel {names.channel!r}"))
    except NatsError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
        return None
