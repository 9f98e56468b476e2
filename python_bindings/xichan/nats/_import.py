"""Bridges from a channel on a server to a local channel."""

from __future__ import annotations

from threading import Thread

from .. import Sender as LocalSender
from .. import _core, channel, select
from .._errors import ChannelClosed, ChannelFailed, ChannelTimeout, DecodeError, Error
from ._bridge import Bridge, cause_of
from ._lease import Lease
from ._steps import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._hub import Hub
    from ._receiver import Receiver


class _Ended(Exception):
    """The channel that an import receives from has ended."""

    def __init__(self, error: ChannelClosed) -> None:
        super().__init__(error)
        self.error = error


class Import(Bridge):
    """From a channel on a server to a local one."""

    _remote: Receiver

    def __init__(self, hub: Hub, remote: Receiver, local: LocalSender[Any] | None) -> None:
        super().__init__(_create=(hub, remote))
        if local is None:
            local, self._receiver = channel(0)
        self._local: LocalSender[Any] = local
        self._leave, self._left = _core._own_channel("bridge end", 1)  # a message: the local channel has ended

    def _pump(self) -> None:
        watch = Thread(target=self._watch, name=f"{self._thread.name} end", daemon=False)
        try:
            watch.start()
            while (lease := self._next()) is not None and self._give(lease):
                self._moved += 1
            self._try(self._local.close, error=self._reason)
        except _Ended as ended:
            self._error = ended.error if isinstance(ended.error, ChannelFailed) else None
            self._try(self._local.close, error=cause_of(ended.error))
        except BaseException as error:
            self._try(self._local.close, error=error)
            raise
        finally:
            self._try(self._local.close)
            if watch.ident is not None:
                watch.join()
            self._leave.close()
            self._left.close()

    def _watch(self) -> None:
        try:
            self._local.wait_closed()
            self._leave.send_nowait(None)
        except Error:
            pass  # the bridge has closed its Sender

    def _next(self) -> Lease | None:
        """Wait for a value; return None when ``close()`` was called."""
        rx, consumer = self._remote, self._remote._consumer
        while True:
            rx._check()
            waiter = consumer.begin_wait(None)
            try:
                case, number = select((self._stopped, consumer.inbox, self._left))
            except ChannelClosed as closed:
                if closed.case is not consumer.inbox:
                    raise
                error = run(rx._ended(closed))
                if isinstance(error, ChannelClosed):
                    raise _Ended(error) from None
                raise error from error.__cause__
            finally:
                consumer.end_wait(waiter)
            if case is self._stopped:
                return None
            if case is self._left:
                raise self._local_end()
            delivery = run(rx._accept(number)) if number else None
            if delivery is None:
                continue
            try:
                return Lease(_create=(rx, delivery, run(rx._load(delivery))))
            except DecodeError:
                continue  # it is a dead letter now

    def _local_end(self) -> ChannelClosed:
        """Return the exception of sends on the local channel, which has ended."""
        carry, carried = channel(1)
        with carry, carried:
            carry.send(self._local)
            with carried.recv() as copy:  # takes values of all types; this Sender may refuse None before it looks
                try:
                    copy.send_nowait(None)
                except ChannelClosed as error:
                    return error
        raise AssertionError("the local channel has not ended")

    def _give(self, lease: Lease) -> bool:
        """Send a value to the local channel, then acknowledge it; return False if ``close()`` was called before."""
        interval = self._remote._settings.ack_wait / 3
        while True:
            try:
                case, _ = select((self._stopped, (self._local, lease.value)), interval)
            except ChannelTimeout:
                lease.extend()
                continue
            except BaseException:
                self._try(lease.nak)
                raise
            if case is self._stopped:
                self._try(lease.nak)
                return False
            lease.ack()
            return True

    def _fail(self, error: BaseException) -> None:
        # A local channel that was left by its last Receiver keeps the values for other importers, as that one does.
        if isinstance(error, ChannelFailed):
            self._try(self._remote.shutdown, error=cause_of(error))
        elif isinstance(error, ChannelClosed):
            if str(error) == "the channel was shut down":
                self._try(self._remote.shutdown)
