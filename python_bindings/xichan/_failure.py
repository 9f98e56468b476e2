"""Exceptions that travel through channels. Imported when an endpoint fails, or the other side receives the failure.

The description of an exception is a shareable tuple: the name of its type, its message, its formatted traceback, and
links: one (Shared, type name, message) for the exception with its causes; or, if these are not shareable, one (pickle
or None, type name, message) for the exception and each of its causes. The channel holds it as long as it lives. Any
other value is an error of a C++ program.
"""

from __future__ import annotations

from . import _core, _pickling
from ._core import Shared
from ._errors import ChannelClosed, ChannelFailed, NotShareableError
from ._remote import (
    RemoteError,
    RemoteTraceback,
    attach_traceback,
    format_traceback,
    rebuild,
    text_of,
    type_name_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    type _Pickled = tuple[bytes, tuple[Any, ...]]
    type _Link = tuple[Shared | _Pickled | None, str, str]
    type _Description = tuple[str, str, str, tuple[_Link, ...]]

_MOST_CAUSES = 100


def _reduce(value: Any) -> Any:
    if isinstance(value, ChannelClosed) and "case" in value.__dict__:  # set by select()
        state = {name: item for name, item in value.__dict__.items() if name != "case"}
        return type(value), value.args, state or None
    return NotImplemented


def _dumps(value: object) -> _Pickled:
    """Pickle an exception. Refuses endpoints: one in the error of its own channel would keep that channel open."""
    data, external = _pickling.dumps(value, _reduce)
    for item in external:
        if type(item) is not Shared:
            raise NotShareableError(f"an exception sent to the other side cannot contain a {type(item).__name__}")
    return data, external


def describe(error: BaseException) -> _Description:
    """Return the description of an exception."""
    name, message = type_name_of(error), text_of(error)
    shared = _share(error)
    links = _pickled_links(error) if shared is None else ((shared, name, message),)
    return name, message, format_traceback(error), links


def _share(error: BaseException) -> Shared | None:
    try:
        _core.dumps(error)  # refuses endpoints, as _dumps() does
        return _core.share(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None


def _pickled_links(error: BaseException) -> tuple[_Link, ...]:
    links = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < _MOST_CAUSES:
        if type(link) is RemoteTraceback and seen:  # the traceback contains its text
            break
        seen.add(id(link))
        links.append(_link(link))
        link = link.__cause__
    return tuple(links)


def _link(error: BaseException) -> _Link:
    try:
        data = _dumps(error)
    except KeyboardInterrupt:
        raise
    except BaseException:
        data = None  # the receiver makes a RemoteError
    return data, type_name_of(error), text_of(error)


def channel_failed(value: Any) -> ChannelFailed:
    """Return the exception that a call raises on a channel that failed with this value."""
    match value:
        case (str(type_name), str(message), str(traceback), tuple(links)):
            cause = _rebuild(links, type_name, message, traceback)
        case None:
            type_name, message = "Error", "the exception was lost: there was not enough memory to keep it"
            cause = RemoteError(type_name, message, "")
        case _:
            type_name, message = "C++ error", str(value)
            cause = RemoteError(type_name, message, "")
    failed = ChannelFailed(f"the channel failed: {type_name}{': ' if message else ''}{message}")
    failed.__cause__ = cause
    return failed


def _rebuild(links: tuple[Any, ...], type_name: str, message: str, traceback: str) -> BaseException:
    errors = [_rebuild_link(link, traceback) for link in links] or [RemoteError(type_name, message, traceback)]
    for error, cause in zip(errors, errors[1:]):
        error.__cause__ = cause
    if traceback:
        attach_traceback(errors[0], traceback)
    return errors[0]


def _rebuild_link(link: _Link, traceback: str) -> BaseException:
    carried, type_name, message = link
    error = None
    if carried is not None:
        try:
            error = rebuild(carried)
        except KeyboardInterrupt:
            raise
        except BaseException:
            pass
    return error if isinstance(error, BaseException) else RemoteError(type_name, message, traceback)
