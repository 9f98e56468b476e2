"""The numbers of passed and failed tests, read from the JUnit files of pytest and ctest."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class Counts(NamedTuple):
    """Numbers of test outcomes; they add up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(*(a + b for a, b in zip(self, other)))

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def one(passed: bool) -> Counts:
    """Return the counts of a single test."""
    return Counts(passed=1) if passed else Counts(failed=1)


def read(report: Path, code: int) -> Counts:
    """Count the tests in a report. A nonzero exit code without a failed test counts as one failure."""
    passed = failed = skipped = 0
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        cases = []  # the run ended before it wrote a report
    for case in cases:
        # ctest reports a missing program as skipped, and a disabled test by its status alone.
        skip = case.find("skipped")
        missing = skip is not None and skip.get("message", "").startswith("Unable to find executable")
        if case.find("failure") is not None or case.find("error") is not None or missing:
            failed += 1
        elif skip is not None or case.get("status") == "disabled":
            skipped += 1
        else:
            passed += 1
    return Counts(passed, failed or int(code != 0), skipped)
