"""Base class of the flavors of xichan."""

import xichan
from xichan.bench.contenders import Contender


class XichanContender(Contender):
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

    def holds(self, nbytes, shared):
        return 0 if shared else nbytes

    def batch_sender(self, sending):
        return sending.send_many

    def batch_receiver(self, receiving):
        return receiving.recv_many

    def selector(self, receivings):
        select, cases = xichan.select, list(receivings)
        return lambda: select(cases)[1]

    def prepare(self, value):
        return xichan.share(value)
