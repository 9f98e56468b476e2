"""Base class of the pyzmq transports: a PUSH socket per sender, a PULL socket for the single receiver."""

import itertools
import threading

from xichan.bench.contenders import Contender, Unavailable

COUNT = itertools.count()
WORKER = threading.local()  # holds the sockets of a worker


class ZmqContender(Contender):
    module = "zmq"
    package = "pyzmq"

    def address(self, n):
        raise NotImplementedError

    def open(self, spec):
        if spec.receivers > 1:
            raise Unavailable("PUSH distributes round-robin: several receivers of one queue need a broker")
        half = self.address(next(COUNT)), spec.payload.startswith("bytes")
        return half, half

    def sender(self, sending):
        import zmq

        address, is_bytes = sending
        socket = self.socket(zmq.PUSH)
        socket.connect(address)
        return socket.send if is_bytes else socket.send_pyobj

    def receiver(self, receiving):
        socket, is_bytes = self.bind(receiving)
        return socket.recv if is_bytes else socket.recv_pyobj

    def selector(self, receivings):
        import zmq

        receivers = {}
        poller = zmq.Poller()
        for receiving in receivings:
            socket, is_bytes = self.bind(receiving)
            poller.register(socket, zmq.POLLIN)
            receivers[socket] = socket.recv if is_bytes else socket.recv_pyobj
        ready = []

        def receive():
            if not ready:
                ready.extend(receivers[socket] for socket, _ in poller.poll())
            return ready.pop()()

        return receive

    def bind(self, receiving):
        import zmq

        address, is_bytes = receiving
        socket = self.socket(zmq.PULL)
        socket.bind(address)
        return socket, is_bytes

    def socket(self, socket_type):
        import zmq

        socket = zmq.Context.instance().socket(socket_type)
        WORKER.__dict__.setdefault("sockets", []).append(socket)
        return socket

    def finish(self):
        import zmq

        for socket in WORKER.__dict__.pop("sockets", ()):
            socket.close()
        if self.place == "processes":
            zmq.Context.instance().term()  # blocks until everything is sent; process exit does not
