"""Compare docs/examples/hypercorn_workers.py with Hypercorn's own processes, under load from wrk.

    ./dev python 3.14 bench/hypercorn_compare.py [--workers 1 2 4] [--rounds 3] [--seconds 5] [--reloads 20]

Needs wrk, and hypercorn in the environment of Python. Every contender serves the same application, which responds with
two words and does nothing else, so the figures are those of the server. "single" is Hypercorn without worker processes.
Rounds are interleaved; the table has the best round by requests per second, and its spread. The server and wrk share
the CPUs, so compare the requests per second of CPU time of the server.
"""

import argparse
import http.client
import importlib.util
import os
import platform
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve()
SERVER = HERE.parents[1] / "docs" / "examples" / "hypercorn_workers.py"
CONNECTIONS = 16
IDLE_STOPS = 5
served = 0  # requests of wrk, in this interpreter or process


async def app(scope, receive, send):
    """The application. /worker: who responds and its requests so far; /slow: after half a second."""
    global served
    if scope["type"] == "lifespan":
        for state in "startup", "shutdown":
            await receive()
            await send({"type": f"lifespan.{state}.complete"})
        return
    body = b"hello world"
    if scope["path"] == "/":
        served += 1
    elif scope["path"] == "/worker":
        body = b"%d-%x %d" % (os.getpid(), id(globals()), served)
    else:
        import asyncio

        await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Contender:
    """A server in a process of its own, between start() and stop()."""

    def __init__(self, title, workers, *command):
        self.title = title
        self.workers = workers
        self.command = [sys.executable, *map(str, command)]

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [*self.command, "--bind", f"127.0.0.1:{self.port}", f"{HERE.stem}:app"],
            cwd=HERE.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stderr.readline, "")))
        self.reader.start()
        self.wait_for_starts(1)
        assert self.get("/") == "hello world"

    def wait_for_starts(self, number):
        """Wait until the log shows so many starts of all workers, the first one and each reload."""
        interpreters = str(SERVER) in self.command
        text, lines = ("workers serve", 1) if interpreters else ("Running on", max(1, self.workers))
        deadline = time.monotonic() + 60
        while sum(text in line for line in self.lines) < number * lines:
            assert time.monotonic() < deadline and self.process.poll() is None, "".join(self.lines)
            time.sleep(0.01)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == 200
        text = response.read().decode()
        connection.close()
        return text

    def processes(self):
        """Return the ids of the process and its descendants."""
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def cpu(self):
        """Return the CPU time of the server until now, in seconds."""
        ticks = 0
        for pid in self.processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Return the proportional set size of the server in MiB."""
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes()]
        return sum(int(re.search(r"^Pss: +(\d+)", text, re.M)[1]) for text in rollups) / 1024

    def connections(self):
        """Return the numbers of connections per worker when several are opened at a time."""
        opened = [http.client.HTTPConnection("127.0.0.1", self.port, timeout=30) for _ in range(CONNECTIONS)]
        for connection in opened:
            connection.connect()
        workers = []
        for connection in opened:
            connection.request("GET", "/worker")
            workers.append(connection.getresponse().read().split()[0])
        for connection in opened:
            connection.close()
        return sorted((workers.count(worker) for worker in set(workers)), reverse=True)

    def shares(self):
        """Return the shares of requests per worker in percent. Asks until each has responded, or many times."""
        found = {}
        for _ in range(200):
            worker, count = self.get("/worker").split()
            found[worker] = int(count)
            if len(found) == max(1, self.workers):
                break
        return sorted((round(100 * count / max(1, sum(found.values()))) for count in found.values()), reverse=True)

    def stop(self):
        """Stop the server and return how long that took, in milliseconds."""
        ended = select.poll()  # Popen.wait(timeout) looks after 15.5, 31.5, 63.5 ms, and so on
        descriptor = os.pidfd_open(self.process.pid)
        ended.register(descriptor, select.POLLIN)
        begin = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        ended.poll(60_000)
        took = (time.perf_counter() - begin) * 1000
        os.close(descriptor)
        self.process.wait(1)
        self.reader.join()
        self.process.stderr.close()
        return took


def wrk(port, seconds, *options):
    """Start wrk and return its process. It sends as fast as the server responds, for so many seconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *options, f"http://127.0.0.1:{port}/"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def failures(output):
    """Return the number of requests that failed, by the output of wrk."""
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return sum(map(int, errors.groups() if errors else ())) + int(others[1] if others else 0)


def measure(contender, seconds):
    """Start a server, load it, and return its figures."""
    contender.start()
    spread = contender.connections()
    wrk(contender.port, 1).communicate()  # warms up
    cpu = contender.cpu()
    output = wrk(contender.port, seconds).communicate()[0]
    cpu = contender.cpu() - cpu
    requests = int(re.search(r"(\d+) requests in", output)[1])
    return {
        "rate": float(re.search(r"Requests/sec: +([\d.]+)", output)[1]),
        "per CPU s": requests / cpu,
        "p50": milliseconds(re.search(r"50% +(\S+)", output)[1]),
        "p99": milliseconds(re.search(r"99% +(\S+)", output)[1]),
        "failed": failures(output),
        "connections": spread,
        "shares": contender.shares(),
        "memory": contender.memory(),
        "stop": contender.stop(),
    }


def idle_stop(contender):
    """Return the time to stop a server that has responded once, in milliseconds."""
    contender.start()
    return contender.stop()


def busy_stop(contender):
    """Return the time to stop while a request of half a second is in flight, and whether it is completed."""
    contender.start()
    connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)
    connection.request("GET", "/slow")
    time.sleep(0.1)
    took = contender.stop()
    try:
        completed = connection.getresponse().read() == b"hello world"
    except (OSError, http.client.HTTPException):
        completed = False
    return took, completed


def reload_under_load(contender, reloads, pause):
    """Return (requests, failed ones) while the server reloads again and again, with a pause after each."""
    contender.start()
    load = wrk(contender.port, 3600)
    for number in range(reloads):
        time.sleep(pause)
        contender.process.send_signal(signal.SIGHUP)
        contender.wait_for_starts(number + 2)
    time.sleep(pause)
    load.send_signal(signal.SIGINT)  # ends it with its results
    output = load.communicate()[0]
    contender.stop()
    return int(re.search(r"(\d+) requests in", output)[1]), failures(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[2], metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--reloads", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds after each reload")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("hypercorn_compare needs the program wrk; on Debian, install the package wrk")
    if importlib.util.find_spec("hypercorn") is None:
        sys.exit(f"hypercorn_compare needs hypercorn; install it for {sys.executable}")
    single = Contender("single", 0, "-m", "hypercorn", "--workers", 0)
    interpreters = [Contender(f"{n} interpreters", n, SERVER, "--workers", n) for n in options.workers]
    processes = [Contender(f"{n} processes", n, "-m", "hypercorn", "--workers", n) for n in options.workers]
    contenders = [single, *interpreters, *processes]
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.process_cpu_count()} CPUs, "
          f"load {os.getloadavg()[0]:.2f}, {CONNECTIONS} connections")  # fmt: skip
    rounds = {contender: [] for contender in contenders}
    for _ in range(options.rounds):
        for contender in contenders:
            rounds[contender].append(measure(contender, options.seconds))
    titles = "requests/s", "spread", "per CPU s", "p50 ms", "p99 ms", "failed", "PSS MiB"
    print(f"\n{'':16}{''.join(f'{title:>11}' for title in titles)}  connections of each worker, % of requests")
    for contender, results in rounds.items():
        best = max(results, key=lambda result: result["rate"])
        spread = 1 - min(result["rate"] for result in results) / best["rate"]
        numbers = (
            f"{best['rate']:11,.0f}{spread:11.0%}{best['per CPU s']:11,.0f}{best['p50']:11.2f}{best['p99']:11.2f}"
            f"{best['failed']:11}{best['memory']:11.1f}"
        )
        print(f"{contender.title:16}{numbers}  {best['connections']} {best['shares']}")
    print(f"\n{'stop':16}{'idle ms':>11}{'worst':>8}{'busy ms':>10}  the request in flight")
    for contender in contenders:
        times = [idle_stop(contender) for _ in range(IDLE_STOPS)]
        took, completed = busy_stop(contender)
        print(f"{contender.title:16}{min(times):11.1f}{max(times):8.1f}{took:10.1f}  "
              f"{'completed' if completed else 'LOST'}")  # fmt: skip
    print(f"\n{f'{options.reloads} reloads':16}{'requests':>11}{'failed':>8}")
    for contender in contenders if options.reloads else ():
        if contender is not single:  # which does not reload
            requests, failed = reload_under_load(contender, options.reloads, options.pause)
            print(f"{contender.title:16}{requests:11,}{failed:8}")


if __name__ == "__main__":
    main()
