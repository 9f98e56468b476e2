"""./dev soak: all that gets better with time, for as long as is told: models, fuzzers, stress programs with faults, and
generated values while the memory is watched. Ends with a table of what each did.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from . import fuzz, parts, stress
from .console import DevError
from .counts import Counts

MINUTES = 60
FUZZERS, CPP = 0.15, 0.1  # shares of the time; the models take what they take, the programs have the rest
FIDELITY, SHARES = "soak", 4  # the program that watches the memory has so many times what each other one has


class Row(NamedTuple):
    """A line of the table."""

    what: str
    seconds: float
    counts: Counts
    told: str


def shorten(text: str) -> str:
    """As much of what a program said as a table wants."""
    return text if len(text) <= 150 else text[:147] + "..."


def fill(version: str, name: str, size, seconds: float) -> Row:
    """Run a program again and again until its time is over: first in short, then as large as fits, at most in full."""
    start, amount, done, counts = time.monotonic(), size.short, [], Counts()
    while True:
        outcome = stress.run_program(version, name, amount)
        done.append(amount)
        counts += Counts(passed=int(outcome.passed), failed=int(not outcome.passed))
        left = seconds - (time.monotonic() - start)
        fits = int(amount * left / outcome.seconds)
        if not outcome.passed or fits < size.short:
            break
        amount = min(size.full, fits)
    told = f"{' + '.join(map(str, done)) if len(done) < 6 else f'{len(done)} runs, {sum(done)}'}: {outcome.line}"
    return Row(f"{name}, {version}", time.monotonic() - start, counts, shorten(told))


def timed(what: str, run, told: str) -> Row:
    """A row for something that counts for itself."""
    start = time.monotonic()
    try:
        counts = run()
    except DevError as error:  # the others may still say something useful
        counts, told = Counts(failed=1), shorten(str(error).partition("\n")[0])
    return Row(what, time.monotonic() - start, counts, told)


def cpp(seconds: float) -> Counts:
    """The C++ stress tests: once as usual, then as many times as long as fits."""
    start = time.monotonic()
    counts = parts.stress_cpp(1)
    took = time.monotonic() - start
    times = int((seconds - took) / max(took, 0.1))
    return counts + parts.stress_cpp(times) if times > 1 else counts


def rows(minutes: float, request):
    """The rows, as they come."""
    end = time.monotonic() + 60 * minutes
    yield timed("models", lambda: parts.run_model(request, {"XICHAN_STRESS": "1"}), "in full")
    left = end - time.monotonic()
    seconds = max(10, int(left * FUZZERS / len(fuzz.TARGETS)))
    yield timed("fuzzers", lambda: fuzz.run(request, seconds), f"{seconds} s each")
    yield timed("C++ stress tests", lambda: cpp(left * CPP), f"for {left * CPP:.0f} s")
    sizes = stress.sizes()
    todo = [(version, name) for name in sizes for version in parts.versions(request, parts.OLD)]
    while todo:  # what one leaves of its time is for those after it
        version, name = todo[0]
        share = sum(SHARES if other == FIDELITY else 1 for _, other in todo)
        seconds = (end - time.monotonic()) * (SHARES if name == FIDELITY else 1) / share
        yield fill(version, name, sizes[name], seconds)
        del todo[0]


def run(minutes: float, request) -> int:
    """Soak for about that long (the short form of everything takes some minutes); the exit code."""
    if not 0 < minutes < 1e6:
        raise DevError(f"for how many minutes? Not {minutes}")
    table = []
    try:
        for row in rows(minutes, request):
            table.append(row)
    finally:  # also of what was interrupted
        print()
        for row in table:
            print(f"{'FAILED' if row.counts.failed else 'passed'}  {row.what:32} {row.seconds:7.0f} s  {row.told}")
        total = sum((row.counts for row in table), Counts())
        print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0
