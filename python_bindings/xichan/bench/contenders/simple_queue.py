"""queue.SimpleQueue between threads of one interpreter: nothing is copied, but only one thread runs at a time."""

import queue

from xichan.bench.contenders import Contender


class SimpleQueue(Contender):
    name = "simple-queue"
    title = "queue.SimpleQueue (threads)"
    place = "threads"

    def open(self, spec):
        channel = queue.SimpleQueue()
        return channel, channel

    def sender(self, sending):
        return sending.put

    def receiver(self, receiving):
        return receiving.get

    def holds(self, nbytes, shared):
        return 0
