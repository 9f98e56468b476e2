"""faster-fifo: a queue of pickles in shared memory, between processes."""

import functools

from xichan.bench.peers import Peer

PATIENCE = 3600.0  # its calls give up after 10 s unless told otherwise


class Contender(Peer):
    name = "faster-fifo"
    title = "faster-fifo"
    place = "processes"
    module = "faster_fifo"
    package = "faster-fifo"

    def open(self, spec):
        import faster_fifo

        channel = faster_fifo.Queue(max_size_bytes=max(1 << 20, 4 * spec.nbytes))
        return channel, channel

    def sender(self, sending):
        return functools.partial(sending.put, timeout=PATIENCE)

    def receiver(self, receiving):
        return functools.partial(receiving.get, timeout=PATIENCE)

    def batch_sender(self, sending):
        return functools.partial(sending.put_many, timeout=PATIENCE)

    def batch_receiver(self, receiving):
        return lambda n: receiving.get_many(timeout=PATIENCE, max_messages_to_get=n)
