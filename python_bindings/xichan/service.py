"""Requests and replies for long-lived workers.

    requests_tx, requests_rx = xichan.channel()
    ...                                          # in a worker interpreter that received `requests_rx`:
    xichan.serve(requests_rx, handler)           # replies to requests until the channel is finished

    client = xichan.Client(requests_tx)
    client.call(value, timeout=1.0)              # returns handler(value), or raises what it raised

A request is ``(value, reply)``, where ``reply`` is a Sender created for this call, or ``(data, external, reply)`` if
the value is pickled. The reply is ``(True, result)``, ``(True, data, external)`` for a pickled result, or ``(False,
pickled exception or None, type name, message, traceback)``. Any number of clients and servers may share a channel. A
server ends when the channel is finished: after the queued requests if all Senders are closed or by ``shutdown()``, at
once by ``shutdown(immediate=True)``.
"""

from __future__ import annotations

from . import _core
from ._errors import NotShareableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    type _Outcome = tuple[Any, ...]


def serve(rx: _core.Receiver[Any], handler: Callable[[Any], object], *, pickle: bool = False) -> int:
    """Reply to requests with ``handler(value)`` until the channel is finished. Returns the number of requests.

    rx: a Receiver. handler: called with the value of each request. If its result is not shareable, the client raises
    NotShareableError; ``pickle=True`` pickles it instead. An Exception that it raises is raised by the client, and
    closes the endpoints in the value of the request with it (``close(error=)``); any other exception, such as
    SystemExit, also ends the server. Blocks while there are no requests; Ctrl-C interrupts this in the main thread.
    Raises TypeError for a message that is not a request of a Client: the channel is for requests only.
    """
    from .pool.endpoints import fail_endpoints

    served = 0
    outcome: _Outcome | None
    for request in rx:
        sent, reply = _parts(request)
        request = None
        served += 1
        with reply:
            value: Any = None
            failure: BaseException | None = None
            try:
                value = sent[0] if len(sent) == 1 else _loads(*sent)
                sent = ()
                outcome = (True, handler(value))
            except BaseException as error:
                failure, outcome = error, _describe(error)
            if failure is None:
                value = None  # closes the endpoints in it
            _send_reply(reply, outcome, pickle)
            outcome = None
            if failure is not None:
                fail_endpoints(failure, value, *sent)  # after the reply, which may have some of them
                value, sent = None, ()
                try:
                    if not isinstance(failure, Exception):
                        raise failure
                finally:
                    failure = None  # which would keep its traceback, and this frame
    return served


class Client:
    """Call the servers of a channel. Threads may share a client, and each interpreter can create its own.

    tx: the Sender of the channel. The client owns it from now on: ``close()``, or leaving a ``with``, closes it.
    pickle: bool; True pickles values of calls that are not shareable instead of raising NotShareableError.
    """

    __slots__ = ("_pickle", "_tx")
    __module__ = "xichan"

    def __init__(self, tx: _core.Sender[Any], *, pickle: bool = False) -> None:
        if type(tx) is not _core.Sender:
            raise TypeError(f"expected a Sender, got {type(tx).__name__}")
        self._tx = tx
        self._pickle = bool(pickle)

    def call(self, value: object, timeout: float | None = None) -> Any:
        """Send a value and return the result of the handler; block until it arrives.

        timeout: seconds for both together (not negative, may be a fraction); None blocks indefinitely. Raises what the
        handler raised (RemoteError if that cannot be rebuilt here), ChannelTimeout, NotShareableError, and
        ChannelClosed if the channel has no server left or the server ended with the request.
        """
        remaining = _remaining(timeout)
        reply, replies = _core._own_channel("reply", 1)
        with replies:
            with reply:
                self._send(value, reply, timeout)
            outcome = replies.recv(remaining())
        if outcome[0]:
            return outcome[1] if len(outcome) == 2 else _loads(*outcome[1:])
        raise _rebuild(*outcome[1:])

    def _send(self, value: object, reply: _core.Sender[_Outcome], timeout: float | None) -> None:
        try:
            self._tx.send((value, reply), timeout)
        except NotShareableError:
            if not self._pickle:
                raise
        else:
            return
        self._tx.send((*_pickled(value), reply), timeout)

    def close(self) -> None:
        """Close the Sender. Idempotent."""
        self._tx.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parts(request: Any) -> tuple[tuple[Any, ...], _core.Sender[_Outcome]]:
    if type(request) is not tuple or len(request) not in (2, 3) or type(request[-1]) is not _core.Sender:
        raise TypeError(f"expected a request (value, Sender) from a Client, got {type(request).__name__}")
    return request[:-1], request[-1]


def _remaining(timeout: float | None) -> Callable[[], float | None]:
    """Return a function that returns the seconds left of a timeout."""
    if timeout is None:
        return lambda: None
    from time import monotonic

    end = monotonic() + timeout
    return lambda: max(end - monotonic(), 0)


def _send_reply(reply: _core.Sender[_Outcome], outcome: _Outcome, pickle: bool = False) -> None:
    """Send a reply, or the reason why it cannot be sent. Raises nothing: to drop the Sender also ends the call."""
    try:
        reply.send_nowait(outcome)
    except Exception as error:
        if pickle and outcome[0] and isinstance(error, NotShareableError):
            try:
                outcome = (True, *_pickled(outcome[1]))
            except Exception as failure:
                outcome = _describe(failure)
        elif not outcome[0]:
            outcome = (False, None, *outcome[2:])  # without the pickle, in which an endpoint may be closed
        elif isinstance(error, (NotShareableError, MemoryError)):
            outcome = _describe(type(error)(str(error).replace("value[1]", "result", 1)))
        else:  # an endpoint in the result is closed, or the client no longer waits and this fails, too
            error.add_note("while the result was sent")
            outcome = _describe(error)
        try:
            reply.send_nowait(outcome)
        except Exception:
            pass


def _describe(error: BaseException) -> _Outcome:
    from ._remote import describe_error

    *parts, _ = describe_error(error, _dumps)
    return False, *parts


def _pickled(value: object) -> tuple[bytes, tuple[Any, ...]]:
    """Return the pickle of a value that is not shareable."""
    from ._pickling import dumps

    try:
        return dumps(value)
    except (NotShareableError, MemoryError):
        raise
    except Exception as error:
        raise NotShareableError(
            f"value: {type(value).__qualname__} is not shareable; pickling it failed: {error}"
        ) from error


def _loads(data: bytes, external: tuple[Any, ...]) -> Any:
    from ._pickling import loads

    return loads(data, external)


def _dumps(value: object) -> tuple[bytes, tuple[object, ...]]:
    from .pool.byvalue.pickler import dumps_reply

    return dumps_reply(value)


def _rebuild(*parts: Any) -> BaseException:
    from ._remote import rebuild_error

    return rebuild_error(*parts)


serve.__module__ = "xichan"
