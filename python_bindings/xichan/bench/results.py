"""The figures of a run: plain dictionaries with the structure of the JSON file.

    {"format": 2, "environment": {...}, "options": {"rounds": 9, "seconds": 0.2},
     "contenders": {name: {"title", "group", "version"}}, "missing": {name: reason},
     "lower_bound": {part: [seconds of each round]},
     "scenarios": {name: {"title", "unit", "baseline", "lower_bound": seconds or None,
                          "results": {contender: [value of each round]},
                          "unavailable": {contender: reason}}}}

Less is better for every value: seconds per message or round trip, bytes per message, or CPUs kept busy.
"""

import json
import statistics
from typing import NamedTuple

FORMAT = 2


class Summary(NamedTuple):
    """Statistics over the rounds of one contender in one scenario."""

    best: float
    median: float
    low: float  # the first and the third quartile
    high: float
    rounds: int

    @property
    def spread(self):
        """How much worse than the best the third quartile is: three of four rounds are within it."""
        return self.high / self.best - 1 if self.best else 0.0


def summary(rounds):
    """Return the statistics of a list of values, one per round."""
    low, median, high = statistics.quantiles(rounds, n=4, method="inclusive") if len(rounds) > 1 else [rounds[0]] * 3
    return Summary(min(rounds), median, low, high, len(rounds))


def best(run, scenario, contender):
    """Return the best value of a contender in a scenario, or None."""
    rounds = run["scenarios"].get(scenario, {}).get("results", {}).get(contender)
    return min(rounds) if rounds else None


def is_ours(run, contender):
    """Return whether a contender is a form of xichan."""
    return run["contenders"][contender]["group"] == "xichan" or contender in ("xichan-pool", "xichan-state")


class Row(NamedTuple):
    """The row of a contender in a report, as text; fields without a value are empty."""

    title: str
    best: str
    median: str
    spread: str
    ratio: str  # how many times better than the baseline, best against best
    lower_bound: str  # the best relative to the lower bound; for xichan only


def row(run, record, contender):
    """Return the row of a contender that has values in a scenario's record."""
    found = summary(record["results"][contender])
    base = record["results"].get(record["baseline"])
    return Row(
        run["contenders"][contender]["title"],
        amount(found.best, record["unit"]),
        amount(found.median, record["unit"]),
        f"{found.spread * 100:.0f} %" if found.rounds > 1 else "",
        times(min(base) / found.best) if base and found.best else "",
        times(found.best / record["lower_bound"]) if record["lower_bound"] and is_ours(run, contender) else "",
    )


def save(run, path):
    """Write a run to a file."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
        file.write("\n")


def load(path):
    """Read a run from a file. Raises OSError, or ValueError if the file does not hold a run of this format."""
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, as written by --json of this version")
    return run


def amount(value, unit):
    """Format a value: '12.3 M/s', '0.55 us', '24 B', '0.1 %'."""
    if unit == "rate":
        rate = 1 / value if value else float("inf")
        for limit, divisor, letter in ((1e6, 1e6, " M"), (1e3, 1e3, " k")):
            if rate >= limit:
                return f"{_digits(rate / divisor)}{letter}/s"
        return f"{_digits(rate)} /s"
    if unit == "time":
        return f"{_digits(value * 1e6)} us"
    if unit == "bytes":
        return f"{value:,.0f} B"
    return f"{value * 100:.1f} %"


def times(factor):
    """Format a ratio: '1,200x', '1.5x', '0.031x'."""
    return f"{factor:,.0f}x" if factor >= 100 else f"{factor:.3g}x"


def _digits(number):
    """Format a number with three significant digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
