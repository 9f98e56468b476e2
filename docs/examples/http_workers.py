"""Serve HTTP from worker interpreters that accept from one listening socket.

    python http_workers.py [--workers N] [--port PORT]     until Ctrl-C; try: wrk -t1 -c8 -d5 http://127.0.0.1:PORT/
    python http_workers.py --small                         send a few requests, stop, print how long the stop took

Needs CPython 3.14; uses the standard library and the loopback interface only. The workers get the descriptor of the
socket in a tuple, and the configuration as a Shared, which is in memory once. Each worker waits for connections and for
its control channel at once, because a channel's ``fileno()`` can be registered with a selector like a socket. So
closing the control channel stops the worker at once, whatever its connections do.
"""

import argparse
import os
import socket
import sys
import time

import http_worker
import models

import xichan


def request(port, paths):
    """Request pages over one connection. Return [(status line, body)]."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, connection.makefile("rb") as replies:
        for path in paths:
            connection.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
            status, length = replies.readline().decode().strip(), 0
            while (header := replies.readline().strip()) != b"":
                name, _, value = header.partition(b": ")
                length = int(value) if name == b"Content-Length" else length
            found.append((status, replies.read(length).decode()))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="send a few requests and stop")
    options = parser.parse_args()
    config = xichan.share((("pages", (("/", "hello from an interpreter\n"), ("/about", "xichan\n"))),))
    listener = socket.create_server(("127.0.0.1", options.port), backlog=128)
    with listener, xichan.InterpreterPoolExecutor(options.workers) as pool:
        listening = (listener.fileno(), int(listener.family), int(listener.type))
        port = listener.getsockname()[1]
        controls, jobs = [], []
        try:
            for _ in range(options.workers):
                control_tx, control_rx = xichan.channel(1)
                controls.append(control_tx)
                jobs.append(pool.submit(http_worker.serve, listening, config, control_rx))
                control_rx.close()  # the worker has its own copy
            print(f"{options.workers} workers on http://127.0.0.1:{port}/", flush=True)
            if options.small:
                for _ in range(3):
                    for status, page in request(port, ["/", "/about", "/nothing"] * 3):
                        assert status.endswith("OK") == (page != "not found\n")
            else:
                while not any(job.done() for job in jobs):
                    time.sleep(1)
        except KeyboardInterrupt:
            pass
        finally:  # otherwise the pool would wait for the workers indefinitely
            start = time.perf_counter()
            for control in controls:
                control.close()
        served = [job.result() for job in jobs]
        stop = time.perf_counter() - start
    models.table(f"stopped in {stop * 1000:.1f} ms", ("worker", "requests"), [(i, n) for i, n in enumerate(served, 1)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
