"""How many tests passed and failed, read from the JUnit files that pytest and ctest write."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class Counts(NamedTuple):
    """Outcomes of tests; they add up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(*(a + b for a, b in zip(self, other)))

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def read(report: Path, code: int) -> Counts:
    """The counts in a report; a run that failed without saying which test counts as one failure."""
    passed = failed = skipped = 0
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        cases = []  # the run ended before it wrote a report
    for case in cases:
        # ctest has a program that is not there as `skipped`, and a test that is switched off as a status alone.
        skip = case.find("skipped")
        absent = skip is not None and skip.get("message", "").startswith("Unable to find executable")
        if case.find("failure") is not None or case.find("error") is not None or absent:
            failed += 1
        elif skip is not None or case.get("status") == "disabled":
            skipped += 1
        else:
            passed += 1
    return Counts(passed, failed or int(code != 0), skipped)
