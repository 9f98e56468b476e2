"""``xichan.descriptor``. Imported on first use."""

from __future__ import annotations

import sys

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class _Open(Protocol):
        """A socket, a file, or anything else with a descriptor."""

        def fileno(self) -> int: ...


_EXPECTED = "expected a socket, a file, or the number of an open descriptor"


def descriptor(source: int | _Open, /) -> _core.Descriptor:
    """Make a Descriptor, which can be sent, of a duplicate of an open descriptor.

    source: a socket, a file, a Descriptor, or any other object with a ``fileno()``; or an int, the number of an open
    descriptor. It stays usable and has to be closed as before, because only the duplicate is sent. The open file is the
    same: both have one file position and one blocking mode. A file that can be written is flushed first; what a file
    has read ahead is not sent. Programs that are executed do not inherit the duplicate.

    Raises OSError if the descriptor is not open or no more can be opened, ValueError for a closed file, and TypeError
    for other objects, for a TLS socket, whose keys belong to its interpreter, and for a Sender or Receiver, which is
    sent itself. Does not block, unless flushing does.
    """
    if isinstance(source, _core.Descriptor):
        return _core._new_descriptor(source)
    if isinstance(source, int):
        if isinstance(source, bool):
            raise TypeError(f"{_EXPECTED}, got bool")
        return _core._new_descriptor(source)
    _check(source)
    _flush(source)
    get_timeout = getattr(source, "gettimeout", None)  # of a socket
    if not callable(get_timeout):
        return _core._new_descriptor(source.fileno())
    timeout = get_timeout()
    return _core._new_descriptor(source.fileno(), timeout)


descriptor.__module__ = "xichan"


def _flush(source: Any) -> None:
    writable = getattr(source, "writable", None)
    flush = getattr(source, "flush", None)
    if callable(writable) and callable(flush) and writable():
        flush()


def _check(source: Any) -> None:
    """Raise TypeError for an object that cannot be the source of a Descriptor."""
    if isinstance(source, (_core.Sender, _core.Receiver)):
        name = type(source).__name__
        raise TypeError(f"{_EXPECTED}, got {name}; send the {name}")
    if isinstance(source, getattr(sys.modules.get("ssl"), "SSLSocket", ())):
        raise TypeError("the keys of a TLS socket belong to its interpreter; send the socket before wrap_socket()")
    if not callable(getattr(source, "fileno", None)):
        raise TypeError(f"{_EXPECTED}, got {type(source).__name__}")
