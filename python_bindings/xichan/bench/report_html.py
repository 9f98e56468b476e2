"""The HTML report: one self-contained file with inline SVG plots."""

import io
import pathlib
import re

import jinja2
import matplotlib

from xichan.bench import environment, lower_bound, report_plot, results, targets

TEMPLATE = pathlib.Path(__file__).with_name("report.html.jinja")


def write(run, path):
    """Write the report of a run."""
    templates = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    plots = {}
    for number, panel in enumerate(report_plot.panels(run)):
        plots.setdefault(panel.names[0], svg(panel, f"plot{number}"))
    page = templates.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        run=run,
        headline=environment.headline(run),
        sections=list(sections(run, plots)),
        targets=targets.rows(run),
        lower_bound=lower_bound.bests(run["lower_bound"]),
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def sections(run, plots):
    """Yield what the template shows for each scenario."""
    for name, record in run["scenarios"].items():
        rows = [(results.is_ours(run, one), results.row(run, record, one)) for one in record["results"]]
        yield {"name": name, "record": record, "rows": rows, "plot": plots.get(name)}


def svg(panel, prefix):
    """Return a panel as an SVG element whose ids are unique in the page."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix, "font.family": "sans-serif"}):
        file = io.StringIO()
        report_plot.figure([panel]).savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)  # implied in HTML
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", text).replace("xlink:href", "href")
