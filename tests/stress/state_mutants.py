#!/usr/bin/env python3
"""Check the checker of histories: break src/state in one place at a time, and see whether state_histories.py notices.

    ./state_mutants.py PYTHON [--only TEXT]... [--seconds N] [--folder FOLDER]

PYTHON is an interpreter for which the extension is built, such as build/venv-3.14/bin/python. A copy of the sources is
built once, then again with each mutant in it. The program of that mutant's kind of history runs for up to N seconds
(60), and must fail. The exit code is 0 if all are caught. Each takes a build of a few files, and mostly seconds to be
caught.
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


class Mutant(NamedTuple):
    name: str
    kind: str  # of history, which shows it
    file: str
    before: str  # which occurs once
    after: str


MUTANTS = [
    Mutant("AtomicInt.add stores what it computed", "AtomicInt", "src/state/atomic_int.h",
           "while (!value_.compare_exchange_weak(value, sum, memory_order_seq_cst, memory_order_relaxed));",
           "while (value_.store(sum, memory_order_seq_cst), false);"),
    Mutant("AtomicInt.compare_exchange compares first, then stores", "AtomicInt", "src/state/atomic_int.h",
           "return value_.compare_exchange_strong(expected, value, memory_order_seq_cst, memory_order_seq_cst);",
           "return value_.load(memory_order_seq_cst) == expected &&\n"
           "  (value_.store(value, memory_order_seq_cst), true);"),
    Mutant("Cell.set keeps the version", "Cell", "src/state/versioned_cell.cpp",
           "fresh->version = seen->version + 1;", "fresh->version = seen->version;"),
    Mutant("Cell.compare_and_set does not compare", "Cell", "src/state/versioned_cell.cpp",
           "if (seen->version == version) {", "{"),
    Mutant("Cell.swap returns the new value", "Cell", "src/state/versioned_cell.cpp",
           "previous = seen->cell;", "previous = fresh->cell;"),
    Mutant("Cell.wait is not woken", "wakes", "src/state/versioned_cell.cpp",
           "    changed();\n    return;", "    return;"),
    Mutant("a reader of a Map stops at a removed entry", "Map", "src/state/map_shard.cpp",
           "if (seen.marks() == tombstone) continue;", ""),
    Mutant("a reader of a Map trusts a table that is being emptied", "growing Map", "src/state/map_shard.cpp",
           "if (era_.load(memory_order_relaxed) == era) return nullptr;", "return nullptr;"),
    Mutant("a new table of a Map is published before it is filled", "growing Map", "src/state/map_shard.cpp",
           "  const std::uint64_t slots = old == nullptr ? 0 : old->mask + 1;\n  for (",
           "  const std::uint64_t slots = old == nullptr ? 0 : old->mask + 1;\n"
           "  table_.store(&fresh, memory_order_release);\n  for ("),
    Mutant("writers of a Map do not lock while a table is replaced", "growing Map", "src/state/map.cpp",
           "    std::lock_guard guard(shard.lock());\n    const Status status = shard.reserve();",
           "    Mutex own;\n    std::lock_guard guard(own);\n    const Status status = shard.reserve();"),
    Mutant("a table of a Map loses the last entry", "growing Map", "src/state/map_shard.cpp",
           "for (std::uint64_t i = 0; i < slots; ++i) {\n    MapEntry* const entry = old",
           "for (std::uint64_t i = 0; i + 1 < slots; ++i) {\n    MapEntry* const entry = old"),
    Mutant("Map.add does not look whether the entry has changed", "Map", "src/state/map.cpp",
           "fresh, [=](MapEntry* found) noexcept { return found == seen; }, done);\n        if",
           "fresh, [=](MapEntry*) noexcept { return true; }, done);\n        if"),
    Mutant("Map.setdefault replaces", "Map", "src/state/map.cpp",
           "        return found == nullptr;", "        return true;"),
    Mutant("Map.clear is not one step", "whole Map", "src/state/map.cpp",
           "  generation_.fetch_add(1, memory_order_acq_rel);  // (40)", ""),
    Mutant("Map.snapshot locks one shard after the other", "whole Map", "src/state/map.cpp",
           "  const AllLocks locks(*this);\n  const std::int64_t time = now();  // one for all entries",
           "  const std::int64_t time = now();  // one for all entries"),
    Mutant("popitem looks at one shard after the other", "whole Map", "src/state/map.cpp",
           "  if (found != nullptr) return found;\n", "  return found;\n"),
    Mutant("an entry lives longer than its ttl", "expiring Map", "src/state/map_entry.h",
           "return expires <= now;", "return expires <= now - 1'000'000;"),
    Mutant("an entry expires early", "expiring Map", "src/state/map.cpp",
           "return Deadline::after(ttl).nanoseconds();", "return Deadline::after(ttl - ttl / 4).nanoseconds();"),
    Mutant("Map.add begins a new ttl", "expiring Map", "src/state/map.cpp",
           "seen == nullptr ? expiry(entry.ttl) : seen->expires", "expiry(entry.ttl)"),
    Mutant("an entry that was just stored is evicted", "bounded Map", "src/state/map.cpp",
           "if (entry == nullptr || entry == spared) continue;", "if (entry == nullptr) continue;"),
    Mutant("a Map exceeds max_items", "bounded Map", "src/state/map.cpp",
           "while (shard.live() > options_.max_items ||", "while (shard.live() > options_.max_items + 1 ||"),
    Mutant("a lock lets two in", "Lock", "src/state/lock.cpp",
           "if (word_.compare_exchange_weak(word, next, memory_order_seq_cst, memory_order_seq_cst)) break;",
           "word_.store(next, memory_order_seq_cst);\n    break;"),
    Mutant("the death of an owner is not announced", "Lock", "src/state/lock.cpp",
           "compare_exchange_weak(word, died,", "compare_exchange_weak(word, free,"),
    Mutant("a recursive lock is free after its first release", "RLock", "src/state/lock.cpp",
           "if (--XICHAN_PLAIN(depth_) == 0) release_word();", "release_word();"),
    Mutant("a semaphore subtracts what it has read", "Semaphore", "src/state/semaphore.cpp",
           "while (!value_.compare_exchange_weak(value, value - 1, memory_order_seq_cst, memory_order_seq_cst));",
           "while (value_.store(value - 1, memory_order_seq_cst), false);"),
    Mutant("a change wakes one of those that wait", "wakes", "src/state/turnstile.cpp",
           "        again = wakes.is_full();", "        break;"),
    Mutant("a release does not look for waiters", "Lock", "src/state/lock.cpp",
           "word, word & died, memory_order_seq_cst, memory_order_relaxed));  // (35)\n  changed();",
           "word, word & died, memory_order_seq_cst, memory_order_relaxed));  // (35)"),
    Mutant("Event.clear clears what was counted", "Event", "src/state/event.h",
           "bool is_set() const noexcept { return word_.load(memory_order_seq_cst) & flag; }",
           "bool is_set() const noexcept { return word_.load(memory_order_seq_cst) / once; }"),
    Mutant("a notification is not noted", "Condition", "src/state/condition.cpp",
           "for (; count != 0 && records_.first() != nullptr; --count) end(*records_.first(), Outcome::passed);\n  }\n"
           "  changed();",
           "for (; count > 1 && records_.first() != nullptr; --count) end(*records_.first(), Outcome::passed);\n  }\n"),
    Mutant("a barrier lets its last but one pass", "Barrier", "src/state/barrier.cpp",
           "if (arrived_ < parties_) {", "if (arrived_ + 1 < parties_) {"),
    Mutant("a new subscription skips a message", "broadcast, block", "src/state/broadcast.cpp",
           "position_.next.store(channel.tail_.load(memory_order_relaxed), memory_order_relaxed);",
           "position_.next.store(channel.tail_.load(memory_order_relaxed) + 1, memory_order_relaxed);"),
    Mutant("a new subscription does not count", "broadcast, block", "src/state/broadcast.cpp",
           "message->left.store(subscribers_, memory_order_relaxed);",
           "message->left.store(std::max<std::uint64_t>(1, subscribers_ - 1), memory_order_relaxed);"),
    Mutant("a lagging subscription goes on one message late", "broadcast, drop_oldest", "src/state/broadcast.cpp",
           "out = std::max(oldest, tail - std::min(tail, channel_.capacity_));",
           "out = std::max(oldest, tail - std::min(tail, channel_.capacity_)) + 1;"),
    Mutant("a message goes to two handles of a subscription", "broadcast with one", "src/state/broadcast.cpp",
           "position_.next.compare_exchange_strong(number, number + 1, memory_order_acq_rel, memory_order_relaxed);",
           "(position_.next.store(number + 1, memory_order_release), true);"),
]  # fmt: skip


def run(command, **options):
    done = subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command}\n{done.stdout}\n{done.stderr}")


class Copy:
    """A copy of the sources, its build, and the package that is installed from it."""

    def __init__(self, folder, python):
        folder = folder.resolve()
        self.source, self.build, self.site = folder, folder / "build" / "mutants", folder / "build" / "site"
        self.python = python
        self.source.mkdir(parents=True, exist_ok=True)
        for name in ("CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "pyproject.toml"):
            shutil.copy2(ROOT / name, self.source / name)
        for name in ("bench", "cmake", "include", "python_bindings", "src"):
            shutil.copytree(ROOT / name, self.source / name, dirs_exist_ok=True)
        settings = {"XICHAN_PYTHON": "ON", "XICHAN_TESTS": "OFF", "XICHAN_BENCH": "OFF", "Python_EXECUTABLE": python}
        options = [f"-D{key}={value}" for key, value in settings.items()]
        run(["cmake", "-S", self.source, "--preset", "release", "-B", self.build, *options], cwd=self.source)
        self.install()

    def install(self):
        run(["cmake", "--build", self.build, "--parallel", "2"])
        run(["cmake", "--install", self.build, "--component", "python", "--prefix", self.site])

    def histories(self, mutant, seconds):
        """Run the program. Return whether it failed, and after how many seconds."""
        # The package of the copy comes before the one that is installed for this Python.
        environment = {**os.environ, "PYTHONPATH": os.fspath(self.site)}
        command = [self.python, HISTORIES, "--only", mutant.kind, "--seconds", str(seconds)]
        start = time.monotonic()
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 120)
        except subprocess.TimeoutExpired:
            return True, time.monotonic() - start, "no end"
        lines = [line for line in done.stderr.splitlines() if line and not line.startswith(" ")]
        text = next((line for line in lines if "Error" in line or "Linearizable" in line), lines[-1] if lines else "")
        return done.returncode != 0, time.monotonic() - start, text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", type=lambda text: os.path.abspath(text))
    parser.add_argument("--only", action="append", help="mutants whose name contains this; may be repeated")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="for the copy, which is kept there")
    options = parser.parse_args()
    mutants = [m for m in MUTANTS if options.only is None or any(text in m.name for text in options.only)]
    missed = []
    with tempfile.TemporaryDirectory(prefix="xichan-state-mutants-") as temporary:
        copy = Copy(options.folder or Path(temporary), options.python)
        for mutant in mutants:
            path = copy.source / mutant.file
            text = (ROOT / mutant.file).read_text()
            assert text.count(mutant.before) == 1, f"{mutant.file} has no longer once: {mutant.before}"
            path.write_text(text.replace(mutant.before, mutant.after))
            copy.install()
            caught, seconds, message = copy.histories(mutant, options.seconds)
            path.write_text(text)
            print(f"{'caught' if caught else 'MISSED'} in {seconds:5.1f} s: {mutant.name}", flush=True)
            print(f"    {mutant.kind}: {message:.150}", flush=True)
            if not caught:
                missed.append(mutant.name)
    print(f"{len(mutants)} mutants: {len(mutants) - len(missed)} caught, {len(missed)} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
