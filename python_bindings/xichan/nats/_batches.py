"""Sending many values: several batches are on their way at the same time.

A value that is refused because the channel is full is sent again, after the values behind it. So that this does not
change their order, values travel together only while the channel has much more free space than they take.
"""

from __future__ import annotations

from collections import deque

from .._errors import ChannelClosed, ChannelTimeout, NotShareableError
from ._errors import Unconfirmed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ._sender import Sender
    from ._steps import Deadline, _Steps

_MOST_FLIGHTS = 4
_MOST_VALUES = 256  # of a flight
_MOST_BYTES = 1 << 20
# The part of the free space that a call uses without looking again: as many Senders may do the same.
_SHARE = 8
# What the server counts beside the content of a value.
_OVERHEAD = 128


class _Flight:
    """Values on their way."""

    __slots__ = ("data", "first", "mailbox", "number")

    def __init__(self, sender: Sender, data: tuple[bytes, ...]) -> None:
        self.data = data
        self.first = next(sender._numbers)
        for _ in data[1:]:
            next(sender._numbers)
        self.mailbox, self.number = sender._launch(self.first, data)


def send_many(sender: Sender, values: Iterable[Any], deadline: Deadline) -> _Steps[int]:
    iterator = iter(values)
    flights: deque[_Flight] = deque()
    budget = _Budget()
    sent = 0
    error: BaseException | None = None  # what ended the iterator, the encoding or the channel
    try:
        while error is None:
            if budget.values < 2:
                sent, error = yield from _settle(sender, flights, deadline, sent)  # the server does not count them yet
                if error is not None:
                    break
                yield from budget.look(sender)
            data, error = _collect(sender, iterator, budget)
            if len(data) == 1:
                single: BaseException | None
                sent, single = yield from _settle(sender, flights, deadline, sent)
                if single is None:
                    sent, single = yield from _send_one(sender, data[0], deadline, sent)
                error = single or error
            elif data:
                flights.append(_Flight(sender, data))
            if len(flights) > _MOST_FLIGHTS:
                sent, late = yield from _settle(sender, flights, deadline, sent, 1)
                error = late or error
        sent, late = yield from _settle(sender, flights, deadline, sent)
        error = late or error
    except Unconfirmed as unconfirmed:
        unconfirmed.sent = sent
        raise
    finally:
        for flight in flights:
            sender._calls.connection.cancel(flight.number)
    if isinstance(error, NotShareableError):
        error.sent = sent
    if isinstance(error, StopIteration) or (sent and isinstance(error, (ChannelTimeout, ChannelClosed))):
        return sent
    raise error


def _send_one(sender: Sender, data: bytes, deadline: Deadline, sent: int) -> _Steps[tuple[int, BaseException | None]]:
    try:
        yield from sender._send(data, deadline)
    except Unconfirmed:
        raise
    except (ChannelTimeout, ChannelClosed) as error:
        return sent, error
    return sent + 1, None


class _Budget:
    """How much may be sent before the next look at the free space."""

    __slots__ = ("bytes", "values")

    def __init__(self) -> None:
        self.values = self.bytes = 0

    def look(self, sender: Sender) -> _Steps[None]:
        settings = sender._settings
        self.values, self.bytes = 1 << 30, 1 << 60
        if settings.capacity is None and settings.max_bytes is None:
            return
        state = (yield from sender._calls.api(f"STREAM.INFO.{sender._names.stream}"))["state"]
        if settings.capacity is not None:
            self.values = max(settings.capacity - state["messages"], 0) // _SHARE
        if settings.max_bytes is not None:
            self.bytes = max(settings.max_bytes - state["bytes"], 0) // _SHARE
        self.values = max(self.values, 1)


def _collect(sender: Sender, values: Iterator[Any], budget: _Budget) -> tuple[tuple[bytes, ...], BaseException | None]:
    """Take the next values that may travel together, at least one, and what ended the iterator or the encoding."""
    data: list[bytes] = []
    size = 0
    most = min(budget.values, _MOST_VALUES)
    error: BaseException | None = None
    try:
        while len(data) < most and size < min(budget.bytes, _MOST_BYTES) or not data:
            value = next(values)
            try:
                data.append(sender._encode(value))
            except NotShareableError as refused:
                refused.item = value
                raise
            size += len(data[-1]) + _OVERHEAD
    except Exception as raised:
        error = raised
    budget.values -= len(data)
    budget.bytes -= size
    return tuple(data), error


def _settle(
    sender: Sender, flights: deque[_Flight], deadline: Deadline, sent: int, most: int = _MOST_FLIGHTS + 1
) -> _Steps[tuple[int, BaseException | None]]:
    """Wait until the values of the first flights are stored. Adds their number to ``sent``.

    Also returns why values were not stored because of the channel, or None. Those behind them may be.
    """
    failed: BaseException | None = None
    for _ in range(min(most, len(flights))):
        flight = flights[0]
        replies = yield from sender._land(flight.mailbox, flight.number, deadline)
        flights.popleft()
        sent += len(flight.data) - len(replies)
        for index, reply in replies:
            if failed is not None:
                break
            try:
                yield from sender._check_full(reply)
                yield from sender._insist(flight.first + index, flight.data[index], deadline)
                sent += 1
            except Unconfirmed:
                raise
            except (ChannelTimeout, ChannelClosed) as error:
                failed = error
    return sent, failed
