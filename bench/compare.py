"""One way and round trip between two interpreters: xichan beside concurrent.interpreters.Queue, interleaved in one run.

    ./dev python 3.14 bench/compare.py [--rounds 9] [--seconds 0.2]

Prints the best and the median of the rounds, with the spread (slowest / fastest), and the ratio of the bests. Each
round checks what arrives. Round trips are spinning (at once) and parked (5 ms of sleep before each).
"""

import argparse
import statistics
import threading
import time
from concurrent import interpreters

import xichan

WORKER = """
def echo(get, put):
    for value in iter(get, None):
        put(value)

def count(get, put):
    total = 0
    for value in iter(get, None):
        total += value
    put(total)
"""


class Peer:
    """A worker interpreter with a transport there and one back."""

    def __init__(self, kind):
        self.worker = interpreters.create()
        self.worker.exec(WORKER)
        if kind == "xichan":
            there, worker_get = xichan.channel(1024)
            worker_put, back = xichan.channel(1024)
            self.put, self.get = there.send, back.recv
            names, calls = {"a": worker_get, "b": worker_put}, ("a.recv", "b.send")
        else:
            there, back = interpreters.create_queue(1024), interpreters.create_queue(1024)
            self.put, self.get = there.put, back.get
            names, calls = {"a": there, "b": back}, ("a.get", "b.put")
        self.worker.prepare_main(**names)
        self.calls = calls

    def run(self, function):
        thread = threading.Thread(target=self.worker.exec, args=(f"{function}({self.calls[0]}, {self.calls[1]})",))
        thread.start()
        return thread

    def one_way(self, seconds):
        """Messages per second, from the first put until the sum of all comes back."""
        thread = self.run("count")
        sent, total = 0, 0
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            for number in range(1000):
                self.put(number)
            sent += 1000
            total += 499_500
        self.put(None)
        assert self.get() == total, "what arrived is not what was sent"
        elapsed = time.perf_counter() - start
        thread.join()
        return sent / elapsed

    def round_trip(self, seconds, gap=0.0):
        """Median seconds of a round trip."""
        thread = self.run("echo")
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            if gap:
                time.sleep(gap)
            start = time.perf_counter()
            self.put(42)
            assert self.get() == 42
            times.append(time.perf_counter() - start)
        self.put(None)
        thread.join()
        return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.2, help="per round and contender")
    options = parser.parse_args()
    peers = {kind: Peer(kind) for kind in ("xichan", "Queue")}
    scenarios = {
        "one way, int (M/s)": (lambda peer: peer.one_way(options.seconds) / 1e6, max),
        "round trip, spinning (us)": (lambda peer: peer.round_trip(options.seconds) * 1e6, min),
        "round trip, parked (us)": (lambda peer: peer.round_trip(options.seconds, gap=0.005) * 1e6, min),
    }
    print(f"{'':28}{'best':>10}{'median':>10}{'spread':>8}{'':6}{'best':>10}{'median':>10}{'spread':>8}{'ratio':>9}")
    print(f"{'':28}{'xichan':>28}{'':6}{'concurrent.interpreters.Queue':>28}")
    for name, (measure, best) in scenarios.items():
        found = {kind: [] for kind in peers}
        for _ in range(options.rounds):
            for kind, peer in peers.items():
                found[kind].append(measure(peer))
        row = f"{name:28}"
        for kind in peers:
            values = found[kind]
            spread = max(values) / min(values)
            row += f"{best(values):10.2f}{statistics.median(values):10.2f}{spread:7.1f}x{'':6}"
        mine, theirs = best(found["xichan"]), best(found["Queue"])
        print(row + f"{mine / theirs if best is max else theirs / mine:8.0f}x")
    for peer in peers.values():
        peer.worker.close()


if __name__ == "__main__":
    main()
