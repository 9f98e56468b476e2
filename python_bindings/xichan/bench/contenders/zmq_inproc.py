"""pyzmq, inproc: between threads, for its extension module does not load in other interpreters. Values are pickled."""

from xichan.bench.contenders._zmq import Zmq


class Contender(Zmq):
    name = "zmq-inproc"
    title = "pyzmq inproc (threads)"
    place = "threads"

    def address(self, n):
        return f"inproc://bench-{n}"
