"""Terminal output of a run, by rich: progress and tables."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from xichan.bench import doubts, environment, headline, lower_bound, results, targets
from xichan.bench.runner import NullProgress


class TerminalProgress(NullProgress):
    """Shows a progress bar on a terminal and plain lines elsewhere. Writes to stderr; the tables go to stdout."""

    def __init__(self):
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.bar = None
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )

    def __enter__(self):
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()

    def begin(self, scenarios):
        self.number, self.count = 0, len(scenarios)
        if self.bar:
            self.total_task = self.bar.add_task("scenarios", total=self.count)
            self.scenario_task = self.bar.add_task("", total=1)

    def scenario(self, scenario, steps):
        self.number += 1
        if self.bar:
            self.bar.update(self.total_task, completed=self.number - 1)
            self.bar.reset(self.scenario_task, total=steps, description=scenario.name)
        else:
            self.console.print(f"[{self.number}/{self.count}] {scenario.name}", markup=False)

    def step(self, steps=1):
        if self.bar:
            self.bar.advance(self.scenario_task, steps)

    def note(self, text):
        self.console.print(text, markup=False)


def show(run, file=None, with_targets=False):
    """Print all tables of a run, by default to stdout."""
    console = Console(file=file or sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = 132
    console.print(environment.headline(run), markup=False, soft_wrap=True)
    for scenario, record in run["scenarios"].items():
        console.print(_scenario_table(run, scenario, record))
    if run["lower_bound"]:
        console.print(_lower_bound_table(run))
    if with_targets:
        console.print(_targets_table(run))
    for name, reason in run["missing"].items():
        console.print(f"missing: {name}: {reason}", markup=False, soft_wrap=True)
    for name in run["left_out"]:
        console.print(f"left out, out of time: {name}", markup=False)
    for one in headline.statements(run):
        console.print(f"{one.title}: {one.best}, {one.ratio} {one.other}", markup=False, soft_wrap=True)
    for doubt in doubts.doubts(run):
        console.print(f"WARNING: {doubt}", markup=False, soft_wrap=True, style="bold")


def _scenario_table(run, scenario, record):
    table = Table(title=record["title"], title_justify="left", expand=False)
    table.add_column("")
    for heading in ("best", "median", "spread", "ratio", "lower bound"):
        table.add_column(heading, justify="right")
    for name in record["results"]:
        table.add_row(*results.row(run, record, name), style="bold" if results.is_ours(run, name) else "")
    baseline = record["baseline"]
    caption = [f"ratio: relative to {run['contenders'][baseline]['title']}"] if baseline in record["results"] else []
    if record["lower_bound"]:
        caption.append(f"lower bound: {record['lower_bound'] * 1e9:,.0f} ns")
    if doubts.is_crowded(run, scenario):
        caption.append(f"more workers than CPUs ({run['environment']['cpus']})")
    for name, reason in record["unavailable"].items():
        caption.append(f"{name}: {reason.splitlines()[0]}")
    table.caption = "\n".join(caption).replace("[", "\\[")
    table.caption_justify = "left"
    return table


def _lower_bound_table(run):
    table = Table(title="lower bounds", title_justify="left")
    table.add_column("")
    table.add_column("best", justify="right")
    for name, best in lower_bound.bests(run["lower_bound"]).items():
        table.add_row(name, f"{best * 1e9:,.1f} ns")
    return table


def _targets_table(run):
    table = Table(title="targets", title_justify="left")
    table.add_column("")
    table.add_column("reached", justify="right")
    table.add_column("required", justify="right")
    table.add_column("")
    for row in targets.rows(run):
        table.add_row(row.title, row.shown, row.required, row.verdict)
    return table
