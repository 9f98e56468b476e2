"""Exceptions on their way from one interpreter to another: described there, rebuilt here."""

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
    """The exception that was described by ``describe_error``, or a RemoteError that tells of it."""
    error = None
    if pickled is not None:
        from .._pickling import loads

        try:
            error = loads(*pickled)
            error.__cause__ = RemoteTraceback(traceback)
        except BaseException:
            error = None
    if not isinstance(error, BaseException):
        error = RemoteError(type_name, message, traceback)
        error.__cause__ = RemoteTraceback(traceback)
    return error


_NAMES = ("xichan.pool.worker", "xichan.service")  # whose frames are no concern of users
REFUSALS = ("does not support loading in subinterpreters", "cannot load module more than once per process")


def describe_error(error, dumps):
    """(pickled or None, type name, message, traceback, whether it is because a module cannot be loaded here).

    Whatever the error is made of, this raises nothing, and all but what is pickled are a str or a bool."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        pickled = dumps(error)
    except BaseException:
        pickled = None  # it comes as a RemoteError
    return pickled, str.__str__(name), _text_of(error), traceback_of(error), _is_refusal(error)


def _text_of(error):
    try:
        return str.__str__(str(error))
    except BaseException as failure:
        return f"<str() raised {type(failure).__qualname__}>"


def _is_refusal(error):
    for _ in range(100):  # a chain may be a ring
        if error is None:
            break
        if isinstance(error, ImportError) and any(text in _text_of(error) for text in REFUSALS):
            return True
        error = error.__cause__ or error.__context__
    return False


def traceback_of(error):
    """The text of a traceback, without the first frames if they are xichan's."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") in _NAMES:
        trace = trace.tb_next
    try:
        return "".join(("", *traceback.format_exception(type(error), error, trace)))
    except BaseException as failure:
        return f"{type(error).__qualname__}: <no traceback: {type(failure).__qualname__}>\n"


RemoteError.__module__ = "xichan"
