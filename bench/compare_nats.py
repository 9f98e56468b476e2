"""Compare xichan.nats with the same calls of libnats in C and with nats-py, over a server on this machine.

    ./dev bench nats [--rounds 9] [--scale 1.0]

The rounds of all contenders are interleaved. Each contender checks the number and the size of its messages. Prints the
best and the median of each, and the ratio of the best to that of libnats.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests" / "python"))

from support.nats_server import MIB, Server, newest, unavailable  # noqa: E402

SIZES = {"64 B": (64, 1.0), "64 KiB": (65536, 0.05)}  # bytes, and the share of the messages
COUNTS = {"publish_ack": 3000, "pipelined": 20_000, "fetch_ack": 20_000, "one_way": 20_000}
ABOUT = {
    "publish_ack": "publish and wait for the acknowledgment",
    "pipelined": "publish with 256 unacknowledged messages",
    "fetch_ack": "fetch batches of 256 and acknowledge each message",
    "one_way": "publish and fetch at once, with 256 unacknowledged messages",
}


def commands(lower_bound, url):
    """Return the command of each contender that exists."""
    python = [sys.executable, str(HERE / "nats_peers.py")]
    found = {"libnats": [lower_bound, url], "xichan": [*python, "xichan", url]}
    if importlib.util.find_spec("nats"):
        found["nats-py"] = [*python, "nats-py", url]
    else:
        print("nats-py is not installed: left out", file=sys.stderr)
    return found


def ask(process, line):
    """Return the numbers with which a contender replies."""
    print(line, file=process.stdin, flush=True)
    reply = process.stdout.readline()
    if not reply:
        sys.exit(f"{process.args} failed at {line}")
    return tuple(map(float, reply.split()))


def report(scenario, title, count, found):
    """Print a table of one scenario and size; `found` has the replies of each contender."""
    print(f"\n{scenario}, {title}: {ABOUT[scenario]}; {count} messages a round")
    first = None
    for name, replies in found.items():
        rates = [count / reply[0] for reply in replies]
        best = max(rates)
        first = first or best
        line = f"  {name:8}{best:10,.0f}/s best{statistics.median(rates):10,.0f}/s median{best / first:7.2f}x"
        if len(replies[0]) > 1:
            p50, p99 = (min(reply[i] for reply in replies) * 1e6 for i in (1, 2))
            line += f"   p50 {p50:6.0f} us, p99 {p99:6.0f} us"
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lower_bound", help="the program bench/nats_lower_bound.cpp")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the number of messages")
    options = parser.parse_args()
    if reason := unavailable():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder, Server(folder, jetstream={"max_memory_store": 2048 * MIB}) as server:
        print(f"nats-server {'.'.join(map(str, newest()))}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
        processes = {
            name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for name, command in commands(options.lower_bound, server.url).items()
        }
        for scenario, number in COUNTS.items():
            for title, (size, share) in SIZES.items():
                count = max(int(number * share * options.scale), 10)
                found = {name: [] for name in processes}
                for _ in range(options.rounds):
                    for name, process in processes.items():
                        found[name].append(ask(process, f"{scenario} {size} {count}"))
                report(scenario, title, count, found)
        for process in processes.values():
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    main()
