"""Exceptions of pools.

They are not in ``xichan._errors`` because ``concurrent.futures`` takes long to import.
"""

import sys

from .._errors import Error, Interrupted

if sys.version_info >= (3, 14):
    from concurrent.futures.interpreter import BrokenInterpreterPool as _BrokenInterpreterPool
else:
    from concurrent.futures import BrokenExecutor as _BrokenInterpreterPool


class BrokenInterpreterPool(Error, _BrokenInterpreterPool):
    """The pool is unusable: its initializer failed, or no worker interpreter could be created."""


class BrokenWorker(Error, RuntimeError):
    """The worker interpreter ended while it ran this task. It is replaced; other tasks are not affected."""


class TaskInterrupted(Error, Interrupted):
    """The task was interrupted: the error that its future has. The cause is the Interrupted that the task raised.

    An Error as well as an Interrupted, because to the caller it is the failure of a task like any other.
    """


class RefusedModuleWarning(RuntimeWarning):
    """A worker cannot load a module, and what imported it goes on without: it may be slower, or lack functions.

    Issued once per module and program, at the line of the import. See ``degraded=`` of InterpreterPoolExecutor.
    """


for _class in (BrokenInterpreterPool, BrokenWorker, RefusedModuleWarning, TaskInterrupted):
    _class.__module__ = "xichan"
del _class
