from collections.abc import Callable

from .._errors import Error

type _Pickled = tuple[bytes, tuple[object, ...]]

class RemoteError(Error):
    """A task raised an exception that cannot be rebuilt here."""

    type_name: str
    message: str
    traceback: str
    def __init__(self, type_name: str, message: str, traceback: str) -> None: ...

class RemoteTraceback(Exception):
    """The cause of an exception that a task raised: the traceback of the worker, as text."""

def rebuild_error(pickled: _Pickled | None, type_name: str, message: str, traceback: str) -> BaseException: ...

REFUSALS: tuple[str, ...]

def describe_error(
    error: BaseException, dumps: Callable[[object], _Pickled]
) -> tuple[_Pickled | None, str, str, str, bool]: ...
def traceback_of(error: BaseException) -> str: ...
