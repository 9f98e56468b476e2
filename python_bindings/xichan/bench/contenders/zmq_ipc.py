"""pyzmq over ipc, between processes: a Unix domain socket. Values are pickled."""

import os
import tempfile

from xichan.bench.contenders._zmq import ZmqContender


class ZmqIpc(ZmqContender):
    name = "zmq-ipc"
    title = "pyzmq ipc"
    place = "processes"

    def address(self, n):
        return f"ipc://{tempfile.gettempdir()}/xichan-bench-{os.getpid()}-{n}"
