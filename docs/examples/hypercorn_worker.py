"""A worker of hypercorn_workers.py: runs Hypercorn on the connections that the program hands over.

This is a separate module because workers import it by name. Hypercorn serves each connection by a task. Such a task
never fails: errors of the application are logged by Hypercorn, and other errors here.
"""

import asyncio
import atexit
import gc
import logging
import logging.handlers

import h11
from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.utils import load_application

import xichan

log = logging.getLogger("hypercorn.error")


@atexit.register
def free_sentinels():
    """Break reference cycles of h11, without which CPython would keep the memory of this interpreter, some 6 MiB.

    Each sentinel, such as NEED_DATA, is its own class. Garbage collections do not free these.
    """
    sentinel = h11.NEED_DATA.__base__
    for each in type.__subclasses__(sentinel):
        each.__class__ = sentinel


class WorkerConfig(Config):
    finishing = False  # each HTTP/1.1 connection is closed after its next response

    def response_headers(self, protocol):
        close = [(b"connection", b"close")] if self.finishing and protocol == "h11" else []
        return super().response_headers(protocol) + close


class Connection(TCPServer):
    async def _read_data(self):
        """End with the connection. Hypercorn waits for its keep-alive timeout, also if the client has closed it."""
        await super()._read_data()
        await self.idle_task.stop()


class Server:
    """Hypercorn in this interpreter. load: an AtomicInt, which the program increments for each connection."""

    def __init__(self, config, load):
        self.config = config
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.context = WorkerContext(None)
        self.ssl = {}
        self.state = {}  # that the application shares among its requests
        self.tasks = set()  # of open connections

    async def start(self, application):
        """Import the application, and wait until it has started. Raises what either of them raises."""
        if self.config.ssl_enabled:
            self.ssl["ssl"] = self.config.create_ssl_context()
            self.ssl["ssl_handshake_timeout"] = self.config.ssl_handshake_timeout
        self.app = load_application(application, self.config.wsgi_max_body_size)
        self.lifespan = Lifespan(self.app, self.config, self.loop, self.state)
        self.lifespan_task = self.loop.create_task(self.lifespan.handle_lifespan())
        await self.lifespan.wait_for_startup()
        if self.lifespan_task.done():
            self.lifespan_task.result()

    async def receive(self, connections):
        """Serve connections until the program closes their channel."""
        async for descriptor in connections:
            task = self.loop.create_task(self.serve(descriptor.socket()))
            self.tasks.add(task)
            task.add_done_callback(self.closed)

    def closed(self, task):
        self.tasks.discard(task)
        self.load.add(-1)

    async def serve(self, socket):
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await self.loop.connect_accepted_socket(lambda: protocol, socket, **self.ssl)
            writer = asyncio.StreamWriter(transport, protocol, reader, self.loop)
            await Connection(self.app, self.loop, self.config, self.context, self.state, reader, writer)
        except OSError as error:  # the client is gone, or TLS failed
            log.debug("%r", error)
        except Exception:
            log.exception("a connection failed")

    async def finish(self, *wanted, timeout):
        """Wait until all connections are closed, or a task of `wanted` is done, or so many seconds have passed."""
        closed = asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.wait([closed, *wanted], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self):
        """Close idle connections now and the others after their responses. After the grace, cancel what is left."""
        await self.context.terminated.set()
        await self.finish(timeout=self.config.graceful_timeout)
        for task in list(self.tasks):
            task.cancel()
        await self.finish(timeout=1)
        await self.lifespan.wait_for_shutdown()
        self.lifespan_task.cancel()


async def run(application, settings, inboxes, records):
    """Serve the application. inboxes: (Receiver of connections, AtomicInt) of each worker; records: a Queue."""
    me = xichan.worker()
    handler = logging.handlers.QueueHandler(records)
    logging.basicConfig(level=settings["loglevel"], format="%(message)s", handlers=[handler])
    connections, load = inboxes[me.index]
    config = WorkerConfig.from_mapping(settings, errorlog=log)
    if config.accesslog is not None:
        config.accesslog = logging.getLogger("hypercorn.access")
    server = Server(config, load)
    try:
        await server.start(application)
    except Exception:
        if me.attempt:  # it has worked before, so try again
            raise
        log.exception("cannot start %s", application)
        return  # ready() of the program raises
    me.ready()
    stop = asyncio.create_task(me.stop())
    receive = asyncio.create_task(server.receive(connections))
    try:
        await asyncio.wait([stop, receive], return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        log.error("the worker was interrupted, or the application called sys.exit()")
        raise
    config.finishing = True
    if receive.done():  # a reload: the next response or Hypercorn's own timeout ends each connection
        receive.result()
        await server.finish(stop, timeout=config.keep_alive_timeout)
    receive.cancel()
    await server.stop()
    if me.stopping:
        gc.freeze()  # the program ends: without this, looking for cycles to free would take most of the stop
