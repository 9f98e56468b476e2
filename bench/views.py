"""Compare views with copies; prints the figures of docs/reference/views.md. Run by ./dev python 3.14 bench/views.py.

Runs in one thread and measures CPU time, so that only the receives are timed. Prints the best of interleaved rounds.
"""

import timeit
from time import thread_time

import xichan

ROUNDS = 9
ROWS = 1000
SIZES = (64, 256, 512, 768, 1024, 4096, 65_536, 1 << 20)

CALLS = ("receive()", "receive(copy=False)")  # timed without a wrapper

tx, rx = xichan.channel()


def viewed(value):
    tx.send(value)
    return rx.recv(copy=False)


def receive_times(value, count, statement="{}"):
    """Return the nanoseconds per receive, as a copy and as a view; `statement` is run with the call in it."""
    best = [float("inf")] * len(CALLS)
    names = {"receive": rx.recv_nowait, "read_ten": read_ten}
    for _ in range(ROUNDS):
        for i, call in enumerate(CALLS):
            tx.send_many([value] * count)
            seconds = timeit.timeit(statement.format(call), timer=thread_time, globals=names, number=count)
            best[i] = min(best[i], seconds / count * 1e9)
    return best


def time_of(statement, number=100_000, **names):
    """Return the nanoseconds per execution of a statement, without the loop."""

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
    for name, statement in {"int": "a[5][0]", "str": "a[5][1]", "row": "a[5]", "len": "len(a)"}.items():
        print(f"{name:18}{time_of(statement, a=rows):10.1f}{time_of(statement, a=view):10.1f}")
    statement = "for row in a: pass"
    times = [time_of(statement, 100, a=table) / ROWS for table in (rows, view)]
    print(f"{'row, in a loop':18}{times[0]:10.1f}{times[1]:10.1f}")

    copied, seen = receive_times(tuple(range(1_000_000)), 1, "read_ten({})")
    print(f"\nreceive 1,000,000 ints and read 10: {copied / 1e6:.1f} ms by copy, {seen / 1e6:.3f} ms by view")


def read_ten(table):
    return [table[i] for i in range(0, 1_000_000, 100_000)]


if __name__ == "__main__":
    main()
