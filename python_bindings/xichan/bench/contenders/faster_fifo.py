"""faster-fifo: a queue of pickles in shared memory, between processes."""

from xichan.bench.contenders import Contender


class FasterFifo(Contender):
    name = "faster-fifo"
    title = "faster-fifo"
    place = "processes"
    module = "faster_fifo"
    package = "faster-fifo"
    put_arguments = get_arguments = "timeout=3600.0"  # the default timeout is 10 s

    def open(self, spec):
        import faster_fifo

        channel = faster_fifo.Queue(max_size_bytes=max(1 << 20, 4 * spec.nbytes))
        return channel, channel

    def sender(self, sending):
        return sending.put

    def receiver(self, receiving):
        return receiving.get

    def batch_sender(self, sending):
        return sending.put_many

    def batch_receiver(self, receiving):
        return lambda n, timeout: receiving.get_many(timeout=timeout, max_messages_to_get=n)
