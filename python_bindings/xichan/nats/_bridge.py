"""Bridges: a thread moves values between a local channel and a channel on a server, one value at a time."""

from __future__ import annotations

import os
import threading
import warnings
from threading import Thread

from .. import Receiver as LocalReceiver
from .. import Sender as LocalSender
from .. import _core
from .._errors import ChannelClosed, ChannelFailed, ChannelTimeout, Error
from ._steps import check_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from ._hub import Hub
    from ._receiver import Receiver
    from ._sender import Sender

_open: set[Bridge] = set()  # those whose threads run


class Bridge:
    """A thread that moves values between a local channel and a channel on a server.

    Returned by ``Hub.export()`` and ``Hub.import_()``. The hub owns it: closing the hub closes the bridge. It ends by
    itself when one of its channels ends. Leaving a ``with`` block closes it, an export after it has sent what its local
    channel holds; an exception closes it at once, and is passed on as the error of the channel that it sends to. All
    threads of the interpreter may use it.
    """

    _receiver: LocalReceiver[Any] | None = None

    def __init__(self, *, _create: tuple[Hub, Sender | Receiver] | None = None) -> None:
        if _create is None:
            raise TypeError("use Hub.export() or Hub.import_() to make a Bridge")
        self._hub, self._remote = _create
        self._stop, self._stopped = _core._own_channel("bridge stop", 1)
        ended, self._ended = _core._own_channel("bridge end", 1)
        self._reason: BaseException | None = None  # of close()
        self._error: BaseException | None = None
        self._unsent: tuple[Any, ...] = ()
        self._moved = 0
        self._thread = Thread(target=self._run, args=(ended,), name=f"xichan.nats {self.name}", daemon=False)

    def _start(self) -> Self:
        _open.add(self)
        try:
            self._thread.start()
        except BaseException:
            _open.discard(self)
            self._remote.close()
            raise
        return self

    def __repr__(self) -> str:
        kind = type(self).__name__.lower()
        return f"<xichan.nats.Bridge, {kind} of {self.name!r}, {'closed' if self.closed else 'open'}>"

    @property
    def name(self) -> str:
        """The name of the channel on the server."""
        return self._remote.name

    @property
    def receiver(self) -> LocalReceiver[Any] | None:
        """The Receiver of the local channel that an import has made; else None."""
        return self._receiver

    @property
    def moved(self) -> int:
        """How many values the receiving channel has taken."""
        return self._moved

    @property
    def closed(self) -> bool:
        """True once the bridge moves no values any more."""
        return self._ended.closed

    @property
    def error(self) -> BaseException | None:
        """The exception that ended the bridge: ChannelClosed if the channel that it sends to has ended.

        None while it is open, and if ``close()`` or the end of the channel that it receives from ended it.
        """
        return self._error

    @property
    def unsent(self) -> tuple[Any, ...]:
        """The value that an export received from the local channel, and that the server has not confirmed.

        Empty unless the value is on its way, or the bridge ended with an error. After a lost connection the server may
        hold the value.
        """
        return self._unsent

    def close(self, timeout: float | None = None, *, error: BaseException | None = None) -> None:
        """End the bridge, and close the endpoint that it sends to. Idempotent.

        An export first sends the value that it has received; it leaves the others in the local channel. An import
        returns a value that the local channel has not taken to the server. With ``error``, the receiving side fails, as
        by ``Sender.close(error=)``. Blocks until that is done; raises ChannelTimeout after ``timeout`` seconds, and the
        bridge then ends later.
        """
        check_timeout(timeout)
        if self._hub._pid != os.getpid():
            return
        self._request_end(error)
        if threading.current_thread() is not self._thread:
            self.wait_closed(timeout)
            self._thread.join()

    def wait_closed(self, timeout: float | None = None) -> None:
        """Block until the bridge has ended. Raises ChannelTimeout after ``timeout`` seconds."""
        check_timeout(timeout)
        try:
            self._ended.recv(timeout)
        except ChannelTimeout:
            raise ChannelTimeout(f"timed out: the bridge of {self.name!r} is open") from None
        except ChannelClosed:
            pass

    def _request_end(self, error: BaseException | None = None, drains: bool = False) -> None:
        if self._reason is None:
            self._reason = error
        try:
            self._stop.send_nowait(drains)
        except Error:
            pass  # asked for before, or over

    def _end_within(self, seconds: float) -> bool:
        """Return whether the bridge ends in time. An export first sends what its local channel holds."""
        self._request_end(drains=True)
        try:
            self.close(seconds)
        except ChannelTimeout:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._request_end(exc, drains=exc is None)
        self.close()

    # The thread.

    def _run(self, ended: LocalSender[None]) -> None:
        try:
            self._pump()
        except BaseException as error:
            self._error = error
            self._try(self._fail, error)
        finally:
            self._try(self._remote.close)
            _open.discard(self)
            self._stop.close()
            self._stopped.close()
            ended.close()

    def _try(self, function: Any, *arguments: Any, **keywords: Any) -> None:
        """Call a function that closes something; keep its error if it is the first one."""
        try:
            function(*arguments, **keywords)
        except Exception as error:
            self._error = self._error or error

    def _pump(self) -> None:
        """Move values until ``close()`` is called, or the channel that they come from has ended."""
        raise NotImplementedError

    def _fail(self, error: BaseException) -> None:
        """Report what has ended the bridge to both channels."""
        raise NotImplementedError


def cause_of(error: ChannelClosed) -> BaseException | None:
    """Return the error with which a channel has failed, or None."""
    return error.__cause__ if isinstance(error, ChannelFailed) else None


def bridges_of(hub: Hub) -> list[Bridge]:
    """Return the bridges of a hub whose threads run."""
    return [bridge for bridge in tuple(_open) if bridge._hub is hub]


def _close_all() -> None:
    """End the bridges before ``threading`` waits for their threads at the end of the interpreter.

    Exports first send what their local channels hold, which would be lost with the process.
    """
    bridges = [bridge for bridge in tuple(_open) if bridge._hub._pid == os.getpid()]
    for bridge in bridges:
        bridge._request_end(drains=True)
    for bridge in bridges:
        if not bridge._end_within(bridge._hub._calls.timeout):
            bridge._hub._connection.close()  # its calls raise
            bridge.wait_closed()
        if bridge.unsent or bridge.error is not None:
            warnings.warn(
                f"{bridge!r}: the program ends with values that the server has not confirmed",
                RuntimeWarning,
                stacklevel=1,
            )


threading._register_atexit(_close_all)  # type: ignore[attr-defined]  # runs before threading joins its threads
