"""The exceptions of xichan: one family, each also an instance of the matching standard class."""

import queue


class Error(Exception):
    """Base class of all exceptions of xichan."""


class ChannelClosed(Error):
    """The endpoint is closed, the channel is shut down, or all endpoints of the other side are closed.

    ``case`` is the case of ``select()`` that raised it, else None.
    """

    case: object = None


class ChannelFailed(ChannelClosed):
    """The other side failed, or the channel was shut down with an error. The cause is the exception."""


class ChannelFull(Error, queue.Full):
    """The channel is full now (``send_nowait()``)."""


class ChannelEmpty(Error, queue.Empty):
    """The channel is empty now (``recv_nowait()``)."""


class ChannelTimeout(Error, TimeoutError):
    """The timeout expired; nothing was sent or received."""


class NotShareableError(Error, TypeError):
    """The value, or the part of it that the message names, cannot be sent.

    ``item`` is that part, and ``path`` is its place: ``"value[1]['when']"``. From ``send_many()``: ``item`` is the
    value, and ``sent`` is the number of values before it, all of which were sent.
    """

    sent: int = 0
    item: object = None
    path: str = ""

    def __reduce__(self) -> "tuple[type, tuple[object, ...], dict[str, object]]":
        """Pickle everything but ``item``, which as a rule cannot be pickled either."""
        return type(self), self.args, {name: value for name, value in vars(self).items() if name != "item"}


class DecodeError(Error, ValueError):
    """A received value cannot be made: a class is not found here, or refuses the content. The cause is the exception.

    ``record`` is a RecordView of the object that cannot be made, which needs no class; of a standard type, a TupleView
    of its fields; None if no object is at fault. The message is consumed, and the next call receives the next one.
    ``case`` is the case of ``select()`` that raised it, else None.
    """

    record: object = None
    case: object = None
    _message: object = None


class MemoryLimitExceeded(Error, MemoryError):
    """The value does not fit into the memory limit (``set_memory_limit()``)."""


class OwnerDied(Error):
    """The interpreter that held the lock ended. The lock is free again; what it protects may be half changed.

    Raised once, by the next call that acquires the lock; that call does not hold it.
    """


class Lagged(Error):
    """The subscriber was too slow, and messages were dropped. The next receive returns the oldest that is left.

    ``missed`` is the number of messages that it did not receive.
    """

    @property
    def missed(self) -> int:
        """The number of messages that were dropped."""
        number: int = self.args[0]
        return number


class Interrupted(BaseException):
    """This task is to stop: ``interrupt()`` of its future, its deadline, or Ctrl-C in the program.

    It is raised in the task once, between two bytecodes or in a call of xichan that blocks. Like KeyboardInterrupt, it
    does not derive from Exception, so that ``except Exception`` in a task does not swallow it.
    """


class NotFound(Error, LookupError):
    """The name or id does not exist, or its endpoints have been released."""


for _class in (
    Error,
    ChannelClosed,
    ChannelFailed,
    ChannelFull,
    ChannelEmpty,
    ChannelTimeout,
    NotShareableError,
    MemoryLimitExceeded,
    Interrupted,
    NotFound,
    DecodeError,
    OwnerDied,
    Lagged,
):
    _class.__module__ = "xichan"
del _class
