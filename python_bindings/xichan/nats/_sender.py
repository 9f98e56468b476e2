"""The sending endpoint of a channel on a server."""

from __future__ import annotations

import json
import os
from itertools import count

from .. import dumps
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout
from ._batches import send_many
from ._calls import find_stream
from ._endpoint import Endpoint
from ._errors import NatsError, Unconfirmed, refused
from ._kv import Lease, Leases, record_error, seal
from ._registry import Registry
from ._steps import Deadline, check_timeout, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from typing import Any

    from .. import _nats
    from ._calls import _Replies
    from ._channels import Settings
    from ._hub import Hub
    from ._names import Names
    from ._steps import _Steps

# JetStream's numbers for refused values.
_STORE_FAILED = 10077  # with "maximum messages exceeded" or "maximum bytes exceeded": the channel is full
_SEALED = 10109
_TOO_LARGE = 10054
# How long a call waits for a reply before it looks whether the channel exists, in seconds.
_LOOK = 1.0
# A value is on its way when the time of its call is over: the reply is waited for this much longer, in seconds.
_GRACE = 0.25


class Sender(Endpoint):
    """The sending endpoint of a channel on a server; created by ``Hub.channel()`` or ``Hub.sender()``.

    All threads of the interpreter may use it.
    """

    def __init__(self, *, _create: tuple[Hub, Names, Settings] | None = None) -> None:
        super().__init__(_create)
        identity = os.urandom(8).hex()
        self._prefix = f"{identity}-"  # of message ids
        self._numbers = count()
        self._registry, self._identity = Registry(self._names, self._settings), identity
        farewell = () if self._settings.keep else (self._registry.removal(identity),)
        if farewell:
            run(self._registry.enter(self._calls, identity))
        self._lease = Lease(self._calls, Leases(self._names, self._settings), "s", identity, farewell)
        self._hub._endpoints.add(self)

    def send(self, value: Any, timeout: float | None = None) -> None:
        """Send a value; block while the channel is full, and until the server has stored the value.

        Raises ChannelTimeout if the channel is still full after ``timeout`` seconds: the value was not sent. Raises
        Unconfirmed, a ChannelTimeout, if the server did not reply: the channel may hold the value. Raises ChannelClosed
        if the channel is shut down or deleted, or this Sender is closed; NotShareableError; ValueError if the value is
        larger than the server accepts; NatsError if the server refuses it or the connection is lost for good. A call
        that is interrupted may have sent the value.
        """
        check_timeout(timeout)
        if timeout == 0:
            try:
                return self.send_nowait(value)
            except ChannelFull as full:
                raise ChannelTimeout(f"timed out: {full}") from None
        self._run("send", self._send(self._encode(value), Deadline(timeout)))

    def send_nowait(self, value: Any, /) -> None:
        """Send a value, or raise ChannelFull. Blocks for the reply of the server, at most for the hub's timeout."""
        self._run("send", self._send(self._encode(value), Deadline(self._calls.timeout), waits=False))

    def asend(self, value: Any) -> Coroutine[Any, Any, None]:
        """Coroutine: send a value as ``send()`` does; wait in the running event loop. Raises as ``send()`` does."""
        return self._arun("send", self._send(self._encode(value), Deadline(None)))

    def send_many(self, values: Iterable[Any], timeout: float | None = None) -> int:
        """Send all values of an iterable; return how many were sent. Blocks while the channel is full.

        Faster than ``send()``, because it waits for many replies together. If the time runs out or the channel closes
        after some values were sent, returns their number; otherwise raises as ``send()`` does. Unconfirmed has the
        number of confirmed values as ``sent``. NotShareableError has the number of values sent before as ``sent``, and
        the value as ``item``.
        """
        check_timeout(timeout)
        return self._run("send", send_many(self, values, Deadline(timeout)))

    def asend_many(self, values: Iterable[Any]) -> Coroutine[Any, Any, int]:
        """Coroutine: send all values of an iterable as ``send_many()`` does."""
        return self._arun("send", send_many(self, values, Deadline(None)))

    def close(self, *, error: BaseException | None = None) -> None:
        """Close this Sender. Closing the last one ends the channel, unless it was made with ``keep=True``. Idempotent.

        With ``error``, Receivers then raise ChannelFailed, with the exception as its cause, once they have drained the
        channel; the first error of a channel is kept. Blocks for replies of the server. If that is away, the channel
        ends when its ``sender_timeout`` has passed; only an error that cannot be recorded raises NatsError.
        """
        run(self._close(error))

    def _close(self, error: BaseException | None) -> _Steps[None]:
        if self._closed:
            return
        is_usable = self._hub._pid == os.getpid() and not self._hub.closed
        if is_usable and error is not None:
            yield from record_error(self._calls, self._names, self._settings, error)
        try:
            if is_usable:
                yield from self._leave()
        finally:
            self._mark_closed()

    def _released(self) -> _Steps[None]:
        names, settings, calls = self._names, self._settings, self._calls
        if settings.keep:
            return
        yield from self._registry.leave(calls, self._identity)
        leases = Leases(names, settings)
        if (yield from self._registry.is_empty(calls)) and not (yield from leases.keys(calls, leases.senders)):
            yield from seal(calls, names, settings, "senders")

    def _encode(self, value: Any) -> bytes:
        self._check()
        data = dumps(value)
        most = self._hub._max_value
        if len(data) > most:
            raise ValueError(
                f"the value takes {len(data)} bytes, and the server accepts at most {most}: raise max_payload in the "
                f"configuration of the server, or send the value in parts"
            )
        if self._settings.max_bytes is not None and len(data) > self._settings.max_bytes:
            raise ValueError(f"the value takes {len(data)} bytes, more than max_bytes={self._settings.max_bytes}")
        return data

    def _send(self, data: bytes, deadline: Deadline, waits: bool = True) -> _Steps[None]:
        number = next(self._numbers)
        replies = yield from self._publish(number, (data,), deadline)
        if not replies:
            return
        error = yield from self._check_full(replies[0][1])
        if not waits:
            raise error
        yield from self._insist(number, data, deadline)

    def _insist(self, number: int, data: bytes, deadline: Deadline) -> _Steps[None]:
        """Send a value that was refused because the channel was full, once it is not."""
        room = self._room()
        room.begin_wait()
        try:
            while True:
                try:
                    yield room.tokens, deadline.left()
                except ChannelTimeout:
                    raise ChannelTimeout(f"timed out: the channel {self.name!r} is full") from None
                except ChannelClosed:
                    self._check()
                    raise  # the interpreter or the process ends
                self._check()
                replies = yield from self._publish(number, (data,), deadline)
                if not replies:
                    return
                yield from self._check_full(replies[0][1])
        finally:
            room.end_wait()

    def _publish(self, first: int, data: tuple[bytes, ...], deadline: Deadline) -> _Steps[_Replies]:
        """Send values with the numbers from ``first``, and return the replies that report an error."""
        mailbox, number = self._launch(first, data)
        return (yield from self._land(mailbox, number, deadline))

    def _launch(self, first: int, data: tuple[bytes, ...]) -> tuple[_nats.Mailbox, int]:
        mailbox = self._calls.take_mailbox()
        return mailbox, self._calls.connection.send(mailbox, self._names.values, self._prefix, first, data)

    def _land(self, mailbox: _nats.Mailbox, number: int, deadline: Deadline) -> _Steps[_Replies]:
        calls = self._calls
        try:
            while True:
                try:
                    wait = Deadline(deadline.left(min(calls.timeout, _LOOK), _GRACE))
                    return (yield from calls.wait(mailbox, number, wait))
                except ChannelTimeout:
                    if deadline.passed(_GRACE):
                        raise Unconfirmed(
                            f"timed out: the server did not confirm that the channel {self.name!r} holds the value"
                        ) from None
                # No reply: the server is away, or the channel is.
                if calls.connection.connected:
                    yield from self._look()
        except BaseException:
            calls.connection.cancel(number)
            raise

    def _look(self) -> _Steps[None]:
        """Raise if the channel was deleted."""
        try:
            found = yield from find_stream(self._calls, self._names)
        except NatsError:
            return  # the API gives no reply either: a cluster without a leader
        if found is None:
            error = yield from self._closing_error(f"the channel {self.name!r} was deleted")
            raise error from error.__cause__

    def _check_full(self, reply: bytes) -> _Steps[ChannelFull]:
        """Return ChannelFull if that is why the server refused a value, else raise."""
        error = json.loads(reply)["error"]
        code, description = error.get("err_code"), str(error.get("description", ""))
        if code == _STORE_FAILED and description.startswith("maximum "):
            return ChannelFull(f"the channel {self.name!r} is full")
        if code == _SEALED:
            error = yield from self._closing_error(f"the channel {self.name!r} is shut down")
            raise error from error.__cause__
        if code == _TOO_LARGE:
            raise ValueError(f"the value is larger than the channel {self.name!r} accepts: {description}")
        raise refused(f"channel {self.name!r}", error)
