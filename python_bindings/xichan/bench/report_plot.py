"""The plots, by matplotlib: bars for a scenario, lines for a group that grows with interpreters or sizes."""

import math

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

from xichan.bench import results, scenarios  # noqa: E402
from xichan.bench.report_bars import amounts, short  # noqa: E402

AXES = {
    "rate": "messages or operations per second",
    "time": "microseconds (us)",
    "bytes": "bytes per message",
    "cpu": "CPUs kept busy",
}
GROWING = {  # groups drawn as lines: title, label of the horizontal axis
    "fan-in": ("many senders to one receiver: int", "senders (interpreters)"),
    "fan-out": ("one sender to many receivers: int", "receivers (interpreters)"),
    "n-by-n": ("many to many: int", "senders = receivers (interpreters)"),
    "mixed-95": ("a table of 1,000 ints, 95 % reads", "workers"),
    "mixed-50": ("a table of 1,000 ints, 50 % reads", "workers"),
    "growth": ("one way: bytes of growing size", "bytes per message"),
    "growth-memory": ("memory per queued message: bytes of growing size", "bytes per message"),
    "growth-crowd": ("memory per queued message: 64 bytes from many senders", "senders (interpreters)"),
}
COLORS = {"xichan": "#1f5fbf", "baseline": "#d9822b", "other": "#9aa5b1"}
GRID = "#e3e7ec"
LEGEND = {"fontsize": 7, "loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
MARKERS = "os^vDPX*<>p"
WIDTH, HEIGHT = 7.0, 3.6  # of a panel, in inches
COMPACT = (5.0, 4.4)


class Panel:
    """One plot: a scenario, or a group of scenarios that differ in one number."""

    def __init__(self, run, names):
        self.run, self.names = run, names
        self.records = [run["scenarios"][name] for name in names]
        self.group = names[0].partition("/")[0]
        self.unit = self.records[0]["unit"]
        self.lines = self.group in GROWING and len(names) > 1
        self.title = GROWING[self.group][0] if self.lines else self.records[0]["title"]

    def draw(self, axes, compact=False):
        """Draw into axes; `compact` is the form for a narrow screen: larger text, the legend below."""
        axes.set_title("" if compact else self.title, fontsize=10, loc="left")
        (self._lines if self.lines else self._bars)(axes)
        if self.lines:
            place = {"loc": "upper left", "bbox_to_anchor": (-0.12, -0.18), "ncols": 2, "fontsize": 8.5}
            axes.legend(**place if compact else LEGEND, frameon=False)
        axes.tick_params(labelsize=9.5 if compact else 8)
        if compact:
            axes.xaxis.label.set_size(9.5)
            axes.yaxis.label.set_size(9.5)
        axes.grid(True, which="major", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    def _bars(self, axes):
        record = self.records[0]
        found = sorted((self._figures(rounds), name) for name, rounds in record["results"].items())
        if self.unit == "rate":
            found.reverse()  # the best at the top, the end of the axis
        found.reverse()
        values = [figures[0] for figures, _ in found]
        errors = [[figures[i] for figures, _ in found] for i in (1, 2)]
        colors = [COLORS[self._color_key(name, record)] for _, name in found]
        axes.barh(range(len(found)), values, xerr=errors, color=colors, ecolor="#333", capsize=2, height=0.7)
        axes.set_yticks(range(len(found)), [self.run["contenders"][name]["title"] for _, name in found])
        log = ""
        if self.unit in ("rate", "time") and all(value > 0 for value in values):
            axes.set_xscale("log")
            log = ", logarithmic axis"
            axes.set_xlim(left=10 ** math.floor(math.log10(min(values) * 0.7)))
        axes.set_xlabel(f"{AXES[self.unit]}{log}; best round and third quartile", fontsize=8)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: short(number)))

    def _lines(self, axes):
        contenders = dict.fromkeys(name for record in self.records for name in record["results"])
        positions = [float(number_of(name)) for name in self.names]
        for index, contender in enumerate(contenders):
            points = [
                (position, *self._figures(record["results"][contender]))
                for position, record in zip(positions, self.records, strict=True)
                if contender in record["results"]
            ]
            across, best, down, up = zip(*points, strict=True)
            axes.errorbar(
                across,
                best,
                yerr=(down, up),
                label=self.run["contenders"][contender]["title"],
                marker=MARKERS[index % len(MARKERS)],
                markersize=4,
                linewidth=2 if results.is_ours(self.run, contender) else 1,
                capsize=2,
            )
        axes.set_xscale("log", base=2)
        axes.set_xticks(positions, [name.partition("/")[2].upper().removesuffix("B") for name in self.names])
        axes.minorticks_off()
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: short(number)))
        axes.set_xlabel(f"{GROWING[self.group][1]}, logarithmic axis", fontsize=8)
        axes.set_ylabel(f"{AXES[self.unit]}, log axis", fontsize=8)

    def _color_key(self, name, record):
        if results.is_ours(self.run, name):
            return "xichan"
        return "baseline" if name == record["baseline"] else "other"

    def _figures(self, rounds):
        """Return the best value, and the distances down and up to the third quartile, in the unit of the axis."""
        best, slow = amounts(rounds, self.unit)
        return best, max(best - slow, 0), max(slow - best, 0)


def number_of(name):
    """Return the number that distinguishes a scenario in its group."""
    what = name.partition("/")[2]
    return scenarios.SIZES.get(what) or int(what)


def panels(run):
    """Yield the plots of a run, in its order."""
    groups = {}
    for name, record in run["scenarios"].items():
        if record["results"]:
            groups.setdefault(name.partition("/")[0], []).append(name)
    for group, names in groups.items():
        if group in GROWING:
            yield Panel(run, names)
        else:
            yield from (Panel(run, [name]) for name in names)


def compact_figure(panel):
    """Return a figure with one panel for a narrow screen."""
    made = Figure(figsize=COMPACT, layout="constrained")
    panel.draw(made.add_subplot(), compact=True)
    return made


def figure(chosen, columns=1):
    """Return a figure that holds panels."""
    columns = min(columns, max(len(chosen), 1))
    rows = math.ceil(len(chosen) / columns)
    made = Figure(figsize=(WIDTH * columns, HEIGHT * max(rows, 1)), layout="constrained")
    for index, panel in enumerate(chosen):
        panel.draw(made.add_subplot(rows, columns, index + 1))
    return made


def write(run, path):
    """Write all plots as one picture. Raises ValueError for a run without figures."""
    chosen = list(panels(run))
    if not chosen:
        raise ValueError("nothing to plot: the run has no figures")
    figure(chosen, columns=2).savefig(path, dpi=80)
