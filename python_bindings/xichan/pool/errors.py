"""The errors of pools. Not among those of ``xichan._errors``, because ``concurrent.futures`` takes long to import."""

from .._errors import Error

try:
    from concurrent.futures.interpreter import BrokenInterpreterPool as _BrokenInterpreterPool
except ImportError:  # CPython 3.13
    from concurrent.futures import BrokenExecutor as _BrokenInterpreterPool


class BrokenInterpreterPool(Error, _BrokenInterpreterPool):
    """The pool cannot go on: its initializer failed, or no worker interpreter could be made."""


class BrokenWorker(Error, RuntimeError):
    """The worker interpreter ended while it ran this task. It is replaced; the other tasks are not concerned."""


for _class in (BrokenInterpreterPool, BrokenWorker):
    _class.__module__ = "xichan"
del _class
