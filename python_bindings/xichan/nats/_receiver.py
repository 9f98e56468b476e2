"""The receiving endpoint of a channel on a server."""

from __future__ import annotations

import json
import os

from .. import _nats, loads
from .._errors import ChannelClosed, ChannelEmpty, ChannelFailed, ChannelTimeout, DecodeError
from ._calls import find_stream
from ._channels import is_shut_down
from ._dead import bury
from ._endpoint import Endpoint
from ._errors import NatsError
from ._kv import Lease, Leases
from ._lease import Lease as ValueLease
from ._lease import LeaseCall
from ._steps import Deadline, check_timeout, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from typing import Any, Self

    from ._channels import Settings
    from ._hub import Hub
    from ._names import Names
    from ._steps import _Steps

# A value that arrives after its call has given up is kept this long for the next call of the Receiver, in seconds.
_HOLD = 1.0
# The most values of one call, as an int of C++ holds.
_MOST = (1 << 31) - 1
# The server says when the time of a request is over. A server that does not reply is waited for this much longer.
_GRACE = 0.25


class Receiver(Endpoint):
    """The receiving endpoint of a channel on a server; created by ``Hub.channel()`` or ``Hub.receiver()``.

    Each value is received by one of the channel's Receivers. Iterating receives until the channel has ended. All
    threads of the interpreter may use a Receiver.
    """

    def __init__(self, *, _create: tuple[Hub, Names, Settings, tuple[type, ...]] | None = None) -> None:
        super().__init__(_create and _create[:3])
        assert _create is not None
        self._classes = _create[3]
        self._consumer = _nats.Consumer(
            self._calls.connection, self._names.requests, self._names.room, _HOLD, self._settings.ack_wait
        )
        self._listed.begin_wait_on(self._consumer.inbox.id)
        leases = Leases(self._names, self._settings)
        self._lease = Lease(self._calls, leases, "r", os.urandom(8).hex())
        self._watch_end(leases)
        self._hub._endpoints.add(self)

    def recv(self, timeout: float | None = None) -> Any:
        """Receive the oldest value and acknowledge it; block while the channel is empty.

        Raises ChannelTimeout after ``timeout`` seconds; ChannelClosed if this Receiver is closed, or the channel is
        shut down or deleted and no value is left; DecodeError if the value cannot be made here: it is moved to the dead
        letters. Raises TypeError if the channel was made with ``ack="lease"``.
        """
        check_timeout(timeout)
        if timeout == 0:
            try:
                return self.recv_nowait()
            except ChannelEmpty:
                raise ChannelTimeout(f"timed out: the channel {self.name!r} is empty") from None
        return self._run("recv", self._recv(timeout))

    def recv_nowait(self) -> Any:
        """Receive the oldest value, or raise ChannelEmpty. Blocks for the reply of the server."""
        return self._run("recv", self._recv_nowait())

    def recv_many(self, max_items: int, timeout: float | None = None) -> list[Any]:
        """Receive 1 to ``max_items`` values that are there together; block while the channel is empty."""
        check_timeout(timeout)
        return self._run("recv", self._recv_many(_check_count(max_items), timeout))

    def drain(self) -> list[Any]:
        """Receive everything that is in the channel now. Blocks for replies of the server."""
        self._check_acknowledges()
        values: list[Any] = []
        while True:
            try:
                got = self._run("recv", self._probe(256))
            except ChannelClosed:
                if not values:
                    raise
                got = []
            more = run(self._finish(got, raises=not values)) if got else []
            if not more:
                return values
            values += more

    def arecv(self) -> Coroutine[Any, Any, Any]:
        """Coroutine: receive the oldest value as ``recv()`` does; wait in the running event loop."""
        return self._arun("recv", self._recv(None))

    def arecv_many(self, max_items: int) -> Coroutine[Any, Any, list[Any]]:
        """Coroutine: receive 1 to ``max_items`` values as ``recv_many()`` does; wait in the running event loop."""
        return self._arun("recv", self._recv_many(_check_count(max_items), None))

    def lease(self, timeout: float | None = None) -> ValueLease:
        """Receive the oldest value without acknowledging it; block while the channel is empty.

            with rx.lease() as value:
                ...

        Leaving the block acknowledges the value; an exception returns it, and it is delivered again. A value that is
        not acknowledged after the channel's ``ack_wait`` is delivered again, too. Raises as ``recv()`` does.
        """
        check_timeout(timeout)
        return self._run("recv", self._take_lease(timeout))

    def alease(self) -> LeaseCall:
        """Coroutine: receive as ``lease()`` does; wait in the running event loop.

            async with rx.alease() as value:
                ...

        does so too, and acknowledges the value at the end of the block, as ``with rx.lease()`` does.
        """
        return LeaseCall(self._arun("recv", self._take_lease(None)))

    def leases(self) -> Iterator[ValueLease]:
        """Return an iterator that calls ``lease()`` until the channel has ended."""
        try:
            while True:
                yield self.lease()
        except ChannelClosed as error:
            if self._closed or isinstance(error, ChannelFailed):
                raise

    async def aleases(self) -> AsyncIterator[ValueLease]:
        """Return an asynchronous iterator that calls ``alease()`` until the channel has ended."""
        try:
            while True:
                yield await self.alease()
        except ChannelClosed as error:
            if self._closed or isinstance(error, ChannelFailed):
                raise

    def close(self) -> None:
        """Close this Receiver: its other calls raise ChannelClosed. The channel keeps its values. Idempotent.

        Blocks for a reply of the server.
        """
        super().close()

    def _close(self, error: BaseException | None) -> _Steps[None]:
        if self._closed:
            return
        self._mark_closed()
        if self._hub._pid == os.getpid():
            self._consumer.close()
            if not self._hub.closed:
                yield from self._leave()

    def _is_finished(self) -> _Steps[bool]:
        info = yield from find_stream(self._calls, self._names)
        return (
            info is None or is_shut_down(info) or (bool(info["config"].get("sealed")) and not info["state"]["messages"])
        )

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            return self._run("recv", self._recv(None))
        except ChannelClosed as error:
            if self._closed or isinstance(error, ChannelFailed):
                raise
            raise StopIteration from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.arecv()
        except ChannelClosed as error:
            if self._closed or isinstance(error, ChannelFailed):
                raise
            raise StopAsyncIteration from None

    # The steps of these operations.

    def _recv(self, timeout: float | None) -> _Steps[Any]:
        self._check_acknowledges()
        delivery = yield from self._next(Deadline(timeout))
        return (yield from self._decode(delivery))

    def _recv_nowait(self) -> _Steps[Any]:
        self._check_acknowledges()
        found = yield from self._probe(1)
        if not found:
            raise ChannelEmpty(f"the channel {self.name!r} is empty")
        return (yield from self._decode(found[0]))

    def _recv_many(self, most: int, timeout: float | None) -> _Steps[list[Any]]:
        self._check_acknowledges()
        found = yield from self._probe(most, insists=False)
        if not found:
            found = [(yield from self._next(Deadline(timeout)))]
            if most > 1:
                try:
                    found += yield from self._probe(most - 1, insists=False)
                except (ChannelClosed, NatsError):
                    pass  # the next call raises
        return (yield from self._finish(found))

    def _take_lease(self, timeout: float | None) -> _Steps[ValueLease]:
        delivery = yield from self._next(Deadline(timeout))
        value = yield from self._load(delivery)
        return ValueLease(_create=(self, delivery, value))

    def _finish(self, deliveries: list[_nats.Delivery], raises: bool = True) -> _Steps[list[Any]]:
        """Acknowledge deliveries together, and return their values, up to one that cannot be decoded.

        That one and those after it are returned to the server, for the next call, which then raises. If it is the first
        and this call ``raises``, it becomes a dead letter instead.
        """
        values: list[Any] = []
        for delivery in deliveries:
            try:
                values.append(loads(delivery, classes=self._classes))
            except ValueError:
                break
        fails = raises and not values
        if values:
            self._consumer.acknowledge(tuple(deliveries[: len(values)]), "+ACK", True)
        for delivery in deliveries[1 if fails else len(values) :]:
            self._consumer.acknowledge((delivery,), "-NAK", False)
        if fails:
            yield from self._load(deliveries[0])
        return values

    def _next(self, deadline: Deadline) -> _Steps[_nats.Delivery]:
        """Wait for a value that may be delivered."""
        consumer = self._consumer
        while True:
            self._check()
            waiter = consumer.begin_wait(deadline.left())
            try:
                number = 0
                while not number:
                    left = deadline.left()
                    number = yield consumer.inbox, None if left is None else left + _GRACE
                    if not number and deadline.passed():
                        raise ChannelTimeout
            except ChannelTimeout:
                raise ChannelTimeout(f"timed out: the channel {self.name!r} is empty") from None
            except ChannelClosed as closed:
                error = yield from self._ended(closed)
                raise error from error.__cause__
            finally:
                consumer.end_wait(waiter)
            delivery = yield from self._accept(number)
            if delivery is not None:
                return delivery

    def _accept(self, number: int) -> _Steps[_nats.Delivery | None]:
        """Return the message of a number from the inbox, or None if it was returned or has become a dead letter."""
        delivery = self._consumer.accept(number) if number else None
        if delivery is not None and (yield from self._screen(delivery)):
            return delivery
        return None

    def _probe(self, most: int, insists: bool = True) -> _Steps[list[_nats.Delivery]]:
        """Return the values that are there now, at most ``most``. Waits for the reply of the server.

        Without a reply raises NatsError if it ``insists``, else returns what there is.
        """
        self._check()
        consumer, calls = self._consumer, self._calls
        found = yield from self._take(most)
        if len(found) == most:
            return found
        mailbox = calls.take_mailbox()
        number = consumer.probe(most - len(found), mailbox)
        try:
            yield from calls.wait(mailbox, number, Deadline(calls.timeout))
        except ChannelTimeout:
            if insists and not found:
                yield from find_stream(calls, self._names)  # raises if the server does not reply
        except ChannelClosed as closed:
            if not found:
                error = yield from self._ended(closed)
                raise error from error.__cause__
        finally:
            consumer.cancel_probe(number)
        try:
            found += yield from self._take(most - len(found))
        except ChannelClosed:
            if not found:
                raise
        return found

    def _take(self, most: int) -> _Steps[list[_nats.Delivery]]:
        """Return the values that have arrived, at most ``most``."""
        found: list[_nats.Delivery] = []
        try:
            while len(found) < most:
                delivery = yield from self._accept(self._consumer.inbox.recv_nowait())
                if delivery is not None:
                    found.append(delivery)
        except ChannelEmpty:
            pass
        except ChannelClosed as closed:
            if not found:
                error = yield from self._ended(closed)
                raise error from error.__cause__
        return found

    def _screen(self, delivery: _nats.Delivery) -> _Steps[bool]:
        """Return whether a delivery may be received; if there have been too many, it becomes a dead letter."""
        most = self._settings.max_deliver
        if most is None or delivery.count <= most:
            return True
        yield from bury(self, delivery, f"delivered {most} times without an acknowledgment")
        return False

    def _decode(self, delivery: _nats.Delivery) -> _Steps[Any]:
        """Acknowledge a delivery and return its value."""
        value = yield from self._load(delivery)
        self._consumer.acknowledge((delivery,), "+ACK", True)
        return value

    def _load(self, delivery: _nats.Delivery) -> _Steps[Any]:
        """Return the value of a delivery; if it cannot be decoded, it becomes a dead letter."""
        try:
            return loads(delivery, classes=self._classes)
        except ValueError as error:
            yield from bury(self, delivery, f"cannot be decoded: {error}")
            if isinstance(error, DecodeError):
                raise
            raise DecodeError(f"the channel {self.name!r} holds what is not a value: {error}") from error

    def _check_acknowledges(self) -> None:
        self._check()
        if self._settings.ack == "lease":
            raise TypeError(f"the channel {self.name!r} has ack='lease': use lease() or leases()")

    def _ended(self, closed: ChannelClosed) -> _Steps[Exception]:
        """Return the exception of a call that could not receive from the inbox."""
        if not self._consumer.ended:  # the interpreter or the process ends
            return closed
        return (yield from self._closing_error(f"the channel {self.name!r} is closed"))

    def _watch_end(self, leases: Leases) -> None:
        names, settings = self._names, self._settings
        self._consumer.watch_end(
            f"$JS.API.STREAM.INFO.{names.stream}",
            names.changes,
            names.room,
            "" if settings.keep else leases.count_subject,
            leases.count_data,
            f"$JS.API.STREAM.UPDATE.{names.stream}",
            json.dumps(settings.sealed_stream(names, "senders")),
            leases.lasts / 4,
            leases.lasts,
        )


def _check_count(max_items: int) -> int:
    if isinstance(max_items, bool) or not isinstance(max_items, int):
        raise TypeError(f"max_items must be an int, got {type(max_items).__name__}")
    if max_items < 1:
        raise ValueError(f"max_items must be at least 1, got {max_items}")
    return min(max_items, _MOST)
