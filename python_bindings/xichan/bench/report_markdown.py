"""The tables of docs/benchmarks/3.14.md and 3.15.md: replaces the text between the two marks of a Python version.

<!-- bench 3.14 -->
...
<!-- end of bench 3.14 -->
"""

import pathlib

from xichan.bench import doubts, environment, lower_bound, report_plot, results, targets


def write(run, path, with_targets=False):
    """Write a run into a file with the marks of its Python version. Raises ValueError if the marks are missing."""
    version = ".".join(run["environment"]["python"].split(".")[:2])
    begin, end = f"<!-- bench {version} -->\n", f"<!-- end of bench {version} -->\n"
    path = pathlib.Path(path)
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{path}: expected a line {begin.strip()}, followed by {end.strip()}")
    made = "\n".join(body(run, pictures(run, path.parent / "images", version), with_targets))
    path.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def pictures(run, folder, version):
    """Draw the plots of growing groups; return their file names and titles."""
    found = []
    for panel in report_plot.panels(run):
        if panel.lines:
            folder.mkdir(exist_ok=True)
            name = f"{panel.group}-{version}.png"
            report_plot.figure([panel]).savefig(folder / name, dpi=70)
            found.append((f"{folder.name}/{name}", panel.title))
    return found


def body(run, images, with_targets):
    """Yield the lines of the tables and pictures."""
    yield f"{environment.headline(run)}."
    versions = [f"{one['title']} {one['version']}" for one in run["contenders"].values() if one["version"]]
    yield f"With {', '.join(versions)}." if versions else ""
    yield ""
    for doubt in doubts.doubts(run):
        yield f"**These figures are doubtful.** {doubt}\n"
    if with_targets:
        yield from table(("target", "reached", "required", ""), (row for row in targets.rows(run)))
    yield from table(
        ("scenario", "contender", "best", "median", "spread", "ratio", "lower bound"),
        (
            (record["title"], *results.row(run, record, contender))
            for record in run["scenarios"].values()
            for contender in record["results"]
        ),
    )
    yield from table(
        ("lower bound", "ns"),
        ((name, f"{best * 1e9:,.1f}") for name, best in lower_bound.bests(run["lower_bound"]).items()),
    )
    for reason in (f"Missing: {name}: {reason.splitlines()[0]}" for name, reason in run["missing"].items()):
        yield reason + "\n"
    for file, title in images:
        yield f"![{title}]({file})\n"


def table(heads, rows_of_text):
    """Yield a table, followed by an empty line."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows_of_text:
        yield f"| {' | '.join(str(text).replace('|', '/') for text in row)} |"
    yield ""
