"""multiprocessing.SimpleQueue between processes."""

import multiprocessing

from xichan.bench.contenders import Contender


class MpSimpleQueue(Contender):
    name = "mp-simple-queue"
    title = "multiprocessing.SimpleQueue"
    place = "processes"

    def open(self, spec):
        channel = multiprocessing.get_context("fork").SimpleQueue()
        return channel, channel

    def sender(self, sending):
        return sending.put

    def receiver(self, receiving):
        return receiving.get
