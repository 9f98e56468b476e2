"""What the endpoints say about names of other libraries, about pickle, and about what only local endpoints have."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_JOIN = "other programs join the channel by its name, with hub.sender(name) or hub.receiver(name)"
_RECEIVES = "receive from the Receiver, the second endpoint that Hub.channel() returns"
_SENDS = "send with the Sender, the first endpoint that Hub.channel() returns"

_OF_BOTH = {
    "clone": _JOIN,
    "from_id": _JOIN,
    "id": "use name",
    "lookup": _JOIN,
    "qsize": "use len()",
    "maxsize": "use capacity",
    "fileno": "use arecv(), or xichan.nats.select()",
    "aclose": "use close()",
}
_OF_SENDERS = {
    "put": "use send()",
    "put_nowait": "use send_nowait()",
    "publish": "use send()",
    **dict.fromkeys(("recv", "recv_nowait", "recv_many", "arecv", "get", "fetch", "lease", "leases"), _RECEIVES),
}
_OF_RECEIVERS = {
    "get": "use recv()",
    "get_nowait": "use recv_nowait()",
    "fetch": "use recv_many()",
    **dict.fromkeys(("send", "send_nowait", "send_many", "asend", "put", "publish"), _SENDS),
}


def missing(obj: Any, name: str, *, receives: bool) -> AttributeError:
    """Return the exception for an attribute that an endpoint does not have."""
    hint = _OF_BOTH.get(name) or (_OF_RECEIVERS if receives else _OF_SENDERS).get(name)
    text = f"'xichan.nats.{type(obj).__name__}' object has no attribute {name!r}{f'; {hint}' if hint else ''}"
    return AttributeError(text, name=name, obj=obj)


def unpicklable(obj: Any) -> TypeError:
    """Return the exception for an endpoint that is to be pickled or copied."""
    return TypeError(f"cannot pickle xichan.nats.{type(obj).__name__} objects; {_JOIN}")
