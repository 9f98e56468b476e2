"""Index Python's standard library with one worker interpreter per CPU.

    main interpreter                                 worker interpreters

    a thread reads the files   -- (path, text) -->   tokenize, count the identifiers
    the main thread merges     <-- (path, lines, ((name, count), ...)), or (path, reason)

Each arrow is one bounded channel, shared by all workers. Afterwards the main interpreter repeats the work alone, in a
plain loop without channels, and the program compares the two results. Before both, it reads all files once: otherwise
the first run would wait for the disk, and the second would not.

Needs CPython 3.14. Exit code: 0; 1 if the results differ or a worker failed; 130 after Ctrl-C.
"""

import argparse
import contextlib
import dataclasses
import os
import platform
import sys
import sysconfig
import threading
import time
from collections import Counter
from concurrent import interpreters
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import identifiers

import xichan

CAPACITY = 16  # messages per channel: limits how far the reader runs ahead of the workers
LOW_SHARE = 0.8  # of the CPUs; below it, other programs used them
EFFICIENCY = 0.9  # what a CPU adds to the speed-up, as measured: the main interpreter reads and merges meanwhile


@dataclasses.dataclass
class Index:
    """The merged results for all files."""

    lines: dict = dataclasses.field(default_factory=dict)  # path: lines
    names: Counter = dataclasses.field(default_factory=Counter)
    skipped: dict = dataclasses.field(default_factory=dict)  # path: reason

    def add(self, result):
        match result:
            case path, lines, names:
                self.lines[path] = lines
                self.names.update(dict(names))
            case path, reason:
                self.skipped[path] = reason


def index_with_workers(root, paths, workers, progress):
    """Index in `workers` interpreters. Return the index, the number of messages, and when all workers had started."""
    started = []
    ready = threading.Barrier(workers + 1, action=lambda: started.append(time.perf_counter()))
    texts_tx, texts_rx = xichan.channel(CAPACITY)
    results_tx, results_rx = xichan.channel(CAPACITY)
    index = Index()
    # On every exit, including Ctrl-C, results_rx closes before the pool joins its threads. Without a Receiver, every
    # send of a result raises ChannelClosed, so all threads end and the join returns.
    with ThreadPoolExecutor(workers + 1) as pool, results_rx:
        with texts_tx, texts_rx, results_tx:  # closes the main thread's copies; while one is open, no loop ends
            reader = pool.submit(send_texts, root, paths, texts_tx.clone(), results_tx.clone(), ready)
            jobs = [pool.submit(run_worker, texts_rx.clone(), results_tx.clone(), ready) for _ in range(workers)]
        with contextlib.suppress(xichan.ChannelFailed):  # a job has failed
            for result in progress.over(results_rx, len(paths)):
                index.add(result)
    for job in jobs:
        job.result()  # raises the exception of a failed worker
    return index, reader.result() + len(index.lines) + len(index.skipped), started[0]


def send_texts(root, paths, texts, results, ready):
    """Read and send all files, in a thread of the main interpreter. Return the number of texts sent."""
    sent = 0
    # Raised if no worker is left, or one did not start.
    with texts, results, contextlib.suppress(xichan.ChannelClosed, threading.BrokenBarrierError):
        ready.wait()
        for path in paths:
            try:
                text = identifiers.read(root, path)
            except identifiers.UNREADABLE as error:
                results.send((path, identifiers.describe(error)))
            else:
                texts.send((path, text))
                sent += 1
    return sent


def run_worker(texts, results, ready):
    """Run a new interpreter in a thread of the main interpreter, and give it copies of both endpoints.

    The main thread does not do this itself, because Ctrl-C would then take effect only after the call returns.
    """
    with texts, results:
        interpreter = interpreters.create()
        try:
            folder = os.path.dirname(os.path.abspath(identifiers.__file__))
            interpreter.exec(f"import sys; sys.path.insert(0, {folder!r}); import identifiers")
            with contextlib.suppress(threading.BrokenBarrierError):  # another worker did not start
                ready.wait()
                interpreter.call(identifiers.work, texts, results)
        except BaseException:
            ready.abort()
            raise
        finally:
            interpreter.close()


def index_alone(root, paths, progress):
    """Index in this interpreter, one file after another."""
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
    """Shows a bar on a terminal, and otherwise a line for every 10 %."""

    def __init__(self, title):
        self.title = title
        self.bar = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def over(self, items, total):
        """Yield the items and show how many of them are done."""
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
    """Return the paths of the Python files below `root`, without installed packages, and their total size in bytes.

    The paths are relative to `root`.
    """
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


def conditions(workers):
    """Return a line about the machine, and the speed-up to expect of that many workers."""
    cpus, load = os.process_cpu_count() or 1, os.getloadavg()[0]
    useful = min(workers, cpus)
    expected = 1 + (useful - 1) * EFFICIENCY
    text = f"{cpus} CPU{'s'[: cpus != 1]} ({cpu_model()}), load {load:.1f}, CPython {sys.version.split()[0]}: "
    text += f"with {workers} worker{'s'[: workers != 1]} expect a speed-up of about {expected:.1f}"
    if useful < 2:
        text += ", because there is nothing to run in parallel on"
    elif load > cpus / 4:
        text += ", or less: the load shows other programs, or a build that has just ended"
    return text, expected


def processor_time(workers, of_workers, alone):
    """Return a line about the CPUs that this process got: seconds of processor time per second, with workers and alone.

    The speed-up is lower than expected if other programs took the rest.
    """
    useful = min(workers, os.process_cpu_count() or 1)
    text = f"CPUs    {of_workers:6.2f} of {useful} for the workers, {alone:.2f} of 1 alone"
    return text + (": other programs took the rest" if of_workers < LOW_SHARE * useful or alone < LOW_SHARE else "")


def cpu_model():
    """Return the model name of the CPU."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def read_once(root, paths):
    """Read the files, so that later runs find them in the file cache."""
    for path in paths:
        with contextlib.suppress(OSError):
            (root / path).read_bytes()


def main():
    arguments = parse_arguments()
    root, workers = arguments.root, arguments.workers
    paths, size = find_files(root, arguments.limit)
    if not paths:
        sys.exit(f"no Python files in {root}")
    text, expected_speedup = conditions(workers)
    print(text, flush=True)
    read_once(root, paths)

    start, used = time.perf_counter(), time.process_time()
    index, messages, ready = index_with_workers(root, paths, workers, Progress(f"{workers} workers"))
    end = time.perf_counter()
    parallel, working = end - start, end - ready
    of_workers = (time.process_time() - used) / parallel
    start, used = time.perf_counter(), time.process_time()
    expected = index_alone(root, paths, Progress("alone"))
    alone = time.perf_counter() - start
    of_alone = (time.process_time() - used) / alone

    def rates(seconds):
        return f"{seconds:6.2f} s, {len(paths) / seconds:6.0f} files/s, {size / 1e6 / seconds:6.2f} MB/s"

    sys.stdout.reconfigure(errors="backslashreplace")  # names and paths may have characters that the terminal lacks
    lines = sum(index.lines.values())
    print(f"\n{root}: {len(paths)} files, {size / 1e6:.1f} MB, {lines:,} lines, {len(index.names):,} identifiers\n")
    for name, count in sorted(index.names.items(), key=lambda item: (-item[1], item[0]))[: arguments.top]:
        print(f"{count:9,}  {name}")
    print(f"\nworkers {rates(working)}, {messages:,} messages ({workers} interpreters)")
    print(f"start   {parallel - working:6.2f} s, of these interpreters")
    print(f"alone   {rates(alone)} (one interpreter, a plain loop)")
    print(processor_time(workers, of_workers, of_alone))
    same = index == expected
    print(f"speed-up {alone / working:.2f}, {alone / parallel:.2f} including the start; expected about "
          f"{expected_speedup:.1f}; the results {'are equal' if same else 'DIFFER'}")  # fmt: skip
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
