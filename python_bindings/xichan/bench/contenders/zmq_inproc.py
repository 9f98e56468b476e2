"""pyzmq over inproc, between threads: its extension module does not load in subinterpreters. Values are pickled."""

from xichan.bench.contenders._zmq import ZmqContender


class ZmqInproc(ZmqContender):
    name = "zmq-inproc"
    title = "pyzmq inproc (threads)"
    place = "threads"

    def address(self, n):
        return f"inproc://bench-{n}"
