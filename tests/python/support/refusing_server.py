"""A server that refuses some requests of JetStream's API with an error of the test's choice.

The server maps the subjects of these requests to one that a client replies on, instead of to JetStream.
"""

import json
import socket
import threading

from .nats_server import Server

_SUBJECT = "refused.requests"


class RefusingServer:
    """A context manager. `verbs` are what follows $JS.API. in the subjects, with wildcards.

    While `error` is None, the requests get no reply; otherwise it is the entry "error" of the replies.
    """

    def __init__(self, folder, *verbs, error=None):
        self.error = error
        self.refused = 0  # requests
        self.server = Server(folder, mappings={f"$JS.API.{verb}": _SUBJECT for verb in verbs})

    @property
    def url(self):
        return self.server.url

    def __enter__(self):
        self.server.start()
        self.socket = socket.create_connection(("127.0.0.1", self.server.port))
        self.socket.sendall(f'CONNECT {{"verbose":false}}\r\nSUB {_SUBJECT} 1\r\nPING\r\n'.encode())
        self.lines = self.socket.makefile("rb")
        while self.lines.readline() != b"PONG\r\n":
            pass
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def _serve(self):
        while words := self.lines.readline().split():
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] == b"MSG":
                self.lines.read(int(words[-1]) + 2)
                self.refused += 1
                if self.error is not None:
                    reply = json.dumps({"error": self.error}, separators=(",", ":")).encode()
                    self.socket.sendall(b"PUB %s %d\r\n%s\r\n" % (words[3], len(reply), reply))

    def __exit__(self, *error):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.lines.close()
        self.socket.close()
        self.server.kill()
