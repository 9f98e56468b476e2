"""The channels of PEP 554, with the interface of CPython's own wrapper (``test.support.channels``).

    from xichan.compat import channels

    recv, send = channels.create()

A channel lives until it is closed, whoever forgets it. The objects here only know its id: they are equal if they have
the same id, pickle as that, and can be made from it in any interpreter. xichan differs from CPython in this:

* What was sent stays when the interpreter that sent it ends. So ``unbounditems`` is accepted and changes nothing, and
  ItemInterpreterDestroyed is never raised. No channel closes because an interpreter ends.
* Nothing polls. ``recv(timeout=0.5)`` waits half a second; CPython takes the whole seconds of it.
* Ids are large random ints, not 0, 1, 2.
* ``send_buffer`` copies: what arrives is a read-only memoryview of the same format and shape, not of the same memory.
* RecvChannel and SendChannel go where pickles go: through these channels, ``Interpreter.call``, the queues and pools of
  the standard library. For ``prepare_main`` and xichan's own channels hand over ``channel.id``.

As in CPython 3.14, what cannot be shared is pickled.
"""

import time

from .. import _core
from .._errors import ChannelClosed, ChannelEmpty
from ._channel_end import PREFIX, ChannelEnd
from ._channel_errors import (
    UNBOUND,
    UNBOUND_ERROR,
    UNBOUND_REMOVE,
    ChannelClosedError,
    ChannelEmptyError,
    ChannelError,
    ChannelNotEmptyError,
    ChannelNotFoundError,
    ItemInterpreterDestroyed,
    unbound_code,
    unbound_of,
)
from ._channel_items import (
    BUFFER,
    PLAIN,
    copy_buffer,
    find_claim,
    make_claim,
    open_item,
    send_item,
    take_claim,
    value_of,
    wait_for_claim,
)

__all__ = [
    "UNBOUND",
    "UNBOUND_ERROR",
    "UNBOUND_REMOVE",
    "ChannelClosedError",
    "ChannelEmptyError",
    "ChannelError",
    "ChannelNotEmptyError",
    "ChannelNotFoundError",
    "ItemInterpreterDestroyed",
    "RecvChannel",
    "SendChannel",
    "create",
    "list_all",
]

_NOT_SET = object()


def create(*, unbounditems=UNBOUND):
    """Make a channel and return its two ends, (RecvChannel, SendChannel)."""
    code = unbound_code(unbounditems)
    state_tx, state_rx = _core.channel(1)
    state_tx.send_nowait(0)
    tx, rx = _core.channel(None, name=f"{PREFIX}of {state_tx.id}")
    _core.publish(f"{PREFIX}{tx.id}", (tx, rx, state_tx, state_rx, code))
    return RecvChannel(tx.id), SendChannel(tx.id)


def list_all():
    """The two ends, (RecvChannel, SendChannel), of every channel that is not closed."""
    ids = [record["id"] for record in _core.channels() if (record["name"] or "").startswith(PREFIX)]
    pairs = [(RecvChannel(id), SendChannel(id)) for id in ids]
    return [pair for pair in pairs if pair[0]._parts is not None]


class RecvChannel(ChannelEnd):
    """The receiving end of a channel, for any thread. There may be any number of them for one channel."""

    __slots__ = ()

    @property
    def is_closed(self):
        """bool: the channel is closed, and all has been received."""
        return self._open()[1].closed and self._count_items() <= 0

    def recv(self, timeout=None):
        """Receive the oldest item, waiting for it up to ``timeout`` seconds.

        Raises TimeoutError, ChannelClosedError, ChannelNotFoundError.
        """
        if timeout is None:
            return self._take(self._open()[1].recv)
        deadline = time.monotonic() + timeout
        timeouts = [timeout]  # the first as it was given, also to be refused

        def receive():
            left = timeouts.pop() if timeouts else max(deadline - time.monotonic(), 0)
            return self._open()[1].recv(left)

        return self._take(receive)

    def recv_nowait(self, default=_NOT_SET):
        """Receive the oldest item without waiting. If there is none return ``default``, or raise ChannelEmptyError."""
        try:
            return self._take(self._open()[1].recv_nowait)
        except ChannelEmpty:
            if default is not _NOT_SET:
                return default
            raise ChannelEmptyError(f"channel {self._id} is empty") from None

    def close(self):
        """Close the channel. ChannelNotEmptyError if there is something to receive."""
        if self._count_items() > 0:
            raise ChannelNotEmptyError(f"channel {self._id} may not be closed if not empty")
        self._shut_down()

    def _take(self, receive):
        while True:
            try:
                kind, value, claim = open_item(receive())
            except ChannelClosed:
                raise ChannelClosedError(f"channel {self._id} is closed") from None
            taken = claim is None or take_claim(claim)
            if not taken:
                self._count_items(withdrawn_more=-1)
            if self._open()[1].closed:
                self._forget_if_drained()
            if taken:
                return value_of(kind, value)


class SendChannel(ChannelEnd):
    """The sending end of a channel, for any thread. There may be any number of them for one channel."""

    __slots__ = ()

    @property
    def is_closed(self):
        """bool: nothing can be sent any more."""
        return self._open()[0].closed

    @property
    def unbounditems(self):
        """What ``create`` was told."""
        return unbound_of(self._open()[4])

    def send(self, obj, timeout=None, *, unbounditems=None):
        """Send an object and wait until it is received.

        After ``timeout`` seconds it is withdrawn and TimeoutError raised. Raises ChannelClosedError,
        ChannelNotFoundError.
        """
        self._send_and_wait(PLAIN, obj, timeout, unbounditems)

    def send_nowait(self, obj, *, unbounditems=None):
        """Send an object without waiting; any number may be queued."""
        self._send(PLAIN, obj, None, unbounditems)

    def send_buffer(self, obj, timeout=None, *, unbounditems=None):
        """As ``send``; what arrives is a memoryview of a copy of the object's buffer."""
        self._send_and_wait(BUFFER, copy_buffer(obj), timeout, unbounditems)

    def send_buffer_nowait(self, obj, *, unbounditems=None):
        """As ``send_nowait``; what arrives is a memoryview of a copy of the object's buffer."""
        self._send(BUFFER, copy_buffer(obj), None, unbounditems)

    def close(self):
        """Close the channel to senders. What is queued can still be received."""
        self._shut_down()

    def _send(self, kind, value, claim, unbounditems):
        unbound_code(unbounditems)
        tx, *_ = self._open()
        try:
            send_item(tx, kind, value, claim)
        except ChannelClosed:
            if not tx.closed:
                raise  # an end in the value is closed
            raise ChannelClosedError(f"channel {self._id} is closed") from None

    def _send_and_wait(self, kind, value, timeout, unbounditems):
        if timeout is not None and timeout < 0:
            raise ValueError("timeout value must be a non-negative number")
        token_tx, claim = make_claim()
        self._send(kind, value, claim, unbounditems)
        claim.close()  # the one in the envelope stays
        try:
            wait_for_claim(token_tx, timeout)
        except BaseException as error:
            withdrawn = self._withdraw(token_tx)
            if withdrawn or not isinstance(error, TimeoutError):
                raise

    def _withdraw(self, token_tx):
        claim = find_claim(token_tx)
        if claim is None:
            return False
        _, _, state_tx, state_rx, _ = self._open()
        for before in state_rx:
            withdrawn = before
            try:
                token_tx.close()
                for _ in claim:  # once, if a receiver has not taken it
                    withdrawn += 1
            finally:
                state_tx.send_nowait(withdrawn)
            return withdrawn > before
