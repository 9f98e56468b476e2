"""The standard library's queue between interpreters, unbounded, as ``create_queue()`` makes it.

A bound would slow it down further: a ``put`` that finds it full sleeps for 10 ms, as does a ``get`` that finds it
empty.
"""

from xichan.bench.contenders import Peer


class Contender(Peer):
    name = "interpreters-queue"
    title = "concurrent.interpreters.Queue"
    module = "concurrent.interpreters"

    def open(self, spec):
        from concurrent import interpreters

        queue = interpreters.create_queue()
        return queue, queue

    def sender(self, sending):
        return sending.put

    def receiver(self, receiving):
        return receiving.get
