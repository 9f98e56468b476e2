"""Models of parallelism and table output, shared by factorial.py, startup.py and pi_digits.py."""

import time
from concurrent import futures

import xichan

# Maps a name to a function that creates an executor with a number of workers.
MODELS = {
    "threads": futures.ThreadPoolExecutor,
    "processes": futures.ProcessPoolExecutor,
    "stdlib interpreters": futures.InterpreterPoolExecutor,
    "xichan": xichan.InterpreterPoolExecutor,
}


def run(model, workers, function, arguments):
    """Call a function with each argument. Return (results, seconds), including the start of the workers."""
    start = time.perf_counter()
    if model == "sequential":
        results = list(map(function, arguments))
    else:
        with MODELS[model](workers) as pool:
            results = list(pool.map(function, arguments))
    return results, time.perf_counter() - start


def table(title, header, rows):
    """Print rows with the first column left-aligned and the others right-aligned."""
    rows = [list(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    print(f"\n{title}\n")
    for row in (header, ["-" * width for width in widths], *rows):
        print(row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]), sep="  ")
