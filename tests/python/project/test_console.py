"""The progress that ./dev reports of a long step."""

import os
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tools import bootstrap, console, system  # noqa: E402


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


def run_on_terminal(source, columns=80, **environment):
    """Return what source that uses `console` writes to a terminal of so many columns."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    source = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools import console\n{source}"
    variables = {**os.environ, "TERM": "xterm", **environment}
    child = subprocess.Popen([sys.executable, "-c", source], stderr=theirs, env=variables)
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 4096):
            written += chunk
    except OSError:  # the child has closed the terminal
        pass
    os.close(ours)
    assert child.wait(30) == 0
    return written.decode()


def report(say, program):
    """Return source that runs a program as a step that is reported every 10 milliseconds."""
    return (
        "import pathlib, tempfile; console.PATIENCE = 0.01; folder = tempfile.TemporaryDirectory(); "
        "console.LOGS = pathlib.Path(folder.name); "
        f"console.run([sys.executable, '-c', {program!r}], 'log', say={say!r})"
    )


def test_step_on_a_terminal_is_one_line_that_shows_the_time():
    program = "import time; print('[2/10] one', flush=True); time.sleep(0.5)"
    written = run_on_terminal(report("building", program))
    states = re.findall(r"\r\[ +([\d.]+)s\] building( \[2/10\])?\x1b\[K", written)
    assert len(states) > 5 and states[-1][1] and float(states[0][0]) < float(states[-1][0])
    assert written.count("\n") == 1 and written.endswith("\n")


def test_step_fits_the_line_of_a_narrow_terminal_until_it_ends():
    say = "a step with a name that is longer than the line of a narrow terminal"
    program = "import time; print('[2/10] one', flush=True); time.sleep(0.5)"
    *states, last = run_on_terminal(report(say, program), columns=40).split("\r")[1:-1]
    assert states and all(len(state.removesuffix("\x1b[K")) < 40 for state in states)
    assert any(state.endswith("[2/10]\x1b[K") for state in states)
    assert last.endswith(f"{say} [2/10]\x1b[K")


def test_dumb_terminal_gets_lines_without_control_characters():
    written = run_on_terminal(report("building", "pass"), TERM="dumb")
    assert re.fullmatch(r"\[ +[\d.]+s\] building\r\n", written)


def test_failure_on_a_terminal_starts_on_a_new_line():
    source = "try:\n " + report("building", "raise SystemExit(3)").replace("; ", "\n ")
    source += "\nexcept console.DevError as error:\n print('dev:', error, file=sys.stderr)"
    written = run_on_terminal(source)
    assert re.search(r"building\x1b\[K\r\ndev: .* failed with exit code 3; the end of ", written)


def test_second_stage_counts_the_seconds_from_the_first(monkeypatch):
    monkeypatch.setattr(console, "_start", console.time.monotonic() - 1000)
    monkeypatch.delenv(console.START, raising=False)
    console.keep_start()
    source = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools import console; console.step('on')"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\[10\d\d\.\ds\] on\n", done.stderr)


PIP_OFFLINE = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to establish a new "
    "connection: [Errno -3] Temporary failure in name resolution')': /simple/pip/"
)


def test_pip_without_network_is_one_paragraph(monkeypatch, tmp_path):
    monkeypatch.setattr(console, "LOGS", tmp_path)
    pip = [sys.executable, "-c", f"raise SystemExit({PIP_OFFLINE!r})"]
    with pytest.raises(console.DevError) as caught:
        bootstrap.run_pip(pip, ["nox"], "tools", None)
    message = str(caught.value)
    assert message.startswith("pip cannot reach its package index: Temporary failure in name resolution. ")
    assert "\n" not in message and "needs a network connection" in message and message.endswith("tools.log")


def test_pip_that_fails_otherwise_shows_the_end_of_its_output(monkeypatch, tmp_path):
    monkeypatch.setattr(console, "LOGS", tmp_path)
    with pytest.raises(console.DevError, match="ERROR: no matching distribution") as caught:
        bootstrap.run_pip([sys.executable, "-c", "raise SystemExit('ERROR: no matching distribution')"], [], "x", None)
    assert not console.network_failure(caught.value)


@pytest.mark.parametrize(
    "line",
    ["  Temporary failure resolving 'deb.debian.org'", "  Could not connect to deb.debian.org:80 (127.0.0.1)."],
)
def test_apt_without_network_is_recognized(line):
    found = console.network_failure(console.DevError(f"Err:1 http://deb.debian.org/debian\n{line}"))
    assert found and found in line


def test_unusable_compiler_in_cxx_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "/bin/false")
    (description, package), *_ = system.missing()
    assert description.endswith("; CXX=/bin/false is not one: set it to one, or unset it") and package == "g++"


def test_dev_without_a_command_lists_the_commands():
    done = subprocess.run([sys.executable, ROOT / "dev"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert all(f"\n    {command} " in done.stdout for command in ("demo", "test", "docs", "python"))
