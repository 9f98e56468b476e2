"""Index Python's own standard library, with one worker interpreter per CPU.

    main interpreter                                 worker interpreters

    a thread reads the files   -- (path, text) -->   tokenize, count the identifiers
    the main thread merges     <-- (path, lines, ((name, count), ...)), or (path, reason)

Each arrow is one bounded channel, shared by all workers. Afterwards the main interpreter does the same work alone, in
a plain loop without channels, and the two results have to be equal.

Needs CPython 3.14. Exit code: 0; 1 if the results differ or a worker failed; 130 after Ctrl-C.
"""

import argparse
import contextlib
import dataclasses
import os
import sys
import sysconfig
import time
from collections import Counter
from concurrent import interpreters
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import identifiers

import xichan

CAPACITY = 16  # messages that a channel holds: bounds how far the reader runs ahead of the workers


@dataclasses.dataclass
class Index:
    """The answers for all files, merged."""

    lines: dict = dataclasses.field(default_factory=dict)  # path: lines
    names: Counter = dataclasses.field(default_factory=Counter)
    skipped: dict = dataclasses.field(default_factory=dict)  # path: reason

    def add(self, answer):
        match answer:
            case path, lines, names:
                self.lines[path] = lines
                self.names.update(dict(names))
            case path, reason:
                self.skipped[path] = reason


def index_with_workers(root, paths, workers, progress):
    """Index in `workers` interpreters. Returns the index and how many messages were sent."""
    texts_tx, texts_rx = xichan.channel(CAPACITY)
    answers_tx, answers_rx = xichan.channel(CAPACITY)
    index = Index()
    # Both are left in any case, Ctrl-C too, the last first: with the only Receiver closed nobody can send answers any
    # more, so every thread comes to its end, and the pool waits for that.
    with ThreadPoolExecutor(workers + 1) as pool, answers_rx:
        with texts_tx, texts_rx, answers_tx:  # closes our own copies: were they left open, no loop would ever end
            reader = pool.submit(send_texts, root, paths, texts_tx.clone(), answers_tx.clone())
            jobs = [pool.submit(run_worker, texts_rx.clone(), answers_tx.clone()) for _ in range(workers)]
        for answer in progress.over(answers_rx, len(paths)):
            index.add(answer)
    for job in jobs:
        job.result()  # raises what went wrong in a worker
    return index, reader.result() + len(index.lines) + len(index.skipped)


def send_texts(root, paths, texts, answers):
    """A thread of the main interpreter: read and send all files. Returns how many texts were sent."""
    sent = 0
    with texts, answers, contextlib.suppress(xichan.ChannelClosed):  # closed: no worker is left
        for path in paths:
            try:
                text = identifiers.read(root, path)
            except identifiers.UNREADABLE as error:
                answers.send((path, identifiers.describe(error)))
            else:
                texts.send((path, text))
                sent += 1
    return sent


def run_worker(texts, answers):
    """A thread of the main interpreter: lend it to a new interpreter, which gets its own copies of the two ends.

    The main thread does not do this itself, because Ctrl-C would have to wait until the call returns.
    """
    with texts, answers:
        interpreter = interpreters.create()
        try:
            folder = os.path.dirname(os.path.abspath(identifiers.__file__))
            interpreter.exec(f"import sys; sys.path.insert(0, {folder!r}); import identifiers")
            interpreter.call(identifiers.work, texts, answers)
        finally:
            interpreter.close()


def index_alone(root, paths, progress):
    """Index in this interpreter, one file after the other."""
    index = Index()
    for path in progress.over(paths, len(paths)):
        try:
            text = identifiers.read(root, path)
        except identifiers.UNREADABLE as error:
            index.add((path, identifiers.describe(error)))
        else:
            index.add(identifiers.examine(path, text))
    return index


class Progress:
    """A bar on a terminal, elsewhere a line for every tenth of the way."""

    def __init__(self, title):
        self.title = title
        self.bar = sys.stderr.isatty()

    def over(self, items, total):
        """Hand on the items, showing how many of them are done."""
        shown = 0
        for done, item in enumerate(items, 1):
            yield item
            steps = done * (40 if self.bar else 10) // total
            if steps == shown:
                continue
            shown = steps
            if self.bar:
                end = "\n" if done == total else ""
                print(f"\r{self.title:>12} [{'#' * steps:40}] {done}/{total}", end=end, file=sys.stderr, flush=True)
            else:
                print(f"{self.title}: {steps * 10} % of {total} files", file=sys.stderr, flush=True)


def find_files(root, limit):
    """The paths of the Python files in `root`, relative to it, without installed packages; and their size in bytes."""
    found = [path for path in sorted(root.rglob("*.py")) if path.is_file()]
    paths = [path for path in found if not {"site-packages", "dist-packages"} & set(path.relative_to(root).parts)]
    paths = paths[:limit]
    return [str(path.relative_to(root)) for path in paths], sum(path.stat().st_size for path in paths)


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse_arguments():
    parser = argparse.ArgumentParser(description="Index Python source files in parallel interpreters.")
    stdlib = Path(sysconfig.get_path("stdlib"))
    cpus = os.process_cpu_count() or 1
    parser.add_argument("--workers", type=positive, default=cpus, metavar="N", help=f"interpreters (default: {cpus})")
    parser.add_argument("--root", type=Path, default=stdlib, metavar="FOLDER", help="default: the standard library")
    parser.add_argument("--limit", type=positive, metavar="N", help="index the first N files only")
    parser.add_argument("--top", type=positive, default=20, metavar="N", help="identifiers to show (default: 20)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    root, workers = arguments.root, arguments.workers
    paths, size = find_files(root, arguments.limit)
    if not paths:
        sys.exit(f"no Python files in {root}")

    start = time.perf_counter()
    index, messages = index_with_workers(root, paths, workers, Progress(f"{workers} workers"))
    parallel = time.perf_counter() - start
    start = time.perf_counter()
    expected = index_alone(root, paths, Progress("alone"))
    alone = time.perf_counter() - start

    def rates(seconds):
        return f"{seconds:6.2f} s, {len(paths) / seconds:6.0f} files/s, {size / 1e6 / seconds:6.2f} MB/s"

    sys.stdout.reconfigure(errors="backslashreplace")  # names and paths may have letters that a terminal lacks
    lines = sum(index.lines.values())
    print(f"\n{root}: {len(paths)} files, {size / 1e6:.1f} MB, {lines:,} lines, {len(index.names):,} identifiers\n")
    for name, count in sorted(index.names.items(), key=lambda item: (-item[1], item[0]))[: arguments.top]:
        print(f"{count:9,}  {name}")
    print(f"\nworkers {rates(parallel)}, {messages:,} messages ({workers} interpreters, starting them included)")
    print(f"alone   {rates(alone)} (one interpreter, a plain loop)")
    same = index == expected
    print(f"speed-up {alone / parallel:.2f}; the results {'are equal' if same else 'DIFFER'}")
    print(f"{len(index.skipped)} files skipped")
    for path, reason in sorted(index.skipped.items()):
        print(f"  {path}: {reason}")
    return 0 if same else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except interpreters.ExecutionFailed as error:
        sys.exit(f"a worker failed: {error}")
