"""The standard library's queue between interpreters, unbounded, the default of ``create_queue()``.

A bound would slow it down further: ``put`` sleeps for 10 ms when the queue is full, as ``get`` does when it is empty.
"""

from xichan.bench.contenders import Contender


class InterpretersQueue(Contender):
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
