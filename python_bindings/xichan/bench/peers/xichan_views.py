"""xichan.channel() received with ``copy=False``."""

from xichan.bench.peers._xichan import Xichan, without_copying


class Contender(Xichan):
    name = "xichan-views"
    title = "xichan, copy=False"
    variant = "views"
    views = True

    def receiver(self, receiving):
        return without_copying(receiving.recv)

    def batch_receiver(self, receiving):
        return without_copying(receiving.recv_many)
