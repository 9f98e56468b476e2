from concurrent.futures import BrokenExecutor

from .._errors import Error

class BrokenInterpreterPool(Error, BrokenExecutor):
    """The pool cannot go on: its initializer failed, or no worker interpreter could be made."""

class BrokenWorker(Error, RuntimeError):
    """The worker interpreter ended while it ran this task. It is replaced; the other tasks are not concerned."""
