"""Dead letters: values that no Receiver could process, in a stream of their own beside the channel's."""

from __future__ import annotations

import json

from ._calls import find_stream
from ._channels import create
from ._errors import refused
from ._names import OVERHEAD, Names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .. import _nats
    from ._receiver import Receiver
    from ._steps import _Steps


def bury(receiver: Receiver, delivery: _nats.Delivery, reason: str) -> _Steps[None]:
    """Move a delivered value to the dead letters: it is stored there before the channel forgets it."""
    calls, names, settings = receiver._calls, receiver._names, receiver._settings
    if not names.is_dead:
        dead = Names(names.channel, dead=True)
        # These headers leave room for a value of any permitted size: beside the texts, they have less than 120 bytes.
        # The server stores a value once, even if this is interrupted and repeated by another Receiver.
        headers = (
            ("Nats-Msg-Id", f"{names.stream}-{delivery.sequence}"),
            ("Xichan-Deliveries", str(delivery.count)),
            ("Xichan-Reason", _shorten(reason, OVERHEAD - 120 - len(names.stream))),
        )
        if (yield from find_stream(calls, dead)) is None:
            yield from create(calls, dead, settings.for_dead_letters())
        reply = json.loads((yield from calls.request(dead.values, bytes(memoryview(delivery)), headers)))
        if "error" in reply:
            raise refused(f"dead letters of channel {names.channel!r}", reply["error"])
    receiver._consumer.acknowledge((delivery,), "+ACK", True)


def _shorten(reason: str, most: int) -> str:
    """Return a reason as one line of at most ``most`` bytes."""
    return " ".join(reason.split()).encode(errors="backslashreplace")[:most].decode(errors="ignore")
