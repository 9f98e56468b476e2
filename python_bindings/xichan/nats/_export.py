"""Bridges from a local channel to a channel on a server."""

from __future__ import annotations

from .. import Receiver as LocalReceiver
from .. import _nats, select
from .._errors import ChannelClosed, ChannelEmpty, ChannelFailed
from ._bridge import Bridge, cause_of
from ._calls import find_stream
from ._endpoint import LOOK
from ._errors import NatsError
from ._steps import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._hub import Hub
    from ._sender import Sender


class Export(Bridge):
    """From a local channel to one on a server."""

    _remote: Sender

    def __init__(self, hub: Hub, local: LocalReceiver[Any], remote: Sender) -> None:
        super().__init__(_create=(hub, remote))
        self._local = local

    def _pump(self) -> None:
        changes = self._remote._names.changes
        room = _nats.Room(self._hub._connection, changes, changes, LOOK)  # tells of changes of the channel
        room.begin_wait()
        try:
            while True:
                case, value = select((self._stopped, self._local, room.tokens))
                if case is self._stopped:
                    if value:
                        self._drain()
                    return self._try(self._remote.close, error=self._reason)
                if case is self._local:
                    self._send(value)
                else:
                    self._check_remote()
        except ChannelClosed as error:
            if error.case is not self._local:
                if error.case is room.tokens:
                    self._hub._check()
                raise
            self._error = error if isinstance(error, ChannelFailed) else None
            self._try(self._remote.close, error=cause_of(error))
        finally:
            room.tokens.close()
            room.close()

    def _send(self, value: Any) -> None:
        self._unsent = (value,)
        self._remote.send(value)
        self._unsent = ()
        self._moved += 1

    def _drain(self) -> None:
        """Send what the local channel holds, but not what is sent to it meanwhile."""
        stats = self._local.stats()
        for _ in range(stats.depth + stats.waiting_senders):
            try:
                value = self._local.recv_nowait()
            except ChannelEmpty:
                return
            except ChannelClosed as error:
                self._reason = self._reason or cause_of(error)
                return
            self._send(value)

    def _check_remote(self) -> None:
        """Raise if the channel on the server has ended."""
        try:
            info = run(find_stream(self._hub._calls, self._remote._names))
        except NatsError:
            return self._hub._check()  # the server is away
        if info is None or info["config"].get("sealed"):
            error = run(self._remote._closing_error(f"the channel {self.name!r} is shut down"))
            raise error from error.__cause__

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, ChannelClosed):
            self._try(self._local.shutdown, error=cause_of(error))
        else:
            self._try(self._local.shutdown, error=error)
            self._try(self._remote.close, error=error)
