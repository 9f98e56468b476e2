"""The progress that ./dev reports of a long step."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tools import console  # noqa: E402


@pytest.mark.parametrize("quiet", [False, True])
def test_long_step_reports_its_count_without_a_terminal(quiet, monkeypatch, tmp_path):
    """The program waits until a report has shown what it printed."""
    gate, reports = tmp_path / "gate", []
    os.mkfifo(gate)

    def record(text):
        reports.append(text)
        if "[3/10]" in text:
            os.close(os.open(gate, os.O_WRONLY))

    monkeypatch.setattr(console, "step", record)
    monkeypatch.setattr(console, "quiet", quiet)
    monkeypatch.setattr(console, "LOGS", tmp_path)
    monkeypatch.setattr(console, "INTERVAL", 0.05)
    monkeypatch.setattr(console, "PATIENCE", 0.05)
    program = f"print('[2/10] one'); print('  [3/10] two', flush=True); open({str(gate)!r}).read()"
    console.run([sys.executable, "-c", program], "log", say="building")
    assert reports[-1] == "building [3/10]"
    assert reports[0] == "building" or quiet


def test_short_quiet_step_reports_nothing(monkeypatch, tmp_path):
    reports = []
    monkeypatch.setattr(console, "step", reports.append)
    monkeypatch.setattr(console, "quiet", True)
    monkeypatch.setattr(console, "LOGS", tmp_path)
    monkeypatch.setattr(console, "PATIENCE", 60)
    console.run([sys.executable, "-c", ""], "log", say="building")
    assert reports == []
