"""The shares of 8 consumers in 4 processes on one remote channel, and how soon a consumer that joins them gets a value.

    python bench/nats_shares.py [--values 20000] [--work MICROSECONDS] [--joins 10]

Needs xichan.nats and a nats-server, as `./dev bench nats` does. Each consumer has a Receiver of its own, takes leases
one at a time, and computes for the given time before it acknowledges. Fails if a value is lost or delivered twice.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "python"))

from support.nats_server import Server, newest, unavailable  # noqa: E402

CHANNEL = "shares"
PROCESSES, THREADS = 4, 2


def consume(url, work):
    """Receive in two threads until the channel has ended; print the numbers of values and of redeliveries of each."""
    import xichan.nats

    counts = [[0, 0] for _ in range(THREADS)]

    def run(rx, count):
        for lease in rx.leases():
            with lease:
                until = time.perf_counter() + work
                while time.perf_counter() < until:
                    pass
                count[0] += 1
                count[1] += lease.delivery > 1

    with xichan.nats.connect(url) as hub:
        receivers = [hub.receiver(CHANNEL) for _ in counts]
        threads = [threading.Thread(target=run, args=pair) for pair in zip(receivers, counts, strict=True)]
        print("ready", flush=True)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for values, again in counts:
        print(values, again, flush=True)


def join(hub, times):
    """Open a Receiver, receive a value, close it; return the seconds of both steps, and if it was redelivered."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        with hub.receiver(CHANNEL) as rx:
            opened = time.perf_counter()
            lease = rx.lease()
            received = time.perf_counter()
            lease.ack()
        found.append((opened - begin, received - opened, lease.delivery > 1))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=20_000)
    parser.add_argument("--work", type=float, default=200, help="microseconds of computing for each value")
    parser.add_argument("--joins", type=int, default=10, help="consumers that join for one value each")
    parser.add_argument("--consume", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.consume:
        return consume(options.consume, options.work / 1e6)
    if reason := unavailable():
        sys.exit(reason)
    import xichan.nats

    with tempfile.TemporaryDirectory() as folder, Server(folder) as server, xichan.nats.connect(server.url) as hub:
        tx, rx = hub.channel(CHANNEL, capacity=1000, ack="lease")
        rx.close()
        command = [sys.executable, __file__, "--consume", server.url, "--work", str(options.work)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        for process in processes:
            assert process.stdout.readline() == "ready\n", "a consumer failed"
        joined = []
        joining = threading.Thread(target=lambda: joined.extend(join(hub, options.joins)))
        begin = time.perf_counter()
        joining.start()
        assert tx.send_many(range(options.values)) == options.values
        tx.close()
        joining.join()
        counts = [tuple(map(int, line.split())) for process in processes for line in process.stdout]
        seconds = time.perf_counter() - begin
        assert [process.wait() for process in processes] == [0] * PROCESSES
    report(options, counts, joined, seconds)


def report(options, counts, joined, seconds):
    version = ".".join(map(str, newest()))
    print(f"nats-server {version}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    shares = [values / options.values * 100 for values, _ in counts]
    print(f"{options.values} values in {seconds:.1f} s, {options.work:g} us of work each, {len(counts)} consumers")
    print("shares: " + ", ".join(f"{share:.1f} %" for share in shares) + f"; even: {100 / len(counts):.1f} %")
    again = sum(again for _, again in counts) + sum(again for _, _, again in joined)
    print(f"redeliveries: {again}")
    if joined:
        opened, first = (sorted(one[i] * 1e3 for one in joined) for i in (0, 1))
        print(f"{len(joined)} joined: opened within {opened[-1]:.1f} ms, first value {first[-1]:.1f} ms later at most")
    received = sum(values for values, _ in counts) + len(joined)
    assert received == options.values and again == 0, (counts, joined)


if __name__ == "__main__":
    main()
