"""What the two ends of ``xichan.compat.channels`` have in common: the id, and from it the channel.

An unbounded channel carries the items, and a published name keeps its ends open, until ``unpublish``. An item that a
``send`` has withdrawn, because its time was up, stays queued until a receiver comes to it and throws it away. How many
such there are is the one int in the channel's *state*, of capacity 1: whoever takes it out has it alone until it is put
back. (As the count in ``xichan._queue``, where it is explained why no signal can lose it.)
"""

from .. import _core
from .._errors import NotFound
from ._channel_errors import ChannelClosedError, ChannelNotFoundError

PREFIX = "xichan.compat.channels "  # of two names: of the channel of the items, and of the value that keeps it


class ChannelEnd:
    __slots__ = ("__weakref__", "_id", "_parts")

    def __init__(self, cid):
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
    def id(self):
        """int: that of the channel."""
        return self._id

    def __repr__(self):
        return f"{type(self).__name__}(id={self._id})"

    def __hash__(self):
        return hash(self._id)

    def __eq__(self, other):
        return self._id == other._id if type(self) is type(other) else NotImplemented

    def __reduce__(self):
        return type(self), (self._id,)

    def _open(self):
        if self._parts is not None:
            return self._parts
        try:
            name = _core.Receiver.from_id(self._id).name or ""
        except NotFound:
            name = ""
        if name.startswith(PREFIX):  # somebody still holds it
            raise ChannelClosedError(f"channel {self._id} is closed")
        raise ChannelNotFoundError(f"channel {self._id} not found")

    def _count_items(self, withdrawn_more=0):
        """How many items are queued and not withdrawn; before that, note that so many more have been withdrawn."""
        _, rx, state_tx, state_rx, _ = self._open()
        for withdrawn in state_rx:
            try:
                withdrawn += withdrawn_more
            finally:
                state_tx.send_nowait(withdrawn)
            return len(rx) - withdrawn

    def _shut_down(self):
        tx, *_ = self._open()
        if tx.closed:
            raise ChannelClosedError(f"channel {self._id} is closed")
        tx.shutdown()
        self._forget_if_drained()

    def _forget_if_drained(self):
        """After the channel was shut down: when nothing is left in it, let it go."""
        if self._count_items() <= 0:
            try:
                _core.unpublish(f"{PREFIX}{self._id}")
            except NotFound:
                pass
