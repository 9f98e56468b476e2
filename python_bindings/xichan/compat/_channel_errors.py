"""The exceptions of ``xichan.compat.channels``, and its constants, which are accepted and have no effect."""

from __future__ import annotations

from .._errors import ChannelClosed, ChannelEmpty, Error, NotFound


class ChannelError(Error, RuntimeError):
    """Base class of the exceptions of these channels."""


class ChannelNotFoundError(ChannelError, NotFound):
    """No channel has this id."""


class ChannelClosedError(ChannelError, ChannelClosed):
    """The channel is closed, or is closed to senders."""


class ChannelEmptyError(ChannelError, ChannelEmpty):
    """The channel is empty now (``recv_nowait()``)."""


class ChannelNotEmptyError(ChannelError):
    """The channel still holds items (``RecvChannel.close()``)."""


class ItemInterpreterDestroyed(ChannelError):
    """Never raised: items outlive the interpreter that sent them."""


class _Unbound:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{self._name}"

    def __reduce__(self) -> str:
        return self._name  # pickled as a reference to the constant


for _class in (*(c for c in globals().values() if isinstance(c, type) and issubclass(c, ChannelError)), _Unbound):
    _class.__module__ = "xichan.compat.channels"
del _class

UNBOUND = _Unbound("UNBOUND")
UNBOUND_ERROR = _Unbound("UNBOUND_ERROR")
UNBOUND_REMOVE = _Unbound("UNBOUND_REMOVE")
_CONSTANTS = (UNBOUND, UNBOUND_ERROR, UNBOUND_REMOVE)


def unbound_code(unbounditems: object) -> int:
    """Return the index of a constant; 0 for None."""
    if unbounditems is None:
        return 0
    try:
        return _CONSTANTS.index(unbounditems)
    except ValueError:
        raise NotImplementedError(f"unsupported unbound replacement op {unbounditems!r}") from None


def unbound_of(code: int) -> _Unbound:
    return _CONSTANTS[code]
