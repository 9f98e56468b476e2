"""What Senders and Receivers of channels on a server have in common."""

from __future__ import annotations

import os
from contextlib import suppress

from .. import _core, _nats
from .._errors import ChannelClosed, ChannelTimeout
from ._calls import find_stream
from ._channels import delete, is_shut_down
from ._errors import NatsError
from ._hints import missing, unpicklable
from ._kv import Lease, closing_error, record_error, seal
from ._stats import Stats, read_stats
from ._steps import Deadline, arun, check_timeout, finish, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType
    from typing import Any, Never, Self

    from ._channels import Settings
    from ._hub import Hub
    from ._names import Names
    from ._steps import _Steps


# How often a call that waits for the end of a channel looks at it without being told, in seconds.
LOOK = 5.0


class Endpoint:
    """The base class of ``xichan.nats.Sender`` and ``Receiver``."""

    _lease: Lease

    def __init__(self, create: tuple[Hub, Names, Settings] | None) -> None:
        if create is None:
            kind = type(self).__name__
            raise TypeError(f"use Hub.channel() or Hub.{kind.lower()}() to make a {kind}")
        self._hub, self._names, self._settings = create
        self._calls = self._hub._calls
        self._closed = False
        self._rooms: _nats.Room | None = None
        receives = type(self).__name__ == "Receiver"
        self._listed = _core._RemoteEnd(self.name, receives, self._hub._shown_server)  # for inspect()

    def _run[T](self, call: str, steps: _Steps[T]) -> T:
        """Run the steps of a call in the calling thread; a trace records it."""
        begin = _core._trace_clock()
        try:
            return run(steps)
        except KeyboardInterrupt as error:
            with suppress(Exception):  # its class may be one of the program
                error.add_note(f"{call}() was waiting for channel {self.name!r} of {self._hub._shown_server}")
            raise
        finally:
            if begin:
                _core._trace_call(f"{call} {self.name}", begin, False)

    def _arun[T](self, call: str, steps: _Steps[T]) -> Coroutine[Any, Any, T]:
        """Return a coroutine that runs the steps of a call; a trace that records now records it."""
        return self._arun_traced(call, steps) if _core._trace_clock() else arun(steps)

    async def _arun_traced[T](self, call: str, steps: _Steps[T]) -> T:
        begin = _core._trace_clock()
        try:
            return await arun(steps)
        finally:
            _core._trace_call(f"{call} {self.name}", begin, True)

    def __repr__(self) -> str:
        state = ", closed" if self._closed or self._hub.closed else ""
        return f"<xichan.nats.{type(self).__name__} {self.name!r}{state}>"

    def __getattr__(self, name: str) -> Never:
        raise missing(self, name, receives=type(self).__name__ == "Receiver")

    def __reduce__(self) -> Never:
        raise unpicklable(self)

    @property
    def name(self) -> str:
        """The name of the channel."""
        return self._names.channel

    @property
    def capacity(self) -> int | None:
        """How many values the channel holds at most; None if it has no such bound."""
        return self._settings.capacity

    @property
    def closed(self) -> bool:
        """True if this endpoint can do nothing more: it or its hub is closed, or the channel is shut down or deleted.

        For a Receiver also if the last Sender is closed and no value is left. Blocks for a request.
        """
        if self._closed or self._hub.closed:
            return True
        return run(self._is_finished())

    def _is_finished(self) -> _Steps[bool]:
        info = yield from find_stream(self._calls, self._names)
        return info is None or is_shut_down(info)

    def __len__(self) -> int:
        """The number of values in the channel, including those received and not acknowledged. Blocks for a request."""
        self._check()
        info = run(find_stream(self._calls, self._names))
        messages: int = 0 if info is None else info["state"]["messages"]
        return messages

    def stats(self) -> Stats:
        """Return the figures of the channel. Blocks for requests."""
        self._check()
        return run(read_stats(self._calls, self._names))

    def __bool__(self) -> bool:
        return True

    def close(self) -> None:
        """Close this endpoint. Idempotent."""
        run(self._close(None))

    def _close(self, error: BaseException | None) -> _Steps[None]:
        raise NotImplementedError

    def _exit(self, error: BaseException | None) -> _Steps[None]:
        """Close at the end of a ``with`` block, which leaves the endpoint closed whatever happens."""
        try:
            yield from self._close(error)
        except BaseException:
            if not self._closed:  # the error could not be recorded
                self._lease.drop()
                self._mark_closed()
            raise

    def _mark_closed(self) -> None:
        self._closed = True
        self._listed.close()
        if self._rooms is not None:
            self._rooms.close()

    def shutdown(self, immediate: bool = False, *, error: BaseException | None = None) -> None:
        """Close the channel for all its endpoints on all machines. Blocks for replies of the server.

        Senders raise ChannelClosed from now on, Receivers once they have drained the channel. ``immediate`` deletes the
        channel with its values instead. With ``error``, calls then raise ChannelFailed, with the exception as its
        cause; the first error of a channel is kept.
        """
        self._check()
        run(self._shutdown(immediate, error))

    def _shutdown(self, immediate: bool, error: BaseException | None) -> _Steps[None]:
        if error is not None:
            yield from record_error(self._calls, self._names, self._settings, error)
        if immediate:
            yield from delete(self._calls, self._names)
        else:
            yield from seal(self._calls, self._names, self._settings, "shutdown")

    def wait_closed(self, timeout: float | None = None) -> None:
        """Block until the channel is shut down or deleted; for a Receiver also until the last Sender is closed.

        Raises ChannelTimeout after ``timeout`` seconds, and ChannelClosed if this endpoint is closed.
        """
        check_timeout(timeout)
        run(self._wait_closed(Deadline(timeout)))

    def await_closed(self) -> Coroutine[Any, Any, None]:
        """Coroutine: wait as ``wait_closed()`` does, in the running event loop."""
        return arun(self._wait_closed(Deadline(None)))

    def _wait_closed(self, deadline: Deadline) -> _Steps[None]:
        self._check()
        changes = self._names.changes
        room = _nats.Room(self._calls.connection, changes, changes, LOOK)
        room.begin_wait()
        id = room.tokens.id
        self._listed.begin_wait_on(id)
        try:
            while True:
                try:
                    yield room.tokens, deadline.left()
                except ChannelTimeout:
                    raise ChannelTimeout(f"timed out: the channel {self.name!r} is open") from None
                except ChannelClosed:
                    self._check()
                    raise  # the interpreter or the process ends
                self._check()
                info = yield from find_stream(self._calls, self._names)
                if info is None or info["config"].get("sealed"):
                    return
        finally:
            self._listed.end_wait_on(id)

    def _leave(self) -> _Steps[None]:
        """Release the lease. If the server is away, it removes the lease itself when its time has passed."""
        if not self._calls.connection.connected or self._calls.is_silent:
            self._lease.drop()
            return
        try:
            yield from self._lease.release()
            yield from self._released()
        except NatsError as error:
            if error.code == 0:
                self._calls.is_silent = True

    def _released(self) -> _Steps[None]:
        """What is to happen after the lease is released."""
        return
        yield

    def _closing_error(self, message: str) -> _Steps[Exception]:
        """Return the exception of a call on a channel that has ended. Its context, how that was found, is not shown."""
        error: Exception
        if self._closed:
            error = ChannelClosed(f"this {type(self).__name__} is closed")
        elif self._hub.closed:
            error = self._calls.gone()
        else:
            error = yield from closing_error(self._calls, self._names, self._settings, message)
        error.__suppress_context__ = True
        return error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        run(self._exit(exc))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        await finish(self._exit(exc))

    def _check(self) -> None:
        """Raise unless calls may be made."""
        if self._closed:
            raise ChannelClosed(f"this {type(self).__name__} is closed")
        if self._hub._pid != os.getpid():
            raise NatsError("this endpoint belongs to the parent process: connect again after a fork")
        if self._hub.closed:
            raise self._calls.gone()

    def _room(self) -> _nats.Room:
        """Return what wakes calls that wait for free space."""
        if self._rooms is None:
            self._rooms = _nats.Room(self._calls.connection, self._names.room, self._names.changes, 1.0)
            self._listed.begin_wait_on(self._rooms.tokens.id)
        return self._rooms
