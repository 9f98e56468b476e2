"""The exceptions of xichan.nats, beside those of local channels."""

from __future__ import annotations

from .._errors import ChannelTimeout, Error


class NatsError(Error, ConnectionError):
    """The server cannot be reached, refused a request or gave no reply, or the connection is closed.

    ``code`` is JetStream's number for the error if the server sent one, else 0.
    """

    code: int = 0


class Unconfirmed(ChannelTimeout):
    """The timeout expired before the server confirmed a value: the channel may or may not hold it.

    From ``send_many()``: ``sent`` is the number of values that it confirmed.
    """

    sent: int = 0


def refused(what: str, error: dict[str, object]) -> NatsError:
    """Return the exception for an error that the server reported."""
    exception = NatsError(f"{what}: {error.get('description', 'the server reported an error')}")
    code = error.get("err_code", error.get("code", 0))
    exception.code = code if isinstance(code, int) else 0
    return exception
