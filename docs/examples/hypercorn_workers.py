"""Serve an ASGI or WSGI application with Hypercorn in worker interpreters of one process.

    python hypercorn_workers.py [--workers N] [--bind HOST:PORT] MODULE:ATTRIBUTE
    python hypercorn_workers.py --workers 2 --access-log --state web_app:create_state web_app:app

Needs CPython 3.14 and Hypercorn. This program accepts connections, and hands each to the worker that has the fewest, so
that they are spread evenly. SIGHUP reloads the application without refusing a connection: new workers import it again,
and when they are ready, the old ones finish. SIGTERM and Ctrl-C stop the program; a second one does not wait.
"""

import argparse
import gc
import logging
import logging.handlers
import os
import pkgutil
import selectors
import signal
import sys
import threading
import time
import tomllib

from hypercorn.config import Config

import xichan

RESTARTS = 3  # of each worker, until a reload
STARTUP_TIMEOUT = 60  # seconds

log = logging.getLogger("hypercorn_workers")


async def run_worker(*arguments):
    import hypercorn_worker  # not at the top: it needs the protocols of Hypercorn, and the program does not

    await hypercorn_worker.run(*arguments)


class Generation:
    """The workers that have imported the application at one time. It tells `events` when they are ready or ended."""

    def __init__(self, number, size, application, settings, records, events):
        self.number = number
        self.events = events
        self.stopping = False
        self.turn = 0
        channels = [xichan.channel(None) for _ in range(size)]
        self.senders = [tx for tx, _ in channels]
        self.loads = [xichan.AtomicInt() for _ in channels]  # open connections
        inboxes = [(rx, load) for (_, rx), load in zip(channels, self.loads)]
        arguments = application, settings, inboxes, records
        self.workers = xichan.Workers(size, run_worker, *arguments, name=f"web{number}", restart=RESTARTS)
        for _, rx in channels:
            rx.close()  # the workers have their own
        threading.Thread(target=self.run, name=f"generation_{number}").start()

    def run(self):
        try:
            with self.workers:
                self.workers.ready(STARTUP_TIMEOUT)
                self.events.send(("ready", self.number))
        except BaseException as error:
            if not self.stopping:
                log.error("the workers have failed", exc_info=error)
        self.events.send(("ended", self.number))

    def serve(self, connection):
        """Hand a connection to the running worker that has the fewest; among equals, to each in turn."""
        order = [*range(self.turn, len(self.loads)), *range(self.turn)]
        running = [index for index in order if self.workers.running_for(index) is not None]
        index = min(running or order, key=lambda index: self.loads[index].value)
        self.turn = (index + 1) % len(self.loads)
        descriptor = xichan.descriptor(connection)
        self.loads[index].add(1)
        self.senders[index].send(descriptor)

    def finish(self):
        """Have the workers end when their connections are closed."""
        for tx in self.senders:
            tx.close()

    def stop(self):
        self.stopping = True
        self.finish()
        self.workers.stop()


class Program:
    """Accepts connections. All its methods run in the main thread, which waits for connections and events."""

    def __init__(self, size, application, settings):
        self.arguments = size, application, settings
        config = Config.from_mapping(settings)
        self.grace = config.graceful_timeout + config.shutdown_timeout + 1
        self.records = xichan.Queue()  # of logging, from the workers
        self.events_tx, self.events_rx = xichan.channel(None)  # from signal handlers and generations
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: self.events_tx.send(("signal", number)))
        if config.insecure_bind or config.quic_bind:
            raise ValueError("insecure_bind and quic_bind are not supported")
        sockets = config.create_sockets()
        self.listeners = sockets.secure_sockets or sockets.insecure_sockets
        for listener in self.listeners:
            listener.listen(config.backlog)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.events_rx.fileno(), selectors.EVENT_READ)
        self.generations = {}  # by number: all that have not ended
        self.started = 0
        self.current = None
        self.loading = None  # the number of the generation that is to be the next one
        self.reload_again = False

    def run(self):
        """Serve until a signal or a failure. Return the exit status."""
        listener = logging.handlers.QueueListener(self.records, *logging.getLogger().handlers)
        listener.start()
        self.start()
        status = None
        while status is None:
            match self.next_event():
                case ("ready", number):
                    self.use(number)
                case ("ended", number):
                    status = self.ended(number)
                case ("signal", signal.SIGHUP):
                    self.reload()
                case ("signal", _):
                    status = 0
        self.stop()
        listener.stop()
        return status

    def next_event(self):
        """Accept connections until there is an event, and return it."""
        while True:
            try:
                return self.events_rx.recv_nowait()
            except xichan.ChannelEmpty:
                pass
            for key, _ in self.selector.select():
                if key.data is not None:
                    key.data(key.fileobj)

    def accept(self, listener):
        try:
            connection, _ = listener.accept()
            with connection:
                self.current.serve(connection)
        except (BlockingIOError, ConnectionAbortedError):
            pass
        except OSError as error:  # too many open files
            log.error("cannot accept a connection: %s", error)
            time.sleep(0.1)
        except xichan.ChannelClosed:  # the workers have failed, which is the next event
            pass

    def start(self):
        self.started += 1
        self.loading = self.started
        generation = Generation(self.loading, *self.arguments, self.records, self.events_tx)
        self.generations[self.loading] = generation

    def reload(self):
        """Start workers that import the application again; if such are starting already, start others after them."""
        if self.loading is not None:
            log.info("reloading again once the new workers are ready")
            self.reload_again = True
        else:
            log.info("reloading")
            self.reload_again = False
            self.start()

    def use(self, number):
        """Hand new connections to a generation that is ready, and let the one before finish."""
        before, self.current, self.loading = self.current, self.generations[number], None
        if before is None:
            for listener in self.listeners:
                self.selector.register(listener, selectors.EVENT_READ, self.accept)
        else:
            before.finish()
        addresses = ", ".join(map(address_of, self.listeners))
        log.info("%d workers serve %s, pid %d", len(self.current.loads), addresses, os.getpid())
        if self.reload_again:
            self.reload()

    def ended(self, number):
        """Return the exit status if the workers in use, or the first ones, have ended."""
        generation = self.generations.pop(number)
        if generation is self.current or self.current is None:
            return 1
        if number == self.loading:
            log.error("the application was not reloaded; the workers before go on")
            self.loading = None
            if self.reload_again:
                self.reload()
        return None

    def stop(self):
        for listener in self.listeners:
            listener.close()
        for generation in self.generations.values():
            generation.stop()
        deadline = time.monotonic() + self.grace
        while self.generations:
            try:
                what, value = self.events_rx.recv(max(0, deadline - time.monotonic()))
            except xichan.ChannelTimeout:
                log.critical("exiting, although workers have not stopped within %s seconds", self.grace)
                os._exit(1)
            if what == "signal" and value != signal.SIGHUP:
                os._exit(1)
            if what == "ended":
                del self.generations[value]


def address_of(listener):
    name = listener.getsockname()
    return name if isinstance(name, str) else f"{name[0]}:{name[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("application", help="as for Hypercorn, such as package.module:attribute")
    parser.add_argument("--workers", type=int, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--bind", action="append", metavar="ADDRESS", help="HOST:PORT, unix:PATH or fd://NUMBER")
    parser.add_argument("--config", metavar="FILE", help="other settings of Hypercorn, in TOML: TLS, timeouts, limits")
    parser.add_argument("--access-log", action="store_true", help="log each request")
    parser.add_argument("--log-level", default="INFO", metavar="LEVEL")
    parser.add_argument("--state", metavar="MODULE:FUNCTION", help="create shared objects, which have names")
    options = parser.parse_args()
    logging.basicConfig(level=options.log_level, format="%(asctime)s %(threadName)s %(levelname)s %(message)s")
    settings = {"shutdown_timeout": 3}
    if options.config:
        with open(options.config, "rb") as file:
            settings |= tomllib.load(file)
    settings |= {"bind": options.bind or settings.get("bind", "127.0.0.1:8000"), "loglevel": options.log_level}
    if options.access_log:
        settings["accesslog"] = "-"
    sys.path.insert(0, os.getcwd())
    state = pkgutil.resolve_name(options.state)() if options.state else None  # kept until the end
    status = Program(options.workers, options.application, settings).run()
    del state
    gc.freeze()  # as in the workers
    return status


if __name__ == "__main__":
    sys.exit(main())
