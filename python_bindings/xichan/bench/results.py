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


def is_ours(run, contender):
    """Whether a contender is xichan, in any form."""
    return run["contenders"][contender]["group"] == "xichan" or contender == "xichan-pool"


class Row(NamedTuple):
    """What reports show of a contender in a scenario, as text; empty where there is nothing to say."""

    title: str
    best: str
    median: str
    spread: str
    ratio: str  # how many times better it is than the baseline, best against best
    floor: str  # how far it is from the floor: of ours alone


def row(run, record, contender):
    """The row of a contender that has values in a scenario's record."""
    found = summary(record["results"][contender])
    base = record["results"].get(record["baseline"])
    return Row(
        run["contenders"][contender]["title"],
        amount(found.best, record["unit"]),
        amount(found.median, record["unit"]),
        f"{found.spread * 100:.0f} %" if found.rounds > 1 else "",
        times(min(base) / found.best) if base and found.best else "",
        times(found.best / record["floor"]) if record["floor"] and is_ours(run, contender) else "",
    )


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
