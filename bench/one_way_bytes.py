"""Measure messages per second between two interpreters, one way, for bytes of several sizes and several builds.

    ./dev python 3.14 bench/one_way_bytes.py [--rounds 9] [--seconds 0.2] [NAME=FOLDER ...]

Each FOLDER contains another build of the package (a folder `xichan`). Each build runs in its own process; the rounds
of all builds are interleaved. Prints the best, the median, and the ratio of the best to that of the first build. Checks
the number and the length of the received values.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time

SIZES = {"64 bytes": (64, 1024), "4 KiB": (4096, 1024), "64 KiB": (65536, 64), "1 MiB": (1 << 20, 4)}

WORKER = """
def count():
    number = length = 0
    for value in rx:
        number += 1
        length += len(value)
    done.send((number, length))
"""


def measure(size, capacity, seconds):
    """Return messages per second, from the first send until the receiver has counted all."""
    from concurrent import interpreters

    import xichan

    tx, rx = xichan.channel(capacity)
    done, totals = xichan.channel(1)
    worker = interpreters.create()
    worker.exec(WORKER)
    worker.prepare_main(rx=rx, done=done)
    rx.close()
    done.close()
    thread = threading.Thread(target=worker.exec, args=("rx = rx; count()",))
    thread.start()
    value = bytes(size)
    batch = max(1, min(1000, (1 << 22) // size))
    sent = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(batch):
            tx.send(value)
        sent += batch
    tx.close()
    assert totals.recv() == (sent, sent * size), "the received values differ from those sent"
    elapsed = time.perf_counter() - start
    thread.join()
    worker.close()
    return sent / elapsed


def serve(seconds):
    """Measure each size named on a line of standard input."""
    for line in sys.stdin:
        print(measure(*SIZES[line.rstrip("\n")], seconds), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.2, help="per round and build")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("builds", nargs="*", metavar="NAME=FOLDER", help="other builds of the package")
    options = parser.parse_args()
    if options.serve:
        return serve(options.seconds)
    folders = dict(build.split("=", 1) for build in options.builds) or {"this": ""}
    command = [sys.executable, __file__, "--serve", "--seconds", str(options.seconds)]
    builds = {
        name: subprocess.Popen(
            command,
            env=dict(os.environ, **({"PYTHONPATH": folder} if folder else {})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, folder in folders.items()
    }
    for size in SIZES:
        found = {name: [] for name in builds}
        for _ in range(options.rounds):
            for name, process in builds.items():
                print(size, file=process.stdin, flush=True)
                found[name].append(float(process.stdout.readline()))
        first = max(next(iter(found.values())))
        for name, values in found.items():
            best = max(values)
            print(
                f"{size:10}{name:10}{best / 1e6:10.4f} M/s best{statistics.median(values) / 1e6:10.4f} median"
                f"{best / first:8.2f}x",
                flush=True,
            )
    for process in builds.values():
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
