"""Compute pi to 5 through 2000 digits with each model, to find the task size from which parallelism is faster.

    python pi_digits.py [--workers N] [--plot FILE] [--small]

Needs CPython 3.14; --plot needs matplotlib. The workers start before the clock does. Running a small task takes less
time than sending it to a process or to the stdlib interpreter pool; the table shows the size from which they win.
"""

import argparse
import os
import sys
import time

import models


def pi_digits(digits):
    """Return pi as an int with `digits` digits after the point (Gibbons' unbounded spigot, 2006)."""
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    found = 0
    for _ in range(digits + 1):
        while 4 * q + r - t >= m * t:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
        found = found * 10 + m
        q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
    return found


def measure(digits, tasks, workers):
    """Return the seconds per model for `tasks` tasks."""
    arguments = [digits] * tasks
    start = time.perf_counter()
    expected = list(map(pi_digits, arguments))
    found = {"sequential": time.perf_counter() - start}
    for name, make in models.MODELS.items():
        with make(workers) as pool:
            list(pool.map(pi_digits, [1] * workers * 4))
            start = time.perf_counter()
            results = list(pool.map(pi_digits, arguments))
            found[name] = time.perf_counter() - start
        assert results == expected, name
    return found


def plot(speeds, file):
    try:
        import matplotlib
    except ImportError:
        sys.exit("--plot needs matplotlib, which is not installed")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = list(speeds)
    for model in speeds[sizes[0]]:
        pyplot.plot(sizes, [speeds[size][model] for size in sizes], marker="o", label=model)
    pyplot.axhline(1, color="gray", linewidth=0.5)
    pyplot.xscale("log")
    pyplot.xlabel("digits of each task")
    pyplot.ylabel("speed-up over a plain loop")
    pyplot.legend()
    pyplot.savefig(file)
    print(f"\nplot: {file}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--plot", metavar="FILE")
    parser.add_argument("--small", action="store_true", help="few digits, few tasks")
    options = parser.parse_args()
    sizes = {5: 8, 20: 8} if options.small else {5: 2000, 20: 1000, 50: 500, 200: 200, 2000: 8}
    speeds, rows = {}, []
    for digits, tasks in sizes.items():
        found = measure(digits, tasks, options.workers)
        speeds[digits] = {name: found["sequential"] / seconds for name, seconds in found.items()}
        rows.append((digits, tasks, f"{found['sequential'] / tasks * 1e6:.0f}"))
        rows[-1] += tuple(f"{speeds[digits][name]:.2f}" for name in models.MODELS)
    header = ("digits", "tasks", "us each", *models.MODELS)
    models.table(f"speed-up over a plain loop, {options.workers} workers", header, rows)
    if options.plot:
        plot(speeds, options.plot)


if __name__ == "__main__":
    main()
