"""The common part of the two endpoints of ``xichan.compat.channels``: the id, and the channel found by it.

An unbounded channel carries the items, and a published name keeps its endpoints open until ``unpublish``. An item
that ``send`` withdraws when its timeout expires stays queued until a receiver finds and discards it. The number of such
items is the one int in the channel's *state*, a channel of capacity 1: a thread that takes the int out has exclusive
access until it puts it back. (As the count in ``xichan._queue``, which explains why no signal can lose it.)
"""

from __future__ import annotations

from .. import _core
from .._errors import NotFound
from ._channel_errors import ChannelClosedError, ChannelNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

PREFIX = "xichan.compat.channels "  # of two names: that of the items' channel, and that of the published value


class ChannelEndpoint:
    __slots__ = ("__weakref__", "_id", "_parts")
    _id: int
    _parts: tuple[Any, ...] | None

    def __init__(self, cid: int) -> None:
        if not isinstance(cid, int):
            raise TypeError(f"channel ID must be an int, got {type(cid).__name__}")
        if cid < 0:
            raise ValueError(f"channel ID must be a non-negative int, got {cid}")
        self._id = int(cid)
        try:
            self._parts = _core.lookup(f"{PREFIX}{self._id}")
        except NotFound:
            self._parts = None

    @property
    def id(self) -> int:
        """int: the id of the channel."""
        return self._id

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self._id})"

    def __hash__(self) -> int:
        return hash(self._id)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ChannelEndpoint) and type(self) is type(other):
            return self._id == other._id
        return NotImplemented

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self._id,)

    def _open(self) -> tuple[Any, ...]:
        if self._parts is not None:
            return self._parts
        try:
            name = _core.Receiver.from_id(self._id).name or ""
        except NotFound:
            name = ""
        if name.startswith(PREFIX):  # another endpoint still holds it
            raise ChannelClosedError(f"channel {self._id} is closed")
        raise ChannelNotFoundError(f"channel {self._id} not found")

    def _count_items(self, withdrawn_more: int = 0) -> int:
        """Add to the number of withdrawn items, then return the number of queued items that are not withdrawn."""
        _, rx, state_tx, state_rx, _ = self._open()
        for withdrawn in state_rx:
            try:
                withdrawn += withdrawn_more
            finally:
                state_tx.send_nowait(withdrawn)
            break
        return len(rx) - withdrawn

    def _shut_down(self) -> None:
        tx, *_ = self._open()
        if tx.closed:
            raise ChannelClosedError(f"channel {self._id} is closed")
        tx.shutdown()
        self._forget_if_drained()

    def _forget_if_drained(self) -> None:
        """Unpublish a channel that was shut down, once it is empty."""
        if self._count_items() <= 0:
            try:
                _core.unpublish(f"{PREFIX}{self._id}")
            except NotFound:
                pass
