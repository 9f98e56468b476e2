"""Channels between machines: the endpoints of xichan over NATS JetStream.

    import xichan.nats

    with xichan.nats.connect("nats://127.0.0.1:4222") as hub:
        tx, rx = hub.channel("orders", capacity=1000, storage="file")
        tx.send({"id": 1})
        print(rx.recv())

Other programs join with hub.sender("orders") and hub.receiver("orders").

    connect(servers)         connect to a server or cluster: a Hub
    Hub                      channel, sender, receiver, delete, close
    Sender, Receiver         the endpoints: send, recv, lease, for loops, asend, arecv, close, shutdown
    Lease                    a value that is acknowledged at the end of a with block
    select, aselect          wait for the first of several cases, remote and local ones
    Stats                    the figures of a channel
    NatsError                the connection or the server failed
    Unconfirmed              the timeout expired before the server confirmed a value

    python -m xichan.nats    list the channels of a server
"""

try:
    from .. import _nats as _nats
except ImportError as _error:
    if _error.name not in ("xichan._nats", "xichan") or "libnats" in str(_error):
        raise
    raise ModuleNotFoundError(
        "xichan.nats needs the module xichan._nats, which this installation was built without: install libnats 3.4 or "
        "newer and pkg-config (Debian and Ubuntu: apt-get install libnats-dev pkg-config), then build xichan again",
        name="xichan._nats",
    ) from None

from ._errors import NatsError, Unconfirmed
from ._hub import Hub, connect
from ._lease import Lease
from ._receiver import Receiver
from ._select import aselect, select
from ._sender import Sender
from ._stats import Stats

__all__ = ["Hub", "Lease", "NatsError", "Receiver", "Sender", "Stats", "Unconfirmed", "aselect", "connect", "select"]

for _class in (Hub, Lease, NatsError, Receiver, Sender, Stats, Unconfirmed):
    _class.__module__ = __name__
del _class
