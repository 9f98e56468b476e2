"""The figures of a run: plain dictionaries, as they stand in its file (JSON).

    {"format": 1, "environment": {...}, "options": {"rounds": 9, "seconds": 0.2},
     "contenders": {name: {"title", "group", "version"}}, "missing": {name: reason},
     "floor": {part: [seconds of each round]},
     "scenarios": {name: {"title", "unit", "baseline", "floor": seconds or None,
                          "results": {contender: [value of each round]},
                          "unavailable": {contender: reason}}}}

Every value is one of which less is better: seconds for each message or round trip, bytes for each message, or
processors kept busy.
"""

import json
import statistics
from typing import NamedTuple

FORMAT = 1


class Summary(NamedTuple):
    """Of the rounds of one contender in one scenario."""

    best: float
    median: float
    low: float  # the first and the third quartile
    high: float
    rounds: int

    @property
    def spread(self):
        """The distance between the quartiles, as a share of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def summary(rounds):
    """Best, median and quartiles of the values of a contender."""
    low, median, high = statistics.quantiles(rounds, n=4, method="inclusive") if len(rounds) > 1 else [rounds[0]] * 3
    return Summary(min(rounds), median, low, high, len(rounds))


def best(run, scenario, contender):
    """The best value of a contender in a scenario, or None."""
    rounds = run["scenarios"].get(scenario, {}).get("results", {}).get(contender)
    return min(rounds) if rounds else None


def ratio(run, scenario, contender, baseline=None):
    """How many times better a contender is than the baseline, best against best; None if that cannot be said."""
    record = run["scenarios"].get(scenario, {})
    mine = best(run, scenario, contender)
    other = best(run, scenario, baseline or record.get("baseline"))
    return other / mine if mine and other is not None else None


def save(run, path):
    """Write a run's file."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
        file.write("\n")


def load(path):
    """Read a run's file. Raises OSError, or ValueError for what is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from None
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        raise ValueError(f"{path} is not a file that --json of this version writes")
    return run


def amount(value, unit):
    """A value for people: '12.3 M/s', '0.55 us', '24 B', '0.1 %'."""
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
    """A ratio for people: '1,200x', '1.5x', '0.031x'."""
    return f"{factor:,.0f}x" if factor >= 100 else f"{factor:.3g}x"


def _digits(number):
    """Three digits that count."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
