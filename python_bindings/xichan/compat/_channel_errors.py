"""The errors of ``xichan.compat.channels``, and the constants of which nothing depends there."""

from .._errors import ChannelClosed, ChannelEmpty, Error, NotFound


class ChannelError(Error, RuntimeError):
    """Base of the errors of these channels."""


class ChannelNotFoundError(ChannelError, NotFound):
    """No channel has this id."""


class ChannelClosedError(ChannelError, ChannelClosed):
    """The channel is closed; or, to senders, it takes nothing any more."""


class ChannelEmptyError(ChannelError, ChannelEmpty):
    """There is nothing to receive now (``recv_nowait``)."""


class ChannelNotEmptyError(ChannelError):
    """There still is something to receive (``RecvChannel.close``)."""


class ItemInterpreterDestroyed(ChannelError):
    """Never raised: what was sent stays."""


class _Unbound:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"{type(self).__module__}.{self._name}"

    def __reduce__(self):
        return self._name  # the constant of this name


for _class in (*(c for c in globals().values() if isinstance(c, type) and issubclass(c, ChannelError)), _Unbound):
    _class.__module__ = "xichan.compat.channels"
del _class

UNBOUND = _Unbound("UNBOUND")
UNBOUND_ERROR = _Unbound("UNBOUND_ERROR")
UNBOUND_REMOVE = _Unbound("UNBOUND_REMOVE")
_ALL_UNBOUND = (UNBOUND, UNBOUND_ERROR, UNBOUND_REMOVE)


def unbound_code(unbounditems):
    """The place of a constant among them; the first also for None."""
    if unbounditems is None:
        return 0
    try:
        return _ALL_UNBOUND.index(unbounditems)
    except ValueError:
        raise NotImplementedError(f"unsupported unbound replacement op {unbounditems!r}") from None


def unbound_of(code):
    return _ALL_UNBOUND[code]
