"""Arguments of pools: checked, made fit to be kept, and found guilty."""

import itertools
import operator

from .. import _core
from .._errors import NotShareableError


def positive(name, value, default):
    if value is None:
        return default
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not bool")
    value = operator.index(value)
    if value < 1:
        raise ValueError(f"{name} must be greater than 0")
    return value


def check_names(shared):
    for name in shared:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"a name in shared must be an identifier, not {name!r}")


def own(value):
    """The same value with ends of its own."""
    tx, rx = _core.channel(1)
    tx.send_nowait(value)
    return rx.recv_nowait()


def culprit(args, kwargs):
    """Which argument cannot be sent."""
    tx, _ = _core.channel(1)
    for name, value in itertools.chain(((f"args[{i}]", value) for i, value in enumerate(args)), kwargs.items()):
        try:
            tx.send_nowait(value)
            tx, _ = _core.channel(1)
        except NotShareableError as error:
            return str(error).replace("value", name, 1)
    return "the arguments are not shareable"
