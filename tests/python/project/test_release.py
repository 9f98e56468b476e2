"""The version and the changelog of a release."""

import re
import sys
from pathlib import Path

import pytest

import xichan

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tools import release  # noqa: E402
from tools.console import DevError  # noqa: E402


def test_version_has_one_definition():
    assert release.version() == xichan.__version__
    number = re.compile(rf"(?<![\d.]){re.escape(xichan.__version__)}(?![\d.])")
    files = [ROOT / "pyproject.toml", *ROOT.rglob("CMakeLists.txt"), *(ROOT / "cmake").iterdir()]
    files = [file for file in files if "build" not in file.relative_to(ROOT).parts]
    assert [file for file in files if number.search(file.read_text())] == []


def test_changelog_describes_this_version():
    notes = release.notes(xichan.__version__)
    assert notes.startswith("### ") and "\n## " not in notes and "Unreleased" not in notes


def test_release_of_another_version_is_refused():
    with pytest.raises(DevError, match="expected version .*, got 99.0.0"):
        release.notes("99.0.0")


def test_release_without_a_section_is_refused(monkeypatch, tmp_path):
    (tmp_path / "include" / "xichan").mkdir(parents=True)
    (tmp_path / "include" / "xichan" / "version.h").write_text('#define XICHAN_VERSION "9.9.9"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0\n\ntext\n")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    with pytest.raises(DevError, match="no section `## 9.9.9`, got 0.1.0"):
        release.notes("9.9.9")
