#!/usr/bin/env python3
"""Check the checker of histories: break src/state in one place at a time, and see whether state_histories.py notices.

    ./state_mutants.py PYTHON [--only TEXT]... [--seconds N] [--folder FOLDER]

PYTHON is an interpreter for which the extension is built, such as build/venv-3.14/bin/python. A copy of the sources
with all mutants in it is built once; the environment chooses one at run time, as in tests/model/mutate.py. The program
of that mutant's kind of history runs for up to N seconds (60), and must fail; without a mutant it must not. The exit
code is 0 if all are caught.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
HISTORIES = ROOT / "tests" / "stress" / "python" / "state_histories.py"
sys.path.insert(0, os.fspath(ROOT / "tests" / "model"))
import mutants as model_mutants  # noqa: E402
from mutate import CHOICE  # noqa: E402

UNSHARED = "[]() -> Mutex& { static thread_local Mutex own; return own; }()"


class Mutant(NamedTuple):
    name: str
    kind: str  # of history, which shows it
    file: str  # in src/state
    context: str  # that occurs in it once
    before: str  # an expression in the context, or behind it
    after: str


MUTANTS = [
    Mutant("AtomicInt.add stores what it computed", "AtomicInt", "atomic_int.h",
           "while (!value_", "!value_.compare_exchange_weak(value, sum, memory_order_seq_cst, memory_order_relaxed)",
           "value_.store(sum, memory_order_seq_cst), false"),
    Mutant("AtomicInt.compare_exchange compares, then stores", "AtomicInt", "atomic_int.h",
           "return value_.compare", "value_.compare_exchange_strong(expected, value, memory_order_seq_cst, "
           "memory_order_seq_cst)",
           "value_.load(memory_order_seq_cst) == expected && (value_.store(value, memory_order_seq_cst), true)"),
    Mutant("Cell.set keeps the version", "Cell", "versioned_cell.cpp",
           "fresh->version = seen", "seen->version + 1", "seen->version"),
    Mutant("Cell.compare_and_set does not compare", "Cell", "versioned_cell.cpp",
           "if (seen->version", "seen->version == version", "true"),
    Mutant("a change of a Cell wakes no call", "wakes", "versioned_cell.cpp", "changed();", "changed()", ""),
    Mutant("a reader of a Map stops at a removed entry", "Map", "map_shard.cpp",
           "if (seen.marks() == tombstone)", "seen.marks() == tombstone", "false"),
    Mutant("a reader trusts a table that is being emptied", "changing Map", "map_shard.cpp",
           "if (era_.load", "era_.load(memory_order_relaxed) == era", "true"),
    Mutant("a new table is published before it is filled", "changing Map", "map_shard.cpp",
           "= old == nullptr", "old == nullptr ? 0 : old->mask + 1",
           "table_.store(&fresh, memory_order_release), old == nullptr ? 0 : old->mask + 1"),
    Mutant("a writer does not lock a shard that another one replaces", "growing Map", "map.cpp",
           "guard(shard.lock());\n    const Status status = shard.reserve()", "shard.lock()", UNSHARED),
    Mutant("a new table lacks the last entry", "growing Map", "map_shard.cpp",
           "i < slots; ++i) {\n    MapEntry", "i < slots", "i + 1 < slots"),
    Mutant("Map.add does not look whether the entry has changed", "sums", "map.cpp",
           "return found == seen; }, done);\n        if", "found == seen", "found == found"),
    Mutant("Map.setdefault replaces", "Map", "map.cpp", "return found == nullptr;", "found == nullptr", "true"),
    Mutant("Map.clear is not one step", "clearing Map", "map.cpp",
           "generation_.fetch_add", "generation_.fetch_add(1, memory_order_acq_rel)", "0"),
    Mutant("popitem looks at one shard after the other", "moving Map", "map.cpp",
           "if (found != nullptr) return found", "found != nullptr", "true"),
    Mutant("an entry lives longer than its ttl", "expiring Map", "map_entry.h",
           "return expires <= now", "expires <= now", "expires <= now - 1'000'000"),
    Mutant("an entry expires early", "expiring Map", "map.cpp",
           "Deadline::after(ttl)", "Deadline::after(ttl)", "Deadline::after(ttl - ttl / 4)"),
    Mutant("Map.add begins a new ttl", "expiring Map", "map.cpp", "seen == nullptr ? expiry",
           "seen == nullptr ? expiry(entry.ttl) : seen->expires", "expiry(entry.ttl)"),
    Mutant("the entry that was just stored is evicted", "bounded Map", "map.cpp",
           "|| entry == spared", "entry == spared", "false"),
    Mutant("a Map exceeds max_items", "bounded Map", "map.cpp",
           "while (shard.live()", "shard.live() > options_.max_items", "shard.live() > options_.max_items + 1"),
    Mutant("a lock lets two in", "sums", "lock.cpp", "if (word_.compare",
           "word_.compare_exchange_weak(word, next, memory_order_seq_cst, memory_order_seq_cst)",
           "word_.store(next, memory_order_seq_cst), true"),
    Mutant("the death of an owner is not announced", "Lock", "lock.cpp",
           "compare_exchange_weak(word, died,", "died", "free"),
    Mutant("a recursive lock is free after its first release", "RLock", "lock.cpp",
           "if (--XICHAN_PLAIN(depth_)", "--XICHAN_PLAIN(depth_) == 0", "--XICHAN_PLAIN(depth_), true"),
    Mutant("a release does not look for waiters", "Lock", "lock.cpp",
           "word & died, memory_order_seq_cst, memory_order_relaxed));  // (35)\n", "changed()", ""),
    Mutant("a semaphore subtracts from what it has read", "Semaphore", "semaphore.cpp",
           "while (!value_.compare_exchange_weak(value, value - 1",
           "!value_.compare_exchange_weak(value, value - 1, memory_order_seq_cst, memory_order_seq_cst)",
           "value_.store(value - 1, memory_order_seq_cst), false"),
    Mutant("a change wakes one of those that wait", "wakes", "turnstile.cpp",
           "again = wakes", "wakes.is_full()", "next = nullptr, wakes.is_full()"),
    Mutant("an event that was set once is set", "Event", "event.h", "bool is_set()",
           "word_.load(memory_order_seq_cst) & flag", "word_.load(memory_order_seq_cst)"),
    Mutant("notify_all notifies one", "wakes", "condition.cpp", "--count)", "--count", "count = 0"),
    Mutant("a barrier lets its last but one pass", "Barrier", "barrier.cpp",
           "if (arrived_ < parties_)", "arrived_ < parties_", "arrived_ + 1 < parties_"),
    Mutant("a new subscription skips a message", "broadcast, block", "broadcast.cpp",
           "position_.next.store(channel", "channel.tail_.load(memory_order_relaxed)",
           "channel.tail_.load(memory_order_relaxed) + 1"),
    Mutant("a broadcast holds one message more than its capacity", "broadcast, block", "broadcast.cpp",
           "while (position != nullptr", "position->next.load(memory_order_relaxed) + capacity_ > number",
           "position->next.load(memory_order_relaxed) + capacity_ + 1 > number"),
    Mutant("a subscription that lags goes on one message late", "broadcast, drop_oldest", "broadcast.cpp",
           "out = std::max", "std::max(oldest, tail - std::min(tail, channel_.capacity_))",
           "std::max(oldest, tail - std::min(tail, channel_.capacity_)) + 1"),
    Mutant("a message goes to two handles of a subscription", "broadcast with one", "broadcast.cpp",
           "const bool taken =",
           "position_.next.compare_exchange_strong(number, number + 1, memory_order_acq_rel, memory_order_relaxed)",
           "position_.next.store(number + 1, memory_order_release), true"),
]  # fmt: skip


def run(command, **options):
    done = subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stdout}\n{done.stderr}")


def mutated(text, numbered):
    """A file with its mutants in it."""
    found = []
    for key, mutant in numbered:
        assert text.count(mutant.context) == 1, f"{mutant.file} does not have this once: {mutant.context}"
        start = text.index(mutant.before, text.index(mutant.context))
        end = start + len(mutant.before)
        found.append(model_mutants.Mutant(key, mutant.file, start, end, 0, "", mutant.before, mutant.after, ""))
    return '#include "base/mutant.h"\n' + model_mutants.mutated(text, found)


def build(folder, python):
    """Build a copy of the sources with all mutants in it. Return the folder of the package."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder / name)
    for name in ("bench", "cmake", "include", "python_bindings", "src"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    (folder / "src/base/mutant.h").write_text(CHOICE)
    for file in {mutant.file for mutant in MUTANTS}:
        numbered = [(key, mutant) for key, mutant in enumerate(MUTANTS, start=1) if mutant.file == file]
        path = folder / "src/state" / file
        path.write_text(mutated(path.read_text(), numbered))
    made, site = folder / "build" / "mutants", folder / "build" / "site"
    settings = {"XICHAN_PYTHON": "ON", "XICHAN_TESTS": "OFF", "XICHAN_BENCH": "OFF", "Python_EXECUTABLE": python}
    options = [f"-D{key}={value}" for key, value in settings.items()]
    run(["cmake", "-S", folder, "--preset", "release", "-B", made, *options], cwd=folder)
    run(["cmake", "--build", made, "--parallel", "2"])
    run(["cmake", "--install", made, "--component", "python", "--prefix", site])
    return site


def histories(python, site, key, kind, seconds):
    """Run the program with one mutant. Return whether it failed, after how many seconds, and its message."""
    # This package comes before the one that is installed for this Python.
    environment = {**os.environ, "PYTHONPATH": os.fspath(site), "XICHAN_MUTANT": str(key)}
    command = [python, HISTORIES, "--only", kind, "--seconds", str(seconds)]
    start = time.monotonic()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 120)
    except subprocess.TimeoutExpired:
        return True, time.monotonic() - start, "no end"
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith(" ")]
    error = next((line for line in lines if "Error" in line or "NotLinearizable" in line), lines[0] if lines else "")
    return done.returncode != 0, time.monotonic() - start, error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", type=os.path.abspath)
    parser.add_argument("--only", action="append", help="mutants whose name contains this; may be repeated")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="for the copy, which is kept there")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(prefix="xichan-state-mutants-") as temporary:
        site = build(options.folder or Path(temporary), options.python)
        failed, _, error = histories(options.python, site, 0, "", 10)
        assert not failed, f"fails without a mutant: {error}"
        tried = 0
        for key, mutant in enumerate(MUTANTS, start=1):
            if options.only and not any(text in mutant.name for text in options.only):
                continue
            tried += 1
            caught, seconds, error = histories(options.python, site, key, mutant.kind, options.seconds)
            print(f"{'caught' if caught else 'MISSED'} in {seconds:5.1f} s: {mutant.name}", flush=True)
            print(f"    {mutant.kind}: {error:.150}", flush=True)
            if not caught:
                missed.append(mutant.name)
    print(f"{tried} mutants: {tried - len(missed)} caught, {len(missed)} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
