"""When a view is cheaper than a copy: the figures of docs/views.md. Run by ./dev python 3.14 bench/views.py.

Everything in one thread, so that nothing but the receiving is timed, in processor time; the best of interleaved rounds.
"""

import timeit
from time import thread_time

import xichan

ROUNDS = 9
ROWS = 1000
SIZES = (64, 256, 512, 768, 1024, 4096, 65_536, 1 << 20)

tx, rx = xichan.channel()


def viewed(value):
    tx.send(value)
    return rx.recv(copy=False)


def receive_times(value, count):
    """Nanoseconds for one receive, by value and as a view."""
    best = {True: float("inf"), False: float("inf")}
    for _ in range(ROUNDS):
        for copy in best:
            tx.send_many([value] * count)
            seconds = timeit.timeit(lambda copy=copy: rx.recv_nowait(copy=copy), timer=thread_time, number=count)
            best[copy] = min(best[copy], seconds / count * 1e9)
    return best[True], best[False]


def time_of(statement, number=100_000, **names):
    """Nanoseconds for one statement, less those for none."""

    def best(source):
        return min(timeit.repeat(source, timer=thread_time, globals=names, number=number, repeat=ROUNDS)) / number * 1e9

    return best(statement) - best("pass")


def main():
    print("receive, ns        bytes: copy      view       str: copy      view")
    for size in SIZES:
        count = 200 if size < 100_000 else 20
        times = *receive_times(b"x" * size, count), *receive_times("x" * size, count)
        print(f"{size:11,} bytes {times[0]:12,.0f}{times[1]:10,.0f}   {times[2]:12,.0f}{times[3]:10,.0f}")

    rows = tuple((i, "a name of 24 characters.", None) for i in range(ROWS))
    view = viewed(rows)
    print("\naccess, ns             tuple      view")
    for name, statement in {"an int": "a[5][0]", "a text": "a[5][1]", "a row": "a[5]", "len": "len(a)"}.items():
        print(f"{name:18}{time_of(statement, a=rows):10.1f}{time_of(statement, a=view):10.1f}")
    statement = "for row in a: pass"
    times = [time_of(statement, 100, a=table) / ROWS for table in (rows, view)]
    print(f"{'each row in a loop':18}{times[0]:10.1f}{times[1]:10.1f}")

    large = tuple(range(1_000_000))
    best = {True: float("inf"), False: float("inf")}
    for _ in range(ROUNDS):
        for copy in best:
            tx.send(large)
            seconds = timeit.timeit(lambda copy=copy: read_ten(rx.recv(copy=copy)), timer=thread_time, number=1)
            best[copy] = min(best[copy], seconds)
    copied, seen = best[True] * 1000, best[False] * 1000
    print(f"\nreceive 1,000,000 ints and read 10: {copied:.1f} ms by copy, {seen:.3f} ms by view")


def read_ten(table):
    return [table[i] for i in range(0, 1_000_000, 100_000)]


if __name__ == "__main__":
    main()
