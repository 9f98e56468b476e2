"""pyzmq, ipc: between processes, through a socket in the file system. Values are pickled."""

import os
import tempfile

from xichan.bench.contenders._zmq import Zmq


class Contender(Zmq):
    name = "zmq-ipc"
    title = "pyzmq ipc"
    place = "processes"

    def address(self, n):
        return f"ipc://{tempfile.gettempdir()}/xichan-bench-{os.getpid()}-{n}"
