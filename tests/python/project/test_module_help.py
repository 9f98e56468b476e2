"""What a user sees first at the prompt: help(xichan), dir(xichan), python -m xichan."""

import io
import platform
import pydoc
import re
import shutil
import sys
from pathlib import Path

import pytest
from support import run_python

import xichan
from xichan import __main__ as command

PACKAGE = Path(xichan.__file__).parent
WITH_INTERPRETERS = sys.version_info >= (3, 14)


def test_help_is_one_page():
    text = pydoc.plain(pydoc.render_doc(xichan))
    assert len(text.partition("PACKAGE CONTENTS")[0].splitlines()) < 75  # the modules follow, which help() always lists
    assert text.count("\n    ") > 50 and "CLASSES" not in text and "FUNCTIONS" not in text


def test_help_prints_the_same_page():
    output = io.StringIO()
    pydoc.Helper(output=output)(xichan)
    page = pydoc.plain(pydoc.render_doc(xichan)).partition("NAME\n")[2]
    assert pydoc.plain(output.getvalue()).partition("NAME\n")[2].strip() == page.strip()


def test_help_names_every_public_name():
    page = set(re.findall(r"\w+", xichan.__doc__))
    assert sorted(set(xichan.__all__) - {"__version__"} - page) == []


def test_names_on_the_help_page_exist():
    _, _, table = xichan.__doc__.partition("\nChannels\n")
    names = re.findall(r"^    (\w[\w, ]*?)(?:\(\w+\))?(?:  |$)", table.partition("\nCommands\n")[0], re.M)
    found = [name for line in names for name in line.split(", ")]
    assert len(found) > 40 and sorted(set(found) - set(xichan.__all__)) == []


def test_other_pages_of_help_are_complete():
    assert "send_nowait(" in pydoc.plain(pydoc.render_doc(xichan.Sender))
    assert "capacity" in pydoc.plain(pydoc.render_doc(xichan.channel))
    assert "TimeoutError" in pydoc.plain(pydoc.render_doc("xichan.ChannelTimeout"))


def test_dir_lists_public_names_only():
    assert dir(xichan) == sorted(xichan.__all__)
    for name in dir(xichan):
        getattr(xichan, name)


def test_dir_needs_no_calling_frame():
    """A C++ program may call PyObject_Dir() while no Python code runs."""
    assert run_python("-c", "import atexit, xichan; atexit.register(dir, xichan)").stderr == ""


def test_self_check_reports_each_part():
    done = run_python("-m", "xichan")
    first, *lines = done.stdout.splitlines()
    assert first.startswith(f"xichan {xichan.__version__}")
    assert f"CPython {platform.python_version()}, Linux {platform.machine()}" in first
    checks = dict(re.findall(r"^  ok      (\S+) +(.+)$", done.stdout, re.M))
    assert list(checks) == ["channel", "interpreters", "pool", "C++"]
    assert ("went to another interpreter and back" in checks["interpreters"]) == WITH_INTERPRETERS
    assert str(PACKAGE) in checks["C++"]
    assert "--cmakedir" in done.stdout and "python -m xichan.bench" in done.stdout
    assert done.stderr == ""


def test_self_check_fails_with_the_missing_file(tmp_path):
    copy = tmp_path / "xichan"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "include"))
    done = run_python("-m", "xichan", env={"PYTHONPATH": str(tmp_path)}, expect=1)
    assert f"  FAILED  C++           {copy}/include/xichan/xichan.h is missing: reinstall xichan" in done.stdout
    assert done.stdout.count("  ok  ") == 3 and "Traceback" not in done.stdout
    assert done.stderr == "1 of 4 checks failed\n"


def test_self_check_reports_a_failing_part(monkeypatch, capsys):
    def broken(capacity):
        raise MemoryError("no room")

    monkeypatch.setattr(xichan, "channel", broken)
    monkeypatch.setattr(command, "CHECKS", {"channel": command.check_channel})
    assert command.main([]) == 1
    output = capsys.readouterr()
    assert "  FAILED  channel       MemoryError: no room" in output.out and output.err == "1 of 1 checks failed\n"


def test_self_check_reports_a_changed_value(monkeypatch, capsys):
    monkeypatch.setattr(command, "CHECKS", {"channel": lambda: command.expect(1, 2)})
    assert command.main([]) == 1
    assert "expected 1, got 2" in capsys.readouterr().out


def test_commit_of_a_wheel_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "PACKAGE", tmp_path)
    assert command.commit() == ""
    (tmp_path / "commit.txt").write_text("0123456789ab\n")
    assert command.commit() == " (commit 0123456789ab)"


def test_options_print_values_only():
    done = run_python("-m", "xichan", "--version", "--libdir")
    assert done.stdout.splitlines() == [xichan.__version__, str(PACKAGE)]


@pytest.mark.parametrize("arguments", [["--nothing"], ["argument"]])
def test_unknown_arguments_are_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2 and "usage: python -m xichan" in capsys.readouterr().err
