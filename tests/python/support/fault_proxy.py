"""A TCP proxy that injects faults between a client and a server, for each direction separately.

Each connection has two threads, one per direction. The settings apply to open connections as well as to new ones.
"""

import contextlib
import socket
import threading
import time

PAUSE = 0.001  # seconds between two parts of a divided write, so that they do not arrive as one


class Direction:
    """The faults of one direction. `open` is cleared while nothing is forwarded; nothing is lost meanwhile."""

    def __init__(self):
        self.delay = 0.0  # seconds before each piece
        self.halve = False  # forward each piece as two
        self.size = 65536  # bytes that are read at once, and so the largest piece
        self.cut_after = None  # bytes until the connection is cut, in the middle of a piece
        self.open = threading.Event()
        self.open.set()
        self.bytes = 0  # that were forwarded
        self._lock = threading.Lock()

    def pieces(self, data):
        """Divide what was read, as the settings ask for."""
        half = (len(data) + 1) // 2 if self.halve else len(data)
        return [part for part in (data[:half], data[half:]) if part]

    def take(self, piece):
        """Return what to forward of a piece, and whether its connection is cut then. One connection is, the first."""
        with self._lock:
            left = self.cut_after
            if left is None or left > len(piece):
                self.cut_after = None if left is None else left - len(piece)
                return piece, False
            self.cut_after = None
            return piece[:left], True


class FaultProxy:
    """Listens on a port of its own and forwards to (host, port). A context manager that closes everything."""

    def __init__(self, port, host="127.0.0.1"):
        self.target = (host, port)
        self.up, self.down = Direction(), Direction()  # to the server, and to the client
        self.accepting = True  # if False, new connections are closed at once
        self.connections = 0  # that were accepted
        self.pairs, self.threads, self.lock = set(), [], threading.Lock()
        self.closed = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._run(self._accept)

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        with self.lock:
            self.threads = [one for one in self.threads if one.is_alive()] + [thread]
            thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.closed:
                client.close()
                return
            try:
                if not self.accepting:
                    raise ConnectionRefusedError
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, server)
            with self.lock:
                self.pairs.add(pair)
                self.connections += 1
            self._run(self._pump, self.up, client, server, pair)
            self._run(self._pump, self.down, server, client, pair)
            if self.closed:
                self.cut()

    def _pump(self, direction, source, target, pair):
        with contextlib.suppress(OSError):
            while data := source.recv(direction.size):
                direction.open.wait()
                if direction.delay:
                    time.sleep(direction.delay)
                for number, piece in enumerate(direction.pieces(data)):
                    if number:
                        time.sleep(PAUSE)
                    piece, is_cut = direction.take(piece)
                    direction.bytes += len(piece)  # first, so that it is counted when the piece arrives
                    target.sendall(piece)
                    if is_cut:
                        raise ConnectionAbortedError
        self._cut(pair)

    def _cut(self, pair):
        with self.lock:
            known = pair in self.pairs
            self.pairs.discard(pair)
        if not known:
            for end in pair:  # the thread of the other direction has left already
                end.close()
            return
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread of the other direction, which closes

    def cut(self):
        """Cut all connections."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def hold(self, *directions):
        """Stop forwarding in these directions, by default in both."""
        for direction in directions or (self.up, self.down):
            direction.open.clear()

    def release(self):
        """Forward again, without any fault, beginning with what was held."""
        for direction in (self.up, self.down):
            direction.delay, direction.halve, direction.size, direction.cut_after = 0.0, False, 65536, None
            direction.open.set()
        self.accepting = True

    def close(self):
        """Close everything and wait for the threads."""
        self.closed = True
        with contextlib.suppress(OSError):
            socket.create_connection(self.listener.getsockname()).close()  # wakes the thread in accept
        self.listener.close()
        self.release()
        self.cut()
        for thread in self.threads:
            thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
