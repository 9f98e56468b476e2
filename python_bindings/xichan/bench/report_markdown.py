"""The tables for docs/benchmarks/README.md: what lies between a version's two marks is written anew.

<!-- bench 3.14 -->
...
<!-- end of bench 3.14 -->
"""

import pathlib

from xichan.bench import environment, lower_bound, report_plot, results, targets


def write(run, path):
    """Put a run into a file that has the marks of its Python version. Raises ValueError if it has none."""
    version = ".".join(run["environment"]["python"].split(".")[:2])
    begin, end = f"<!-- bench {version} -->\n", f"<!-- end of bench {version} -->\n"
    path = pathlib.Path(path)
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{path} has no line {begin.strip()} with {end.strip()} after it")
    made = "\n".join(body(run, pictures(run, path.parent / "images", version)))
    path.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


def pictures(run, folder, version):
    """Draw what grows; the names of the files and their titles."""
    found = []
    for panel in report_plot.panels(run):
        if panel.lines:
            folder.mkdir(exist_ok=True)
            name = f"{panel.group}-{version}.png"
            report_plot.figure([panel]).savefig(folder / name, dpi=70)
            found.append((f"{folder.name}/{name}", panel.title))
    return found


def body(run, images):
    """The lines."""
    yield f"{environment.headline(run)}."
    versions = [f"{one['title']} {one['version']}" for one in run["contenders"].values() if one["version"]]
    yield f"With {', '.join(versions)}." if versions else ""
    yield ""
    yield from table(("number to reach", "reached", "wanted", ""), (row for row in targets.rows(run)))
    yield from table(
        ("scenario", "contender", "best", "median", "spread", "ratio", "floor"),
        (
            (record["title"], *results.row(run, record, contender))
            for record in run["scenarios"].values()
            for contender in record["results"]
        ),
    )
    yield from table(
        ("the floor", "ns"), ((name, f"{best * 1e9:,.1f}") for name, best in lower_bound.bests(run["floor"]).items())
    )
    for reason in (f"Missing: {name}: {reason.splitlines()[0]}" for name, reason in run["missing"].items()):
        yield reason + "\n"
    for file, title in images:
        yield f"![{title}]({file})\n"


def table(heads, rows_of_text):
    """A table, with an empty line after it."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows_of_text:
        yield f"| {' | '.join(str(text).replace('|', '/') for text in row)} |"
    yield ""
