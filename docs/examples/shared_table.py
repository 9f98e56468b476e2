"""Share one table of all Unicode characters between interpreters.

The table has a row for each code point: number, name, category, numeric value, decomposition. xichan.share() encodes it
once, and worker interpreters look rows up by bisection, reading the table in place. The program prints the memory of
the process with 1, 2, 4 and 8 interpreters, with the shared table and with a copy of the table for each. It also prints
how many lookups per second one interpreter does in the view, in a copy, and in the original tuple.

Needs CPython 3.14. Exit code: 0; 1 if a result was wrong.
"""

import argparse
import contextlib
import os
import random
import resource
import sys
import threading
import time
from concurrent import interpreters

import unicode_table

import xichan

COUNTS = (1, 2, 4, 8)
MIB = 1 << 20


def resident():
    """Return the resident memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def available():
    """Return the available memory of the machine, in bytes."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))


@contextlib.contextmanager
def workers(count):
    """Create `count` interpreters that have imported unicode_table, and close them at the end."""
    folder = os.path.dirname(os.path.abspath(unicode_table.__file__))
    made = [interpreters.create() for _ in range(count)]
    try:
        for worker in made:
            worker.exec(f"import sys; sys.path.insert(0, {folder!r}); import unicode_table")
        yield made
    finally:
        for worker in made:
            worker.call(unicode_table.forget)
            worker.close()


def share_with(worker, table, shared):
    worker.call(unicode_table.keep_view, shared)


def copy_to(worker, table, shared):
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send(table)
        worker.call(unicode_table.keep_copy, rx)


def memory(hand_over, table, shared):
    """Return the memory that the workers add to the process, in bytes, by their number; None if it may not fit."""
    used = {}
    last = 0
    with workers(max(COUNTS)) as made:
        start = resident()
        for i, worker in enumerate(made, 1):
            if available() < 4 * last + 500 * MIB:
                break  # the next worker may exhaust the memory
            before = resident()
            hand_over(worker, table, shared)
            last = resident() - before
            used[i] = resident() - start
    return {count: used.get(count) for count in COUNTS}


def ask(shared, count, numbers):
    """Look numbers up in `count` workers at once. Return the number of wrong results and the seconds taken."""
    requests_tx, requests_rx = xichan.channel(2 * count)
    results_tx, results_rx = xichan.channel(2 * count)
    batches = [tuple(numbers[i : i + 100]) for i in range(0, len(numbers), 100)]
    wrong = 0
    with workers(count) as made:
        for worker in made:
            worker.call(unicode_table.keep_view, shared)
        threads = [
            worker.call_in_thread(unicode_table.serve, requests_rx.clone(), results_tx.clone()) for worker in made
        ]
        requests_rx.close()
        results_tx.close()
        sender = threading.Thread(target=send_all, args=(requests_tx, batches))
        sender.start()
        start = time.perf_counter()
        for asked, rows in results_rx.views():
            wrong += sum(found != unicode_table.row(number) for number, found in zip(asked, rows, strict=True))
        seconds = time.perf_counter() - start
        for thread in (sender, *threads):
            thread.join()
        results_rx.close()
    return wrong, seconds


def send_all(requests, batches):
    with requests:
        requests.send_many(batches)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Look up Unicode characters in one table from many interpreters.")
    parser.add_argument("--small", action="store_true", help="use the first 3000 code points and few lookups")
    return parser.parse_args()


def main():
    small = parse_arguments().small
    limit = 3000 if small else sys.maxunicode + 1
    start = time.perf_counter()
    table = unicode_table.build(limit)
    built = time.perf_counter() - start
    start = time.perf_counter()
    shared = xichan.share(table)
    print(f"{limit:,} rows, built in {built:.2f} s, shared in {time.perf_counter() - start:.2f} s")
    print(f"the table takes {shared.nbytes / MIB:.1f} MiB, once for all interpreters\n")

    rng = random.Random(0)
    numbers = [rng.randrange(limit) for _ in range(1000 if small else 20_000)]
    wrong, seconds = ask(shared, 2, numbers)
    print(f"{len(numbers):,} lookups in 2 workers at once: {wrong} wrong results, {seconds:.2f} s\n")

    print("memory that the workers' tables add to the process, MiB")
    print("interpreters" + "".join(f"{count:9}" for count in COUNTS))
    for title, hand_over in (("shared", share_with), ("by value", copy_to)):
        used = memory(hand_over, table, shared)
        cells = ["        -" if n is None else f"{n / MIB:9.1f}" for n in used.values()]
        print(f"{title:12}" + "".join(cells))

    print("\nlookups per second of processor time, one interpreter")
    rates = {}
    with workers(1) as (worker,):
        for title, hand_over in (("view", share_with), ("eager copy", copy_to)):
            start = time.perf_counter()
            hand_over(worker, table, shared)
            ready = time.perf_counter() - start
            rates[title] = max(worker.call(unicode_table.rate_kept, tuple(numbers)) for _ in range(3))
            print(f"{title:12}{rates[title]:12,.0f}, after {ready * 1000:8.1f} ms to get the table")
    rates["plain tuple"] = max(unicode_table.rate(table, numbers) for _ in range(3))
    print(f"{'plain tuple':12}{rates['plain tuple']:12,.0f}, without xichan")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
