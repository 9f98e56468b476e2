"""A pipeline of interpreters on the standard library's source: read, parse, reduce.

    paths -- path -->  read  -- (path, bytes) -->  parse  -- (path, counts) -->  reduce  -- the sum -->

Each stage is worker interpreters of its own, each arrow one bounded channel: a slow stage holds up those before it. The
end of the paths goes through as the closing of each channel.

    python pipeline.py [--parsers N] [--small]

Needs CPython 3.14.
"""

import argparse
import ast
import collections
import os
import sysconfig
import time
import warnings
from pathlib import Path

import models

import xichan

CAPACITY = 8


def read(paths, texts):
    with paths, texts:
        number = 0
        for path in paths:
            texts.send((path, Path(path).read_bytes()))
            number += 1
    return number


def parse(texts, counts):
    """Count the kinds of nodes in each file's tree."""
    warnings.simplefilter("ignore", SyntaxWarning)
    with texts, counts:
        number = 0
        for path, text in texts:
            try:
                kinds = collections.Counter(type(node).__name__ for node in ast.walk(ast.parse(text)))
            except (SyntaxError, ValueError):
                kinds = {}
            counts.send((path, tuple(kinds.items())))
            number += 1
    return number


def reduce(counts):
    with counts:
        total = collections.Counter()
        files = 0
        for _, kinds in counts:
            total.update(dict(kinds))
            files += 1
    return files, tuple(total.most_common())


def run(paths, parsers):
    paths_tx, paths_rx = xichan.channel(CAPACITY)
    texts_tx, texts_rx = xichan.channel(CAPACITY)
    counts_tx, counts_rx = xichan.channel(CAPACITY)
    with xichan.InterpreterPoolExecutor(parsers + 2) as pool:
        with paths_rx, texts_tx, texts_rx, counts_tx, counts_rx:  # ours; each task gets its own
            reading = pool.submit(read, paths_rx, texts_tx)
            parsing = [pool.submit(parse, texts_rx, counts_tx) for _ in range(parsers)]
            reducing = pool.submit(reduce, counts_rx)
        with paths_tx:
            for path in paths:
                paths_tx.send(path)
        files, kinds = reducing.result()
        parsed = sum(each.result() for each in parsing)
        return [("read", 1, reading.result()), ("parse", parsers, parsed), ("reduce", 1, files)], kinds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parsers", type=int, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--small", action="store_true", help="30 files")
    options = parser.parse_args()
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [str(path) for path in sorted(folder.glob("*.py"))][: 30 if options.small else None]
    start = time.perf_counter()
    stages, kinds = run(paths, options.parsers)
    seconds = time.perf_counter() - start
    models.table(f"{len(paths)} files in {seconds:.2f} s", ("stage", "interpreters", "files"), stages)
    models.table("what they are made of", ("kind of node", "number"), kinds[:10])


if __name__ == "__main__":
    main()
