"""The HTML report: one self-contained file, with bars by CSS and lines as inline SVG."""

import io
import pathlib
import re

import jinja2
import matplotlib

from xichan.bench import doubts, environment, headline, lower_bound, report_bars, report_plot, results, targets

TEMPLATE = pathlib.Path(__file__).with_name("report.html.jinja")
INK = "#010101"  # replaced by the color of the page's text
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
}


def write(run, path, with_targets=False):
    """Write the report of a run."""
    templates = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = templates.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        run=run,
        conditions=environment.conditions(run),
        doubts=list(doubts.doubts(run)),
        headline=headline.chart(run),
        groups=groups(run),
        targets=targets.rows(run) if with_targets else [],
        lower_bound=lower_bound.bests(run["lower_bound"]),
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def groups(run):
    """Return (name of a group, its sections) in the order of the run."""
    plots = {}
    for number, panel in enumerate(panel for panel in report_plot.panels(run) if panel.lines):
        plots[panel.names[0]] = (panel.title, svg(panel, f"plot{number}"))
    found = {}
    for section in sections(run, plots):
        found.setdefault(section["name"].partition("/")[0], []).append(section)
    return list(found.items())


def sections(run, plots):
    """Yield what the template shows for each scenario."""
    for name, record in run["scenarios"].items():
        yield {
            "name": name,
            "record": record,
            "rows": [(results.is_ours(run, one), results.row(run, record, one)) for one in record["results"]],
            "chart": report_bars.of_scenario(run, record),
            "crowded": doubts.is_crowded(run, name),
            "plot": plots.get(name),
        }


def svg(panel, prefix):
    """Return a panel as an SVG element whose ids are unique in the page, in the colors of the page."""
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": prefix}):
        file = io.StringIO()
        report_plot.compact_figure(panel).savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)  # implied in HTML
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text).replace("xlink:href", "href")
    return text.replace(INK, "var(--ink)").replace(report_plot.GRID, "var(--line)")
