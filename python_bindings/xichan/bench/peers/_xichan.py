"""What the flavours of xichan have in common."""

import functools

import xichan
from xichan.bench.peers import Peer, Unavailable


class Xichan(Peer):
    module = "xichan"
    package = "xichan"
    group = "xichan"
    options: dict = {}

    def version(self):
        return xichan.__version__

    def open(self, spec):
        return xichan.channel(**{"capacity": spec.capacity, "max_bytes": spec.max_bytes, **self.options})

    def sender(self, sending):
        return sending.send

    def receiver(self, receiving):
        return receiving.recv

    def batch_sender(self, sending):
        return sending.send_many

    def batch_receiver(self, receiving):
        return receiving.recv_many

    def selector(self, receivings):
        select, cases = xichan.select, list(receivings)
        return lambda: select(cases)[1]

    def prepare(self, value):
        if not hasattr(xichan, "share"):
            raise Unavailable("this xichan has no share()")
        return xichan.share(value)


def without_copying(receive):
    """A receiving function that is told not to copy."""
    if "copy" not in (receive.__doc__ or "") and "copy" not in (receive.__text_signature__ or ""):
        raise Unavailable("this xichan has no copy=False")
    return functools.partial(receive, copy=False)
