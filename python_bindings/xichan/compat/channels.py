"""The channels of PEP 554, with the interface of CPython's own wrapper (``test.support.channels``).

    from xichan.compat import channels

    recv, send = channels.create()

A channel lives until it is closed, even if no object refers to it. The objects here hold its id: they are equal if
their ids are, pickle as the id, and can be created from it in any interpreter. xichan differs from CPython:

* Items outlive the interpreter that sent them. So ``unbounditems`` is accepted and has no effect, and
  ItemInterpreterDestroyed is never raised. No channel is closed because an interpreter ends.
* Blocked calls do not poll. ``recv(timeout=0.5)`` blocks for half a second; CPython truncates the timeout to seconds.
* Ids are large random ints, not 0, 1, 2.
* ``send_buffer`` copies: the receiver gets a read-only memoryview of the same format and shape, of other memory.
* RecvChannel and SendChannel can be sent wherever objects are pickled: through these channels, ``Interpreter.call``,
  and the queues and pools of the standard library. For ``prepare_main`` and xichan's own channels, pass ``channel.id``.

As in CPython 3.14, objects that are not shareable are pickled.
"""

from __future__ import annotations

import time

from .. import _core
from .._errors import ChannelClosed, ChannelEmpty
from ._channel_endpoint import PREFIX, ChannelEndpoint
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
    _Unbound,
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Buffer, Callable
    from typing import Any

    from .._core import Receiver, Sender

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


def create(*, unbounditems: _Unbound | None = UNBOUND) -> tuple[RecvChannel, SendChannel]:
    """Create a channel and return its endpoints, (RecvChannel, SendChannel)."""
    code = unbound_code(unbounditems)
    state_tx, state_rx = _core._own_channel("state of a channel", 1)
    state_tx.send_nowait(0)
    tx, rx = _core.channel(None, name=f"{PREFIX}of {state_tx.id}")
    _core.publish(f"{PREFIX}{tx.id}", (tx, rx, state_tx, state_rx, code))
    return RecvChannel(tx.id), SendChannel(tx.id)


def list_all() -> list[tuple[RecvChannel, SendChannel]]:
    """Return the endpoints, (RecvChannel, SendChannel), of every channel that is not closed."""
    ids = [channel.id for channel in _core.channels() if (channel.name or "").startswith(PREFIX)]
    pairs = [(RecvChannel(id), SendChannel(id)) for id in ids]
    return [pair for pair in pairs if pair[0]._parts is not None]


class RecvChannel(ChannelEndpoint):
    """A receiving endpoint, for any thread. A channel may have any number of them."""

    __slots__ = ()

    @property
    def is_closed(self) -> bool:
        """bool: True once the channel is closed and every item has been received."""
        return self._open()[1].closed and self._count_items() <= 0

    def recv(self, timeout: float | None = None) -> Any:
        """Receive the oldest item; block while the channel is empty.

        timeout: seconds after which TimeoutError is raised; None blocks indefinitely.

        Raises ChannelClosedError or ChannelNotFoundError.
        """
        if timeout is None:
            return self._take(self._open()[1].recv)
        deadline = time.monotonic() + timeout
        timeouts = [timeout]  # the first attempt validates the timeout as it was passed

        def receive() -> Any:
            left = timeouts.pop() if timeouts else max(deadline - time.monotonic(), 0)
            return self._open()[1].recv(left)

        return self._take(receive)

    def recv_nowait(self, default: object = _NOT_SET) -> Any:
        """Receive the oldest item without blocking.

        If the channel is empty, returns ``default`` if it was passed, else raises ChannelEmptyError.
        """
        try:
            return self._take(self._open()[1].recv_nowait)
        except ChannelEmpty:
            if default is not _NOT_SET:
                return default
            raise ChannelEmptyError(f"channel {self._id} is empty") from None

    def close(self) -> None:
        """Close the channel, or raise ChannelNotEmptyError if it holds items."""
        if self._count_items() > 0:
            raise ChannelNotEmptyError(f"channel {self._id} may not be closed if not empty")
        self._shut_down()

    def _take(self, receive: Callable[[], Any]) -> Any:
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


class SendChannel(ChannelEndpoint):
    """A sending endpoint, for any thread. A channel may have any number of them."""

    __slots__ = ()

    @property
    def is_closed(self) -> bool:
        """bool: True once the channel is closed to senders."""
        return self._open()[0].closed

    @property
    def unbounditems(self) -> _Unbound:
        """The ``unbounditems`` that was passed to ``create()``."""
        return unbound_of(self._open()[4])

    def send(self, obj: object, timeout: float | None = None, *, unbounditems: _Unbound | None = None) -> None:
        """Send an object and block until it is received.

        timeout: seconds after which the object is withdrawn and TimeoutError is raised; None blocks indefinitely.

        Raises ChannelClosedError or ChannelNotFoundError. If the interpreter shuts down before the object is received,
        withdraws it and raises ChannelClosedError.
        """
        self._send_and_wait(PLAIN, obj, timeout, unbounditems)

    def send_nowait(self, obj: object, *, unbounditems: _Unbound | None = None) -> None:
        """Send an object without blocking; any number may be queued."""
        self._send(PLAIN, obj, None, unbounditems)

    def send_buffer(self, obj: Buffer, timeout: float | None = None, *, unbounditems: _Unbound | None = None) -> None:
        """Send a copy of the object's buffer, as ``send()`` does; the receiver gets a memoryview."""
        self._send_and_wait(BUFFER, copy_buffer(obj), timeout, unbounditems)

    def send_buffer_nowait(self, obj: Buffer, *, unbounditems: _Unbound | None = None) -> None:
        """Send a copy of the object's buffer, as ``send_nowait()`` does; the receiver gets a memoryview."""
        self._send(BUFFER, copy_buffer(obj), None, unbounditems)

    def close(self) -> None:
        """Close the channel to senders. Queued items can still be received."""
        self._shut_down()

    def _send(self, kind: int, value: object, claim: Receiver[None] | None, unbounditems: _Unbound | None) -> None:
        unbound_code(unbounditems)
        tx, *_ = self._open()
        try:
            send_item(tx, kind, value, claim)
        except ChannelClosed:
            if not tx.closed:
                raise  # an endpoint in the value is closed
            raise ChannelClosedError(f"channel {self._id} is closed") from None

    def _send_and_wait(self, kind: int, value: object, timeout: float | None, unbounditems: _Unbound | None) -> None:
        if timeout is not None and timeout < 0:
            raise ValueError("timeout value must be a non-negative number")
        token_tx, claim = make_claim()
        self._send(kind, value, claim, unbounditems)
        claim.close()  # the claim in the envelope stays open
        try:
            wait_for_claim(token_tx, timeout)
        except TimeoutError:
            if self._withdraw(token_tx):
                raise
        except ChannelClosed as error:
            if self._withdraw(token_tx):
                raise ChannelClosedError(str(error)) from None
        except BaseException:
            self._withdraw(token_tx)
            raise

    def _withdraw(self, token_tx: Sender[None]) -> bool:
        """Withdraw the item. Returns False if a receiver has received it."""
        claim = find_claim(token_tx)
        if claim is None:
            return False
        _, _, state_tx, state_rx, _ = self._open()
        for before in state_rx:
            withdrawn = before
            try:
                token_tx.close()
                for _ in claim:  # once, unless a receiver has taken the token
                    withdrawn += 1
            finally:
                state_tx.send_nowait(withdrawn)
            break
        return bool(withdrawn > before)
