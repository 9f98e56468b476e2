#!/usr/bin/env python3
"""Check the models: break the real code in one place at a time, and see which model notices.

    ./mutate.py [--only TEXT] [--jobs N] [--schedules N] [--list]

A mutant weakens one memory order, or drops one wake-up or one condition that a wake-up hangs on. It is made in a copy
of src/; the models are built on it and run until one of them fails. The last lines are a table of the mutants: killed,
and by which model, or survived. The exit code is 0 if the survivors are just those that SURVIVORS gives a reason for.

Needs relacy and a C++ compiler (CXX, else g++); about an hour on two cores.
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

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = "-std=c++20 -O1 -fpermissive -w -fno-sized-deallocation -fno-aligned-new -DXICHAN_RELACY".split()

# The models that a file's mutants are shown to, cheapest first.
MODELS = {
    "src/ring/mpmc.h": ["ring_model", "channel_model"],
    "src/sync/wait_list.h": ["channel_model"],
    "src/sync/wait_list.cpp": ["channel_model"],
    "src/sync/thread_waiter.h": ["channel_model"],
    "src/sync/thread_waiter.cpp": ["channel_model"],
    "src/channel/channel.h": ["channel_model"],
    "src/channel/channel.cpp": ["channel_model"],
    "src/channel/rendezvous.cpp": ["channel_model"],
    "src/channel/select.cpp": ["channel_model"],
    "src/arena/arena.h": ["arena_model"],
    "src/arena/slots.h": ["slots_model"],
}

# What each order is weakened to, by the kind of access.
WEAKER = {
    "load": {"seq_cst": ["acquire", "relaxed"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release", "relaxed"], "release": ["relaxed"]},
    "rmw": {"seq_cst": ["acq_rel", "relaxed"], "acq_rel": ["acquire", "release"]},
}
ACCESS = re.compile(r"\b(load|store|exchange|fetch_\w+|compare_exchange_\w+)\(")

# Calls that are left out, one at a time.
CALLS = re.compile(
    r"\b(\w+\.notify_(?:one|all)|notify_first|serve_receivers|futex_wake|not_empty_\.demand_attention|discard_queued|"
    r"ring_\.close|list\.remove|waiter->cancel|unpin)\([^()]*\);"
)
# Conditions that are changed, each in the one file where it stands.
CONDITIONS = [
    ("src/channel/channel.h", "(ring_.can_pop() || ring_.is_closed())", "ring_.can_pop()"),
    ("src/channel/channel.h", " && (ring_.can_pop() || ring_.is_closed())", " && false"),
    ("src/channel/channel.h", " && can_send()", " && false"),
    ("src/channel/select.cpp", "status == Status::closed || (token && chosen == waiter.index())", "token"),
    ("src/channel/select.cpp", "status == Status::closed || (token && chosen == waiter.index())", "false"),
    ("src/channel/select.cpp", "c.channel->enlist(c.side, c.node) || is_end_closed(c)", "is_end_closed(c)"),
    ("src/channel/select.cpp", " || is_end_closed(c)", ""),
    ("src/channel/select.cpp", " && !exit_began(limits)", ""),
    ("src/ring/mpmc.h", "if (tail & mark_) return Status::closed;", ""),
    ("src/ring/mpmc.h", "if (again == tail) return Status::full;", "return Status::full;"),
    ("src/ring/mpmc.h", "if (again != head) {", "if (false) {"),
    ("src/ring/mpmc.h", "tail == (head | mark_) ? Status::closed", "(tail & mark_) ? Status::closed"),
]

# Mutants that no model is expected to notice, and why that is right: (file, part of the line, what it becomes).
SURVIVORS = {}


class Mutant:
    """One change to one line of one file."""

    def __init__(self, file, number, line, changed, what):
        self.file, self.number, self.line, self.changed, self.what = file, number, line, changed, what

    def __str__(self):
        return f"{self.file}:{self.number}: {self.line.strip()[:90]}  ->  {self.what}"

    def reason(self):
        for (file, part, what), reason in SURVIVORS.items():
            if file == self.file and part in self.line and what == self.what:
                return reason
        return None


def mutants_of(file):
    """All mutants of a file, in its order."""
    depth_of_constructor = re.compile(r"\bwaiting, memory_order_relaxed|count_\.store\(0")
    for number, line in enumerate((ROOT / file).read_text().splitlines(keepends=True), 1):
        code = line.partition("//")[0]
        if "fetch_add" in code and "retain" in code or depth_of_constructor.search(code):
            continue
        for order in re.finditer(r"memory_order_(\w+)", code):
            accesses = [match.group(1) for match in ACCESS.finditer(code[: order.start()])]
            if not accesses:
                continue
            kind = accesses[-1] if accesses[-1] in ("load", "store") else "rmw"
            for weaker in WEAKER[kind].get(order.group(1), []):
                changed = line[: order.start()] + "memory_order_" + weaker + line[order.end() :]
                yield Mutant(file, number, line, changed, f"{order.group(1)} to {weaker}, column {order.start() + 1}")
        for call in CALLS.finditer(code):
            if file.startswith("src/sync/wait_list.h") or "void " in code[: call.start()]:
                continue
            yield Mutant(file, number, line, line.replace(call.group(), ";"), f"without {call.group()}")
        for where, before, after in CONDITIONS:
            if where == file and before in code:
                yield Mutant(file, number, line, line.replace(before, after), f"{after.strip() or 'nothing'}")


def try_mutant(mutant, schedules):
    """The model that fails on it, or None; "(does not build)" if it cannot be built."""
    with tempfile.TemporaryDirectory(prefix="xichan-mutant-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "src", copy / "src")
        target = copy / mutant.file
        lines = target.read_text().splitlines(keepends=True)
        lines[mutant.number - 1] = mutant.changed
        target.write_text("".join(lines))
        for model in MODELS[mutant.file]:
            program = copy / model
            includes = [f"-I{HERE / 'shim'}", f"-I{copy / 'src'}", f"-I{ROOT / 'include'}"]
            command = [os.environ.get("CXX", "g++"), *FLAGS, *includes, HERE / f"{model}.cpp", "-o", program]
            if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
                return "(does not build)"
            killer = run_model(program, model, schedules)
            if killer:
                return killer
    return None


def run_model(program, model, schedules):
    """The first of a program's models that fails."""
    names = re.findall(r'^\s+\{"(\w+)", Search', (HERE / f"{model}.cpp").read_text(), re.M)
    for name in names:
        command = [program, name] + ([str(schedules)] if schedules else [])
        try:
            done = subprocess.run(command, capture_output=True, timeout=600)
        except subprocess.TimeoutExpired:
            return f"{model} {name} (no end)"
        if done.returncode != 0:
            return f"{model} {name}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="mutants whose description contains this")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--schedules", type=int, default=0, help="of each random search, in place of its own number")
    parser.add_argument("--list", action="store_true", help="only say what would be tried")
    options = parser.parse_args()
    mutants = [mutant for file in MODELS for mutant in mutants_of(file) if options.only in str(mutant)]
    if options.list:
        print(*mutants, f"{len(mutants)} mutants", sep="\n")
        return 0
    wrong = []
    counts = {"killed": 0, "survived": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, killer in zip(mutants, pool.map(lambda m: try_mutant(m, options.schedules), mutants)):
            reason = mutant.reason()
            counts["killed" if killer else "survived"] += 1
            if killer == "(does not build)" or bool(killer) == bool(reason):
                wrong.append(mutant)
            outcome = f"killed by {killer}" if killer else f"SURVIVED: {reason or 'why?'}"
            print(f"{mutant}\n    {outcome}", flush=True)
    print(
        f"\n{len(mutants)} mutants: {counts['killed']} killed, {counts['survived']} survived; "
        f"{len(wrong)} not as expected",
        *wrong,
        sep="\n",
    )
    return 1 if wrong or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
