"""Process the standard library's source in a pipeline of interpreters: read, parse, reduce.

    paths -- path -->  read  -- (path, bytes) -->  parse  -- (path, counts) -->  reduce  -- totals -->

Each stage has its own worker interpreters. Each arrow is one bounded channel, so a slow stage slows down the stages
before it. When the paths end, each stage closes its channel and so ends the next stage.

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
    """Count the syntax tree nodes of each file by type."""
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
        with paths_rx, texts_tx, texts_rx, counts_tx, counts_rx:  # this interpreter's copies; each task gets its own
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
    files = [path for path in sorted(folder.glob("*.py")) if path.is_file()]  # a link may lead nowhere
    paths = [str(path) for path in files][: 30 if options.small else None]
    start = time.perf_counter()
    stages, kinds = run(paths, options.parsers)
    seconds = time.perf_counter() - start
    models.table(f"{len(paths)} files in {seconds:.2f} s", ("stage", "interpreters", "files"), stages)
    models.table("most frequent syntax tree nodes", ("node type", "number"), kinds[:10])


if __name__ == "__main__":
    main()
