#!/usr/bin/env python3
"""Check the models: break the real code in one place at a time, and see which model notices.

    ./mutate.py [--only TEXT]... [--jobs N] [--schedules N] [--list]

A mutant weakens one memory order, leaves out one call that wakes a thread or passes memory on, or changes one
expression that these depend on (mutants.py). All are built at once into a copy of src/, each behind a number that the
environment chooses at run time, so that the models are compiled once. Every mutant is then shown to the models of its
file, first for a few schedules of each, then for all of them, until one fails. The last lines are a table: killed, or
survived, by file. The exit code is 0 if the survivors are just those that survivors.py gives a reason for.

Needs relacy and a C++ compiler (CXX, else g++). With `--schedules 10000` some half an hour of processor time; without,
survivors take minutes each.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mutants import all_mutants, mutated
from survivors import reason_for

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = [
    *"-std=c++20 -O1 -fpermissive -w -DXICHAN_RELACY".split(),
    *"-fno-sized-deallocation -fno-aligned-new -fno-lifetime-dse".split(),
]
EARLY = 1_000, 10_000  # schedules, which kill most mutants, before all that a model has
SLOW = 600  # seconds after which a model that should be through has no end

CHANNEL = [
    "channel_model",
    "batch_model",
    "rendezvous_model",
    "select_model",
    "flavors_model",
    "bytes_model",
    "closing_model",
]
# The models that a file's mutants are shown to.
MODELS = {
    "src/ring/mpmc.h": ["ring_model", "batch_model", "channel_model", "select_model"],
    "src/ring/segmented.h": ["segmented_model", "flavors_model", "closing_model"],
    "src/sync/wake.h": CHANNEL,
    "src/sync/event_descriptor.h": ["channel_model"],
    "src/sync/return_gate.cpp": ["gate_model"],
    "src/endpoint/readiness.cpp": ["channel_model"],
    "src/sync/wait_list.h": CHANNEL,
    "src/sync/wait_list.cpp": CHANNEL,
    "src/sync/decision.h": CHANNEL,
    "src/sync/thread_waiter.cpp": CHANNEL,
    "src/channel/byte_bound.h": ["bytes_model", "select_model", "closing_model"],
    "src/channel/bounded_send.cpp": ["bytes_model", "select_model"],
    "src/channel/lines.cpp": ["channel_model", "batch_model"],
    "src/channel/channel.h": CHANNEL,
    "src/channel/channel.cpp": CHANNEL,
    "src/channel/failure.h": ["closing_model"],
    "src/channel/overflow.cpp": ["closing_model"],
    "src/channel/wait_closed.cpp": ["closing_model"],
    "src/channel/rendezvous.cpp": CHANNEL,
    "src/channel/select.cpp": CHANNEL,
    "src/channel/task_count.h": ["task_count_model"],
    "src/sync/idle_watch.h": ["idle_watch_model"],
    "src/page/sequenced.h": ["sequenced_model"],
    "src/page/slot_set.h": ["sequenced_model"],
    "src/page/slot_owner.h": ["slot_owner_model"],
    "src/api/async.cpp": ["async_model"],
    "src/directory/registry.cpp": ["registry_model"],
    "src/state/snapshot.h": ["snapshot_model", "map_model", "broadcast_model"],
    "src/state/map_shard.cpp": ["map_model"],
    "src/state/broadcast.h": ["broadcast_model"],
    "src/state/broadcast.cpp": ["broadcast_model"],
    "src/state/atomic_int.h": ["atomic_int_model"],
    "src/state/object.cpp": ["state_model"],
    "src/state/turnstile.h": ["state_model"],
    "src/state/turnstile.cpp": ["state_model"],
    "src/state/lock.h": ["state_model"],
    "src/state/lock.cpp": ["state_model"],
    "src/state/semaphore.h": ["state_model"],
    "src/state/semaphore.cpp": ["state_model"],
    "src/state/event.h": ["state_model"],
    "src/state/versioned_cell.cpp": ["state_model"],
    "src/state/wait_record.h": ["state_model"],
    "src/state/barrier.cpp": ["state_model"],
    "src/state/condition.cpp": ["state_model"],
    "src/arena/arena.h": ["arena_model"],
    "src/arena/lender.cpp": ["lender_model"],
    "src/arena/slots.h": ["slots_model"],
    "src/arena/slab.h": ["slab_model"],
    "src/arena/granule_set.h": ["slab_model"],
    "src/arena/accounts.cpp": ["thread_cache_model"],
    "src/arena/thread_cache.h": ["thread_cache_model"],
    "src/arena/thread_cache.cpp": ["thread_cache_model"],
    "src/arena/cache_quota.h": ["thread_cache_model"],
    "src/arena/cache_quota.cpp": ["thread_cache_model"],
    "src/arena/budget.h": ["thread_cache_model"],
    "src/arena/budget.cpp": ["thread_cache_model"],
}

# What chooses the mutant; 0 is none.
CHOICE = """
#pragma once
#include <cstdlib>
inline const int xichan_mutant = std::getenv("XICHAN_MUTANT") ? std::atoi(std::getenv("XICHAN_MUTANT")) : 0;
"""


def build(folder, mutants, jobs):
    """Build the models that are needed over a copy of the sources with all mutants in it."""
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "mutant.h").write_text(CHOICE)
    for file in {mutant.file for mutant in mutants}:
        target = folder / file
        target.write_text(mutated(target.read_text(), [mutant for mutant in mutants if mutant.file == file]))
    flags = [*FLAGS, "-include", folder / "mutant.h", f"-I{HERE / 'shim'}", f"-I{folder / 'src'}", f"-I{ROOT}/include"]

    def compile_model(model):
        compiler = os.environ.get("CXX", "g++")
        subprocess.run([compiler, *flags, HERE / f"{model}.cpp", "-o", folder / model], check=True)

    needed = dict.fromkeys(model for mutant in mutants for model in MODELS[mutant.file])
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(compile_model, needed))


def names_in(model):
    """The models of a program, and whether they are searched fully."""
    entries = re.findall(r'\{"(\w+)", (full|random)_search<', (HERE / f"{model}.cpp").read_text())
    return [(name, kind == "full") for name, kind in entries]


def check_without_mutant(folder, mutants):
    """Exit if a model fails although no mutant is chosen: it would seem to kill them all."""
    for model in dict.fromkeys(model for mutant in mutants for model in MODELS[mutant.file]):
        done = subprocess.run([folder / model, "all", str(EARLY[0])], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{model} fails without a mutant:\n{done.stdout}")


def killer_of(mutant, folder, schedules):
    """The model that fails with this mutant, or None."""
    searches = [(model, name, full) for model in MODELS[mutant.file] for name, full in names_in(model)]
    environment = {"XICHAN_STRESS": "1", **os.environ}  # all that a model has, not its short form
    early = [
        (model, name, count)
        for count in EARLY
        for model, name, full in searches
        if not full and not 0 < schedules <= count
    ]
    for model, name, count in early + [(model, name, schedules) for model, name, _ in searches]:
        command = [folder / model, name] + ([str(count)] if count else [])
        try:
            done = subprocess.run(
                command, env={**environment, "XICHAN_MUTANT": str(mutant.key)}, capture_output=True, timeout=SLOW
            )
        except subprocess.TimeoutExpired:
            return f"{model} {name} (no end)"
        if done.returncode != 0:
            return f"{model} {name}"
    return None


def show_table(outcomes):
    """Killed and survived, by file; `outcomes` has a killer or None for each mutant."""
    print(f"\n{'file':28} {'mutants':>8} {'killed':>8} {'survived':>8}")
    for file in MODELS:
        killers = [killer for mutant, killer in outcomes if mutant.file == file]
        if killers:
            survived = killers.count(None)
            print(f"{file:28} {len(killers):8} {len(killers) - survived:8} {survived:8}")


def is_chosen(description, parts):
    """Whether a mutant is tried: `parts` are the values of --only, or None."""
    return parts is None or any(part in description for part in parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="mutants whose description contains this; may be repeated")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--schedules", type=int, default=0, help="of each random search, in place of its own number")
    parser.add_argument("--list", action="store_true", help="only say what would be tried")
    options = parser.parse_args()
    mutants = [mutant for mutant in all_mutants(ROOT, MODELS) if is_chosen(str(mutant), options.only)]
    if options.list or not mutants:
        print(*mutants, f"{len(mutants)} mutants", sep="\n")
        return 0 if mutants else 1
    outcomes = []
    wrong = []
    with tempfile.TemporaryDirectory(prefix="xichan-mutants-") as name:
        folder = Path(name)
        build(folder, mutants, options.jobs)
        check_without_mutant(folder, mutants)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            killers = pool.map(lambda mutant: killer_of(mutant, folder, options.schedules), mutants)
            for mutant, killer in zip(mutants, killers):
                outcomes.append((mutant, killer))
                reason = reason_for(mutant)
                if bool(killer) == bool(reason):
                    wrong.append(mutant)
                print(f"{mutant}\n    {f'killed by {killer}' if killer else f'SURVIVED: {reason}'}", flush=True)
    show_table(outcomes)
    killed = sum(killer is not None for _, killer in outcomes)
    print(f"\n{len(mutants)} mutants: {killed} killed, {len(mutants) - killed} survived; {len(wrong)} not as expected")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
