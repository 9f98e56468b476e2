"""Time the start, one empty task and the end of threads, interpreters and processes.

    python startup.py [--number N] [--small]

Needs CPython 3.14. The last rows send the same number of empty tasks to a pool whose workers are already running.
"""

import argparse
import multiprocessing
import os
import threading
import time
from concurrent import interpreters

import models

import xichan


def empty(_=None):
    pass


def threads(number):
    each = [threading.Thread(target=empty) for _ in range(number)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()


def run_interpreters(number):
    each = [interpreters.create() for _ in range(number)]
    for interpreter in each:
        interpreter.exec("pass")
    for interpreter in each:
        interpreter.close()


def processes(number):
    context = multiprocessing.get_context("spawn")
    each = [context.Process(target=empty) for _ in range(number)]
    for process in each:
        process.start()
    for process in each:
        process.join()


def pool_of_interpreters(number):
    with xichan.InterpreterPoolExecutor(number) as pool:
        list(pool.map(empty, range(number)))


def timed(function, number):
    start = time.perf_counter()
    function(number)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=100, metavar="N")
    parser.add_argument("--small", action="store_true", help="three of each")
    options = parser.parse_args()
    number = 3 if options.small else options.number
    rows = []
    for name, function in (
        ("threads", threads),
        ("interpreters", run_interpreters),
        ("processes (spawn)", processes),
        ("a pool with one interpreter each", pool_of_interpreters),
    ):
        seconds = timed(function, number)
        rows.append((name, f"{seconds:.4f}", f"{seconds / number * 1e6:.0f}"))
    with xichan.InterpreterPoolExecutor(os.process_cpu_count()) as pool:
        list(pool.map(empty, range(number)))
        seconds = timed(lambda number: list(pool.map(empty, range(number))), number)
        rows.append(("tasks of a warm pool, map", f"{seconds:.4f}", f"{seconds / number * 1e6:.0f}"))
        seconds = timed(lambda number: [pool.submit(empty).result() for _ in range(number)], number)
        rows.append(("tasks of a warm pool, one by one", f"{seconds:.4f}", f"{seconds / number * 1e6:.0f}"))
    models.table(f"{number} of each", ("what", "seconds", "us each"), rows)


if __name__ == "__main__":
    main()
