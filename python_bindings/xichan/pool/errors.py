"""The errors of pools. Not among those of ``xichan._errors``, because ``concurrent.futures`` takes long to import."""

from concurrent.futures.interpreter import BrokenInterpreterPool as _BrokenInterpreterPool

from .._errors import Error


class BrokenInterpreterPool(Error, _BrokenInterpreterPool):
    """The pool cannot go on: its initializer failed, or no worker interpreter could be made."""


class BrokenWorker(Error, RuntimeError):
    """The worker interpreter ended while it ran this task. It is replaced; the other tasks are not concerned."""


class RemoteError(Error):
    """A task raised an exception that cannot be rebuilt here.

    type_name: the name of its class, with its module; message: what ``str()`` made of it; traceback: the text.
    """

    def __init__(self, type_name, message, traceback):
        super().__init__(type_name, message, traceback)
        self.type_name = type_name
        self.message = message
        self.traceback = traceback

    def __str__(self):
        return f"{self.type_name}: {self.message}"


class RemoteTraceback(Exception):
    """The cause of an exception that a task raised: the traceback of the worker, as text."""

    def __str__(self):
        return f'\n"""\n{self.args[0]}"""'


for _class in (BrokenInterpreterPool, BrokenWorker, RemoteError):
    _class.__module__ = "xichan"
del _class
