from .._errors import Error

class RemoteError(Error):
    """A task raised an exception that cannot be rebuilt here."""

    type_name: str
    message: str
    traceback: str
    def __init__(self, type_name: str, message: str, traceback: str) -> None: ...

class RemoteTraceback(Exception):
    """The cause of an exception that a task raised: the traceback of the worker, as text."""

def rebuild_error(
    pickled: tuple[bytes, tuple[object, ...]] | None, type_name: str, message: str, traceback: str
) -> BaseException: ...
