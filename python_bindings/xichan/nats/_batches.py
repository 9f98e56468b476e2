"""Sending many values: several batches are on their way at the same time.

A value that is refused because the channel is full is sent again, after the values behind it. So that this does not
change their order, values travel together only while the channel has much more free space than they take.
"""

from __future__ import annotations

from collections import deque

from .._errors import ChannelClosed, ChannelTimeout, NotShareableError

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
    sent = 0
    flights: deque[_Flight] = deque()
    budget = _Budget()
    error: BaseException | None = None
    try:
        while error is None:
            if budget.values < 2:
                while flights:  # the server does not count them yet
                    sent += yield from _settle(sender, flights.popleft(), deadline)
                yield from budget.look(sender)
            data, error = _collect(sender, iterator, budget)
            if len(data) == 1:
                while flights:
                    sent += yield from _settle(sender, flights.popleft(), deadline)
                yield from sender._send(data[0], deadline)
                sent += 1
            elif data:
                flights.append(_Flight(sender, data))
            if len(flights) == _MOST_FLIGHTS:
                sent += yield from _settle(sender, flights.popleft(), deadline)
        while flights:
            sent += yield from _settle(sender, flights.popleft(), deadline)
    except (ChannelTimeout, ChannelClosed):
        if sent == 0:
            raise
        return sent
    finally:
        for flight in flights:
            sender._calls.connection.cancel(flight.number)
    if isinstance(error, NotShareableError):
        error.sent = sent
    if not isinstance(error, StopIteration):
        raise error
    return sent


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


def _settle(sender: Sender, flight: _Flight, deadline: Deadline) -> _Steps[int]:
    """Wait until the values of a flight are stored; return their number."""
    replies = yield from sender._land(flight.mailbox, flight.number, deadline)
    for index, reply in replies:
        yield from sender._check_full(reply)
        yield from sender._insist(flight.first + index, flight.data[index], deadline)
    return len(flight.data)
