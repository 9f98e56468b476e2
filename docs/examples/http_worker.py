"""A small HTTP/1.1 server for fixed pages, run by http_workers.py in its worker interpreters.

This is a separate module because workers import classes by name.
"""

import os
import selectors
import socket

import xichan

LIMIT = 64 * 1024  # maximum bytes of a request's head


class Worker:
    """The server of one interpreter. ``config`` is a Shared of ((name, value), ...)."""

    def __init__(self, listening, config, control):
        descriptor, family, kind = listening
        self.socket = socket.socket(family, kind, fileno=os.dup(descriptor))
        self.socket.setblocking(False)
        config = dict(config.value())
        self.pages = {path.encode(): page.encode() for path, page in config["pages"]}
        self.control = control
        self.selector = selectors.DefaultSelector()
        self.heads = {}  # connection: received part of the next request
        self.served = 0

    def run(self):
        with self.control, self.socket, self.selector:
            self.selector.register(self.socket, selectors.EVENT_READ, self.accept)
            self.selector.register(self.control.fileno(), selectors.EVENT_READ, None)
            try:
                while not self.stopped():
                    for key, _ in self.selector.select():
                        if key.data is not None:
                            key.data(key.fileobj)
            finally:
                for connection in list(self.heads):
                    self.drop(connection)
        return self.served

    def stopped(self):
        """Return true if a message arrived or the channel is closed; otherwise arm the descriptor."""
        try:
            self.control.recv_nowait()
        except xichan.ChannelEmpty:
            return False
        except xichan.ChannelClosed:
            pass
        return True

    def accept(self, listening):
        try:
            connection, _ = listening.accept()
        except BlockingIOError:  # another worker was faster
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heads[connection] = b""
        self.selector.register(connection, selectors.EVENT_READ, self.receive)

    def receive(self, connection):
        try:
            data = connection.recv(LIMIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        head = self.heads[connection] + data
        keep = bool(data) and len(head) <= LIMIT
        while keep and b"\r\n\r\n" in head:
            request, _, head = head.partition(b"\r\n\r\n")
            keep = self.respond(connection, request)
        if keep:
            self.heads[connection] = head
        else:
            self.drop(connection)

    def respond(self, connection, request):
        """Respond to one request. Return true if the connection stays open."""
        line, *headers = request.split(b"\r\n")
        names = dict(header.lower().split(b": ", 1) for header in headers if b": " in header)
        parts = line.split(b" ")
        if len(parts) != 3 or parts[0] not in (b"GET", b"HEAD") or b"content-length" in names:
            status, page, keep = b"400 Bad Request", b"bad request\n", False
        else:
            page = self.pages.get(parts[1].partition(b"?")[0])
            status = b"200 OK" if page is not None else b"404 Not Found"
            page = b"not found\n" if page is None else page
            keep = parts[2] == b"HTTP/1.1" and names.get(b"connection") != b"close"
        body = b"" if parts[0] == b"HEAD" else page
        connected = b"keep-alive" if keep else b"close"
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: %b\r\n\r\n" % (status, len(page), connected)
        try:
            connection.sendall(head + body)  # small: it fits into the socket's buffer unless the client does not read
        except OSError:
            return False
        self.served += 1
        return keep

    def drop(self, connection):
        del self.heads[connection]
        self.selector.unregister(connection)
        connection.close()


def serve(listening, config, control):
    return Worker(listening, config, control).run()
