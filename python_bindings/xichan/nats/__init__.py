"""Channels between machines: the endpoints of xichan over NATS JetStream.

    import xichan.nats

    with xichan.nats.connect("nats://127.0.0.1:4222") as hub:
        tx, rx = hub.channel("orders", capacity=1000, storage="file")
        tx.send({"id": 1})
        print(rx.recv())

Other programs join with hub.sender("orders") and hub.receiver("orders").

    connect(servers)         connect to a server or cluster: a Hub
    Hub                      channel, sender, receiver, export, import_, stats, inspect, delete, close
    Sender, Receiver         the endpoints: send, recv, lease, for loops, asend, arecv, close, shutdown
    Lease                    a value that is acknowledged at the end of a with block
    Bridge                   moves values between a local channel and one on a server: hub.export(), hub.import_()
    select, aselect          wait for the first of several cases, remote and local ones
    Stats, HubStats          the figures of a channel, the state of a hub
    Inspection               all that hub.inspect() finds
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
        "xichan.nats needs the module xichan._nats, which this installation does not have. Released wheels come "
        "without it. Install a C++ compiler, libnats 3.4 or newer and pkg-config (Debian and Ubuntu: "
        "apt-get install g++ libnats-dev pkg-config), then build xichan from source: "
        "pip install --force-reinstall --no-binary xichan xichan",
        name="xichan._nats",
    ) from None

from ._bridge import Bridge
from ._connect import connect
from ._errors import NatsError, Unconfirmed
from ._hub import Hub
from ._lease import Lease
from ._receiver import Receiver
from ._select import aselect, select
from ._sender import Sender
from ._stats import HubStats, Inspection, Stats

__all__ = [
    "Bridge",
    "Hub",
    "HubStats",
    "Inspection",
    "Lease",
    "NatsError",
    "Receiver",
    "Sender",
    "Stats",
    "Unconfirmed",
    "aselect",
    "connect",
    "select",
]

for _class in (Bridge, Hub, HubStats, Inspection, Lease, NatsError, Receiver, Sender, Stats, Unconfirmed):
    _class.__module__ = __name__
del _class
