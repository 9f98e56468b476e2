"""Exceptions that cross interpreters: described where they are raised, rebuilt where they are raised again."""

from __future__ import annotations

from . import _core
from ._errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    type _Pickled = tuple[bytes, tuple[object, ...]]
    type _Carried = _core.Shared | _Pickled  # the exception: in a Shared, so that a failure to make it is found here
    type _Description = tuple[_Carried | None, str, str, str, bool]

# What is in the ImportError of a module that cannot be loaded in this interpreter: of CPython, NumPy, PyO3, Cython.
REFUSALS = (
    "does not support loading in subinterpreters",
    "cannot load module more than once per process",
    "PyO3 modules do not yet support subinterpreters",
    "may only be initialized once per interpreter process",
    "can only be loaded into one interpreter per process",
)
_HIDDEN_MODULES = (
    "xichan.pool.worker",
    "xichan.pool.worker_entry",
    "xichan.pool.worker_functions",
    "xichan.pool.byvalue.rebuild",
    "xichan.pool.member",
    "xichan.pool.task_options",
    "xichan.service",
)  # whose frames tracebacks omit


class RemoteError(Error):
    """Another interpreter raised an exception that cannot be rebuilt in this one.

    type_name: the name of its class, with the module. message: its ``str()``. traceback: the formatted text.
    """

    type_name: str
    message: str
    traceback: str

    def __init__(self, type_name: str, message: str, traceback: str) -> None:
        super().__init__(type_name, message, traceback)
        self.type_name = type_name
        self.message = message
        self.traceback = traceback

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}"


class RemoteTraceback(Exception):
    """The cause of an exception from another interpreter: the traceback there, as text."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def describe_error(error: BaseException, dumps: Callable[[object], _Pickled]) -> _Description:
    """Return (carried or None, type name, message, traceback, whether a module cannot be loaded in this interpreter).

    An exception that is not shareable is pickled by ``dumps``. Raises nothing, whatever the error contains. The items
    after the first are of the types str and bool, not of subclasses.
    """
    carried: _Carried | None
    try:
        carried = _core.share(error)
    except BaseException:
        try:
            carried = dumps(error)
        except BaseException:
            carried = None  # it will be a RemoteError
    return carried, type_name_of(error), text_of(error), format_traceback(error), is_refusal(error)


def rebuild_error(carried: _Carried | None, type_name: str, message: str, traceback: str) -> BaseException:
    """Return the exception that ``describe_error`` described, or a RemoteError if it cannot be rebuilt."""
    error = None
    if carried is not None:
        try:
            error = rebuild(carried)
        except BaseException:
            pass
    if not isinstance(error, BaseException):
        error = RemoteError(type_name, message, traceback)
    attach_traceback(error, traceback)
    return error


def rebuild(carried: _Carried) -> object:
    """Return the exception that was carried."""
    if isinstance(carried, _core.Shared):
        return carried.value()
    from ._pickling import loads

    return loads(*carried)


def attach_traceback(error: BaseException, traceback: str) -> None:
    """Add the text of the traceback at the end of the chain of causes. It includes the texts of the whole chain."""
    seen = {id(error)}
    while (cause := error.__cause__) is not None and type(cause) is not RemoteTraceback and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    error.__cause__ = RemoteTraceback(traceback)


def format_traceback(error: BaseException) -> str:
    """Return the text of a traceback, without leading frames of xichan. Raises nothing."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _HIDDEN_MODULES:
        trace = trace.tb_next
    try:
        import traceback  # which may fail: the task may have used up the descriptors

        return "".join(("", *traceback.format_exception(type(error), error, trace)))
    except BaseException as failure:
        return f"{type(error).__qualname__}: <no traceback: {type(failure).__qualname__}>\n"


def type_name_of(error: BaseException) -> str:
    """Return the name of the type of an exception, with the module unless it is a built-in type. Raises nothing."""
    kind = type(error)
    try:
        module, name = str.__str__(kind.__module__), str.__str__(kind.__qualname__)
    except BaseException:  # the class defines these attributes otherwise
        return "Exception"
    return name if module == "builtins" else f"{module}.{name}"


def text_of(error: BaseException) -> str:
    """Return the message of an exception. Raises nothing."""
    try:
        return str.__str__(str(error))
    except BaseException as failure:
        return f"<str() raised {type(failure).__qualname__}>"


def summary_of(type_name: str, message: str) -> str:
    """Return one line about an exception: the name of its class, and its message."""
    name = type_name.rpartition(".")[2]
    return f"{name}: {message}" if message else name


def is_refusal(error: BaseException | None) -> bool:
    """Return whether a module that cannot be loaded in this interpreter caused an exception. Raises nothing."""
    return refusal_in(error) is not None


def refusal_in(error: BaseException | None) -> ImportError | None:
    """Return the exception of a module that cannot be loaded in this interpreter, from a chain. Raises nothing."""
    for _ in range(100):  # the chain of causes may be a cycle
        if error is None:
            break
        if isinstance(error, ImportError) and any(text in text_of(error) for text in REFUSALS):
            return error
        error = error.__cause__ or error.__context__
    return None


RemoteError.__module__ = "xichan"
