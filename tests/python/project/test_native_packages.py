"""The page of native packages: it has a row for each package of the list, and is what the tool writes."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tools import native_packages as tool  # noqa: E402

STATUSES = {"loads", "degraded", "refused", "missing", "crashes", "hangs", "fails", tool.NO_EXTENSION}


def rows(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and "`" in line]


def test_page_has_a_status_for_each_package_of_the_list():
    known = tool.packages()
    assert len(known) == 60
    page = rows(tool.PAGE.read_text())
    assert [(row[0], row[1]) for row in page] == [(tool.distribution(name), f"`{known[name]}`") for name in known]
    for row in page:
        assert all(status in STATUSES or status.startswith("no wheel") for status in row[3:5]), row


def test_table_shows_versions_statuses_and_refused_modules(monkeypatch):
    class Prober:
        def __init__(self, python, **results):
            self.python = python
            self.results = results

    def result(status, version, *refused):
        return {"status": status, "version": version, "refused": dict.fromkeys(refused, ""), "detail": ""}

    monkeypatch.setattr(tool, "packages", lambda: {"one": "one.part", "two[extra]": "two", "three": "three"})
    loads, degraded = result("loads", "2.0"), result("degraded", "1.0", "a", "b", "c", "d")
    older = Prober("3.14.9", one=degraded, **{"two[extra]": loads})
    newer = Prober("3.15.1", one=result("refused", "1.1", "b", "e"), **{"two[extra]": result("no wheel", None)})
    text = tool.table([older, newer])
    assert rows(text) == [
        ["one", "`one.part`", "1.0, 1.1", "degraded", "refused", "`a`, `b`, `c` and 2 more"],
        ["two", "`two`", "2.0", "loads", "no wheel"],
        ["three", "`three`", "-", "not probed", "not probed"],
    ]
    assert "CPython 3.14.9 | CPython 3.15.1" in text
    assert re.search(r"On CPython 3.14.9, of 3 packages: 1 degraded, 1 loads, 1 not probed\.", text)
