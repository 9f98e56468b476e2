"""The exceptions of ``xichan.Queue``. Each derives from the matching standard library exception.

Imported when the first of them is raised, because ``concurrent.interpreters`` takes longer to import than the rest of
xichan.
"""

import queue
import sys

from ._errors import ChannelClosed, ChannelEmpty, ChannelFailed, ChannelFull

if sys.version_info >= (3, 14):
    from concurrent.interpreters import QueueEmpty as _QueueEmpty
    from concurrent.interpreters import QueueFull as _QueueFull
else:
    from queue import Empty as _QueueEmpty
    from queue import Full as _QueueFull


class QueueEmpty(ChannelEmpty, _QueueEmpty):
    """The queue is empty, and stayed empty until the timeout of ``get()`` expired."""


class QueueFull(ChannelFull, _QueueFull):
    """The queue is full, and stayed full until the timeout of ``put()`` expired."""


class QueueShutDown(ChannelClosed, queue.ShutDown):
    """The queue has been shut down and, for ``get()``, is empty."""


class QueueFailed(QueueShutDown, ChannelFailed):
    """The queue has been shut down with an error and, for ``get()``, is empty. The cause is the exception."""
