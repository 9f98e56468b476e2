"""Compute factorials sequentially and on threads, processes, the stdlib interpreter pool and xichan's pool.

    python factorial.py [--workers N] [--small]

Needs CPython 3.14. The times include the start of the workers. The program checks that every model computes the same
numbers.
"""

import argparse
import os

import models


def digit_sum(number):
    """Return the digit sum of factorial(number), computed in Python so that it holds the lock of its interpreter."""
    product = 1
    for factor in range(2, number + 1):
        product *= factor
    total = 0
    while product:
        product, rest = divmod(product, 10**9)
        total += sum(map(int, str(rest)))
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--small", action="store_true", help="a run of about a second")
    options = parser.parse_args()
    number, tasks = (200, 8) if options.small else (5000, 32)
    arguments = range(number, number + tasks)
    expected, alone = models.run("sequential", 1, digit_sum, arguments)
    rows = [("sequential", f"{alone:.3f}", "1.00")]
    for model in models.MODELS:
        results, seconds = models.run(model, options.workers, digit_sum, arguments)
        assert results == expected, model
        rows.append((model, f"{seconds:.3f}", f"{alone / seconds:.2f}"))
    title = f"{tasks} factorials from {number}! on, {options.workers} workers"
    models.table(title, ("model", "seconds", "speed-up"), rows)


if __name__ == "__main__":
    main()
