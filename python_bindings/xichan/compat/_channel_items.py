"""How the items of ``xichan.compat.channels`` travel.

A value that is no tuple travels as it is. Every other item is an envelope, (kind, value, claim).

The claim settles whether a ``send`` that waits has been received or has given up. It is the only Receiver of a channel
that holds one token: whoever takes the token has decided. The sender waits until there is room in that channel, or it
is closed: both mean that a receiver has had the envelope.
"""

import functools

from .. import _core
from .._errors import ChannelClosed, NotFound, NotShareableError

PLAIN, PICKLED, BUFFER = range(3)


@functools.cache
def _pickling():
    from .. import _pickling

    return _pickling


def send_item(tx, kind, value, claim=None):
    """Send an item into an unbounded channel, pickled if it cannot be shared."""
    try:
        tx.send_nowait(value if kind == PLAIN and claim is None and type(value) is not tuple else (kind, value, claim))
    except NotShareableError:
        tx.send_nowait((PICKLED, _pickling().dumps(value), claim))


def open_item(item):
    """(kind, value, claim) of what was received."""
    return item if type(item) is tuple else (PLAIN, item, None)


def value_of(kind, value):
    """What the user gets."""
    if kind == PICKLED:
        return _pickling().loads(*value)
    return _view(*value) if kind == BUFFER else value


def copy_buffer(obj):
    """The value of an item of kind BUFFER."""
    view = memoryview(obj)
    return view.tobytes(), view.format, view.shape


def _view(data, format, shape):
    try:
        return memoryview(data).cast(format, shape)
    except (TypeError, ValueError):  # a format that cast() does not know, or no elements
        return memoryview(data)


def make_claim():
    """Returns (token_tx, claim)."""
    token_tx, claim = _core.channel(1)
    token_tx.send_nowait(None)
    return token_tx, claim


def wait_for_claim(token_tx, timeout):
    """Wait until a receiver has had the envelope, whose claim is the only one left."""
    try:
        token_tx.send(None, timeout)
    except ChannelClosed:
        pass


def take_claim(claim):
    """For a receiver: take the token. False if the sender has withdrawn it."""
    try:
        claim.recv_nowait()
    except ChannelClosed:
        return False
    return True


def find_claim(token_tx):
    """For a sender that gives up: a claim to take the token with, or None if a receiver has had it."""
    try:
        return _core.Receiver.from_id(token_tx.id)
    except NotFound:
        return None
