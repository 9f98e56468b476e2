"""The errors of xichan: one family, each also of the standard class that its callers know."""

import queue


class Error(Exception):
    """Base of all errors of xichan."""


class ChannelClosed(Error):
    """The end was closed, the channel shut down, or the other side has gone.

    ``case`` is the case of ``select`` that found it so, else None."""

    case = None


class ChannelFull(Error, queue.Full):
    """There is no room now (``send_nowait``)."""


class ChannelEmpty(Error, queue.Empty):
    """Nothing is ready now (``recv_nowait``)."""


class ChannelTimeout(Error, TimeoutError):
    """The time-out passed; nothing was sent or taken."""


class NotShareableError(Error, TypeError):
    """A value, or the part of it that the message names, cannot be sent.

    From ``send_many``: ``sent`` is the number of values before it, all of which were sent, and ``item`` the value."""

    sent = 0
    item = None


class MemoryLimitExceeded(Error, MemoryError):
    """The memory limit (``set_memory_limit``) would be passed."""


class NotFound(Error, LookupError):
    """No such channel, or an end that was given back already."""


for _class in (
    Error,
    ChannelClosed,
    ChannelFull,
    ChannelEmpty,
    ChannelTimeout,
    NotShareableError,
    MemoryLimitExceeded,
    NotFound,
):
    _class.__module__ = "xichan"
del _class
