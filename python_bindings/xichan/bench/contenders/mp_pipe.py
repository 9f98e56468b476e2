"""multiprocessing.Pipe between processes: one sender and one receiver, because it has no locks."""

import multiprocessing
from multiprocessing.connection import wait

from xichan.bench.contenders import Contender, Unavailable


class MpPipe(Contender):
    name = "mp-pipe"
    title = "multiprocessing.Pipe"
    place = "processes"

    def open(self, spec):
        if spec.senders > 1 or spec.receivers > 1:
            raise Unavailable("has one sender and one receiver")
        receiving, sending = multiprocessing.Pipe(duplex=False)
        return sending, receiving

    def sender(self, sending):
        return sending.send

    def receiver(self, receiving):
        return receiving.recv

    def selector(self, receivings):
        ready = []

        def receive():
            if not ready:
                ready.extend(wait(receivings))
            return ready.pop().recv()

        return receive
