"""How ``xichan.compat.channels`` sends items.

A value other than a tuple is sent as it is. Every other item is an envelope, (kind, value, claim).

The claim decides whether the item of a blocked ``send`` is received or withdrawn. It is the only Receiver of a channel
that holds one token: the side that takes the token decides. The sender waits until that channel has room or is closed:
both mean that a receiver has opened the envelope.
"""

from __future__ import annotations

import functools

from .. import _core
from .._errors import ChannelClosed, NotFound, NotShareableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Buffer
    from types import ModuleType
    from typing import Any

    from .._core import Receiver, Sender

PLAIN, PICKLED, BUFFER = range(3)  # kinds


@functools.cache
def _pickling() -> ModuleType:
    from .. import _pickling

    return _pickling


def send_item(tx: Sender[Any], kind: int, value: object, claim: Receiver[None] | None = None) -> None:
    """Send an item into an unbounded channel, pickled if it is not shareable."""
    try:
        tx.send_nowait(value if kind == PLAIN and claim is None and type(value) is not tuple else (kind, value, claim))
    except NotShareableError:
        tx.send_nowait((PICKLED, _pickling().dumps(value), claim))


def open_item(item: Any) -> tuple[int, Any, Receiver[None] | None]:
    """Return (kind, value, claim) of a received item."""
    return item if type(item) is tuple else (PLAIN, item, None)


def value_of(kind: int, value: Any) -> Any:
    """Return the object that the user receives."""
    if kind == PICKLED:
        return _pickling().loads(*value)
    return _view(*value) if kind == BUFFER else value


def copy_buffer(obj: Buffer) -> tuple[bytes, str, tuple[int, ...] | None]:
    """Return the value of an item of kind BUFFER."""
    view = memoryview(obj)
    return view.tobytes(), view.format, view.shape


def _view(data: bytes, format: Any, shape: tuple[int, ...]) -> memoryview[Any]:
    try:
        return memoryview(data).cast(format, shape)
    except (TypeError, ValueError):  # cast() does not support the format, or there are no elements
        return memoryview(data)


def make_claim() -> tuple[Sender[None], Receiver[None]]:
    """Return (token_tx, claim)."""
    token_tx, claim = _core._own_channel("claim of a message", 1)
    token_tx.send_nowait(None)
    return token_tx, claim


def wait_for_claim(token_tx: Sender[None], timeout: float | None) -> None:
    """Block until a receiver has opened the envelope, which holds the only claim left.

    Raises ChannelTimeout, or ChannelClosed if the interpreter is shutting down.
    """
    try:
        token_tx.send(None, timeout)
    except ChannelClosed:
        if not token_tx.closed:
            raise  # the interpreter is shutting down


def take_claim(claim: Receiver[None]) -> bool:
    """Take the token, for a receiver. Returns False if the sender has withdrawn the item."""
    try:
        claim.recv_nowait()
    except ChannelClosed:
        return False
    return True


def find_claim(token_tx: Sender[None]) -> Receiver[None] | None:
    """Return a claim by which a sender can take the token back, or None if a receiver has opened the envelope."""
    try:
        return _core.Receiver.from_id(token_tx.id)
    except NotFound:
        return None
