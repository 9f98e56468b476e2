"""multiprocessing.Queue between processes."""

import multiprocessing

from xichan.bench.contenders import Contender


class MpQueue(Contender):
    name = "mp-queue"
    title = "multiprocessing.Queue"
    place = "processes"

    def open(self, spec):
        channel = multiprocessing.get_context("fork").Queue()
        return channel, channel

    def sender(self, sending):
        return sending.put

    def receiver(self, receiving):
        return receiving.get
