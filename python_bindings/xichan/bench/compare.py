"""Comparison of two runs: the effect of a change, and whether it exceeds the noise.

The comparison uses the medians of each scenario and contender. A change is noise if it is below 3 %, or if the
interquartile ranges of the two runs overlap. Any other change may still be due to the machine. Contenders other than
xichan ran the same code both times, so the median of their changes in the same scenario shows how the machine changed.
A change in the same direction and less than twice as large is attributed to the machine.
"""

import statistics
from typing import NamedTuple

from xichan.bench import environment, results

NOISE = 0.03


class Change(NamedTuple):
    scenario: str
    contender: str
    before: results.Summary
    after: results.Summary
    unit: str
    machine: float | None  # the median change of the other contenders, None without any

    @property
    def by(self):
        """The relative change of the median: +0.1 is 10 % slower, or larger."""
        if not self.before.median:
            return 0.0 if not self.after.median else float("inf")
        return self.after.median / self.before.median - 1

    @property
    def verdict(self):
        """The verdict: noise, the machine, or the direction of the change."""
        overlap = self.before.low <= self.after.high and self.after.low <= self.before.high
        if overlap or abs(self.by) < NOISE:
            return "noise"
        if self.machine and self.machine * self.by > 0 and abs(self.by) < 2 * abs(self.machine):
            return "the machine"
        worse, better = ("slower", "faster") if self.unit in ("rate", "time") else ("more", "less")
        return worse if self.by > 0 else better


def changes(before, after):
    """Yield the changes of everything that both runs measured."""
    for name, record in after["scenarios"].items():
        earlier = before["scenarios"].get(name)
        if earlier is None or earlier["unit"] != record["unit"]:
            continue
        both = [
            (contender, results.summary(earlier["results"][contender]), results.summary(rounds))
            for contender, rounds in record["results"].items()
            if contender in earlier["results"]
        ]
        others = [
            two.median / one.median - 1
            for contender, one, two in both
            if one.median and not results.is_ours(after, contender)
        ]
        machine = statistics.median(others) if others else None
        for contender, one, two in both:
            ours = results.is_ours(after, contender)
            yield Change(name, contender, one, two, record["unit"], machine if ours else None)


def show(before, after, file=None):
    """Print the comparison; return the changes."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=file, highlight=False)
    if not console.is_terminal:
        console.width = 132
    found = list(changes(before, after))
    for name, run in (("before", before), ("after", after)):
        console.print(f"{name}: {environment.headline(run)}", markup=False, soft_wrap=True)
    table = Table()
    for heading in ("scenario", "contender"):
        table.add_column(heading)
    for heading in ("before", "after", "change", "others"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for change in found:
        table.add_row(
            change.scenario,
            change.contender,
            results.amount(change.before.median, change.unit),
            results.amount(change.after.median, change.unit),
            f"{change.by * 100:+.1f} %",
            "" if change.machine is None else f"{change.machine * 100:+.1f} %",
            change.verdict,
        )
    console.print(table)
    if not found:
        console.print("the two runs have nothing in common")
    console.print("change: of the median time, memory or CPU time per message; positive is worse")
    return found
