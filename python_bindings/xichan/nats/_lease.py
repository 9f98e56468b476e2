"""Values that are acknowledged after they have been processed."""

from __future__ import annotations

from collections.abc import Coroutine

from ._dead import bury
from ._steps import finish, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Any

    from .. import _nats
    from ._receiver import Receiver
    from ._steps import _Steps


class Lease:
    """A received value that is not acknowledged yet; returned by ``Receiver.lease()``.

    A ``with`` block, or ``async with``, yields the value. Leaving it acknowledges the value; an exception returns it to
    the channel, and it is delivered again. One thread at a time uses a lease.
    """

    __slots__ = ("_delivery", "_done", "_receiver", "_value")

    def __init__(self, *, _create: tuple[Receiver, _nats.Delivery, Any] | None = None) -> None:
        if _create is None:
            raise TypeError("use Receiver.lease() to make a Lease")
        self._receiver, self._delivery, self._value = _create
        self._done = False

    def __repr__(self) -> str:
        state = "done" if self._done else "open"
        return f"<xichan.nats.Lease of {self._receiver.name!r}, delivery {self.delivery}, {state}>"

    @property
    def value(self) -> Any:
        """The value."""
        return self._value

    @property
    def delivery(self) -> int:
        """How often the value has been delivered, this time included."""
        return self._delivery.count

    @property
    def done(self) -> bool:
        """True once the value has been acknowledged or returned."""
        return self._done

    def ack(self) -> None:
        """Acknowledge the value: the channel forgets it. Never blocks; repeated until the server has confirmed it.

        Raises NatsError if the hub is closed, as the other methods do: then the value is delivered again.
        """
        self._finish("+ACK", True)

    def nak(self) -> None:
        """Return the value to the channel, which delivers it again. Never blocks.

        After the channel's ``max_deliver`` deliveries it is moved to the dead letters instead, which blocks for the
        reply of the server.
        """
        run(self._nak("returned by its receiver"))

    def extend(self) -> None:
        """Begin the channel's ``ack_wait`` anew, because the value is still being processed. Never blocks."""
        self._check()
        self._receiver._consumer.acknowledge((self._delivery,), "+WPI", False)

    def __enter__(self) -> Any:
        return self._value

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        if self._done:
            return
        if exc_type is None:
            self.ack()
        else:
            run(self._nak(f"{exc_type.__name__}: {exc}"))

    async def __aenter__(self) -> Any:
        return self._value

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        if self._done:
            return
        if exc_type is None:
            self.ack()
        else:
            await finish(self._nak(f"{exc_type.__name__}: {exc}"))

    def _nak(self, reason: str) -> _Steps[None]:
        self._check()
        most = self._receiver._settings.max_deliver
        if most is not None and self._delivery.count >= most:
            self._done = True
            yield from bury(self._receiver, self._delivery, reason)
        else:
            self._finish("-NAK", False)

    def _finish(self, verb: str, removes: bool) -> None:
        self._check()
        self._done = True
        self._receiver._consumer.acknowledge((self._delivery,), verb, removes)

    def _check(self) -> None:
        if self._done:
            raise ValueError("the value of this lease has been acknowledged or returned")
        self._receiver._hub._check()


class LeaseCall(Coroutine["Any", "Any", Lease]):
    """What ``Receiver.alease()`` returns: a coroutine, and an asynchronous context manager of the Lease it receives."""

    __slots__ = ("_call", "_lease")

    def __init__(self, call: Coroutine[Any, Any, Lease]) -> None:
        self._call = call

    def __await__(self) -> Generator[Any, Any, Lease]:
        return self._call.__await__()

    def send(self, value: Any) -> Any:
        return self._call.send(value)

    def throw(self, *args: Any) -> Any:
        return self._call.throw(*args)

    def close(self) -> None:
        self._call.close()

    async def __aenter__(self) -> Any:
        self._lease = await self._call
        return await self._lease.__aenter__()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        await self._lease.__aexit__(exc_type, exc, traceback)
