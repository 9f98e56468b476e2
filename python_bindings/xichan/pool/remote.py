"""Exceptions that come from another interpreter."""

from .._errors import Error


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


def rebuild_error(pickled, type_name, message, traceback):
    """The exception that was described by ``worker.describe_error``, or a RemoteError that tells of it."""
    error = None
    if pickled is not None:
        from .._pickling import loads

        try:
            error = loads(*pickled)
        except Exception:
            pass
    if not isinstance(error, BaseException):
        error = RemoteError(type_name, message, traceback)
    error.__cause__ = RemoteTraceback(traceback)
    return error


RemoteError.__module__ = "xichan"
