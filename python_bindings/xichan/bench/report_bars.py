"""Bar charts of the HTML report. Positions are percentages of an axis; the template draws them with CSS, so that they
fit a phone and follow the colors of the page.

A bar ends at the best round. Its whisker reaches to the third quartile of the rounds: three of four are within it.
"""

import math
from typing import NamedTuple

from xichan.bench import results

LABELS = {
    "rate": ("messages, tasks or operations per second", "longer is better"),
    "time": ("microseconds per round trip, task or call", "shorter is better"),
    "bytes": ("bytes per message", "shorter is better"),
    "cpu": ("CPUs kept busy", "shorter is better"),
}
LOG_FROM = 20  # a logarithmic axis if the largest value is this many times the smallest


class Axis:
    """Maps values to percentages: linear from 0, or logarithmic from a power of ten below the smallest value."""

    def __init__(self, values, label, hint):
        smallest, largest = min(values), max(values)
        self.log = smallest > 0 and largest >= LOG_FROM * smallest
        if self.log:
            self.low, self.high = math.floor(math.log10(smallest * 0.7)), math.log10(largest * 1.1)
        else:
            self.low, self.high = 0.0, largest * 1.05 or 1.0
        self.label = f"{label}, {'logarithmic' if self.log else 'linear'} axis; {hint}"

    def position(self, value):
        """Return where a value is, from 0 to 100."""
        if self.log:
            value = math.log10(value) if value > 0 else self.low
        return max(0.0, min(100.0, 100 * (value - self.low) / (self.high - self.low)))

    @property
    def ticks(self):
        """Return (position, text) for the marks of the axis."""
        if self.log:
            powers = range(math.ceil(self.low), math.floor(self.high) + 1)
            step = math.ceil(len(powers) / 5)
            values = [10.0**power for power in powers[::step]]
        else:
            power = 10 ** math.floor(math.log10(self.high))
            step = next(part for part in (power / 5, power / 2, power, power * 2) if self.high / part <= 5)
            values = [step * i for i in range(int(self.high / step) + 1)]
        return [(self.position(value), short(value)) for value in values]


class Bar(NamedTuple):
    title: str
    kind: str  # "ours", "baseline" or "other": its color
    length: float  # of the bar, in per cent of the axis
    whisker: tuple  # (begin, length)
    best: str
    ratio: str


class Chart(NamedTuple):
    axis: Axis
    groups: list  # of (title or "", bars)


def of_scenario(run, record):
    """Return the chart of one scenario, best contender first; None without results."""
    if not record["results"]:
        return None
    values = {name: amounts(rounds, record["unit"]) for name, rounds in record["results"].items()}
    axis = Axis([value for pair in values.values() for value in pair], *LABELS[record["unit"]])
    names = sorted(values, key=lambda name: min(record["results"][name]))
    return Chart(axis, [("", [bar(run, record, name, values[name], axis) for name in names])])


def bar(run, record, contender, pair, axis, unit=None):
    """Return the bar of a contender; `pair` is its amounts(), and `unit` is that of its text."""
    row = results.row(run, record, contender)
    best, slow = (axis.position(value) for value in pair)
    text = results.amount(min(record["results"][contender]), unit or record["unit"])
    return Bar(row.title, kind(run, record, contender), best, (min(best, slow), abs(best - slow)), text, row.ratio)


def kind(run, record, contender):
    """Return the color class of a contender."""
    if results.is_ours(run, contender):
        return "ours"
    return "baseline" if contender == record["baseline"] else "other"


def amounts(rounds, unit):
    """Return the best value and the third quartile in the unit of the axis."""
    found = results.summary(rounds)
    if unit == "rate":
        return 1 / found.best, 1 / found.high
    factor = 1e6 if unit == "time" else 1
    return found.best * factor, found.high * factor


def short(number):
    """Format the number at a mark: '1.5M', '20k', '0.5'."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{letter}"
    return f"{number:.3g}"
