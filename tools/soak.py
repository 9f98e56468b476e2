"""./dev soak: models, fuzzers, stress programs with faults, and generated values under observation of the memory.

All of them find more with time, and get as much as the user grants. The output ends with a table of what each did.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import noxfile

from . import fuzz, stress
from .console import DevError
from .counts import Counts

MINUTES = 60
FUZZERS, CPP = 0.15, 0.1  # shares of the time that the models leave; the stress programs have the rest
FIDELITY, SHARES = "soak", 4  # the program that observes the memory gets as much time as SHARES others


class Row(NamedTuple):
    """A line of the table."""

    what: str
    seconds: float
    counts: Counts
    summary: str


def shorten(text: str) -> str:
    """Truncate a program's summary to fit the table."""
    return text if len(text) <= 150 else text[:147] + "..."


def fill(version: str, name: str, size, seconds: float) -> Row:
    """Run a program repeatedly until its time is over: first at the short size, then as large as fits."""
    begin, amount, done, counts = time.monotonic(), size.short, [], Counts()
    while True:
        outcome = stress.run_program(version, name, amount)
        done.append(amount)
        counts += outcome.counts
        left = seconds - (time.monotonic() - begin)
        fits = int(amount * left / outcome.seconds)
        if not outcome.counts.passed or fits < size.short:
            break
        amount = min(size.full, fits)
    amounts = " + ".join(map(str, done)) if len(done) < 6 else f"{len(done)} runs, {sum(done)}"
    return Row(f"{name}, {version}", time.monotonic() - begin, counts, shorten(f"{amounts}: {outcome.line}"))


def timed(what: str, run, summary: str) -> Row:
    """Return the row of a function that returns its counts. It counts as one failure if it cannot run."""
    begin = time.monotonic()
    try:
        counts = run()
    except DevError as error:
        counts, summary = Counts(failed=1), shorten(str(error).partition("\n")[0])
    return Row(what, time.monotonic() - begin, counts, summary)


def cpp(seconds: float) -> Counts:
    """Run the C++ stress tests once as usual, then with as many rounds as fit."""
    begin = time.monotonic()
    counts = stress.run_cpp(1)
    took = time.monotonic() - begin
    times = int((seconds - took) / max(took, 0.1))
    return counts + stress.run_cpp(times) if times > 1 else counts


def rows(minutes: float, request):
    """Run everything; yield the rows as they are complete."""
    end = time.monotonic() + 60 * minutes
    yield timed("models", lambda: noxfile.model(request, {"XICHAN_STRESS": "1"}), "in full")
    left = end - time.monotonic()
    seconds = max(10, int(left * FUZZERS / len(fuzz.TARGETS)))
    yield timed("fuzzers", lambda: fuzz.run(request, seconds), f"{seconds} s each")
    yield timed("C++ stress tests", lambda: cpp(left * CPP), f"for {left * CPP:.0f} s")
    sizes = stress.sizes()
    todo = [(version, name) for name in sizes for version in noxfile.versions(request, noxfile.OLD)]
    while todo:  # time that one program leaves is shared among the next ones
        version, name = todo[0]
        shares = sum(SHARES if other == FIDELITY else 1 for _, other in todo)
        seconds = (end - time.monotonic()) * (SHARES if name == FIDELITY else 1) / shares
        yield fill(version, name, sizes[name], seconds)
        del todo[0]


def run(minutes: float, request) -> int:
    """Soak for about `minutes` (the short form of everything takes a few); return the exit code."""
    if not 0 < minutes < 1e6:
        raise DevError(f"MINUTES must be a positive number, got {minutes:g}")
    table = []
    try:
        for row in rows(minutes, request):
            table.append(row)
    finally:  # also after Ctrl-C
        print()
        for row in table:
            print(f"{'FAILED' if row.counts.failed else 'passed'}  {row.what:32} {row.seconds:7.0f} s  {row.summary}")
        total = sum((row.counts for row in table), Counts())
        print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0
