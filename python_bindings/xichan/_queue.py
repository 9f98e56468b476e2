"""``xichan.Queue``: the interface of ``queue.Queue`` over a channel, for every interpreter."""

import queue as _standard

from . import _core
