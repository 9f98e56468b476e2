"""The errors of ``xichan.Queue``, each also that of the other queues which its users know.

Imported when the first of them is raised: ``concurrent.interpreters`` takes longer to import than all of xichan.
"""

import queue

from ._errors import ChannelClosed, ChannelEmpty, ChannelFull

try:
    from concurrent.interpreters import QueueEmpty as _QueueEmpty
    from concurrent.interpreters import QueueFull as _QueueFull
except ImportError:  # CPython 3.13
    _QueueEmpty, _QueueFull = queue.Empty, queue.Full


class QueueEmpty(ChannelEmpty, _QueueEmpty):
    """The queue is empty, and was for as long as ``get`` was to wait."""


class QueueFull(ChannelFull, _QueueFull):
    """The queue is full, and was for as long as ``put`` was to wait."""


class QueueShutDown(ChannelClosed, queue.ShutDown):
    """The queue has been shut down, and for ``get``: is empty."""
