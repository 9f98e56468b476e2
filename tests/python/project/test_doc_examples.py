"""The examples of the documentation: every one runs and prints what its page shows."""

import contextlib
import importlib.util
import os
import pty
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import pytest
from support import PATIENCE, environment, run_python
from support.nats_server import Server, unavailable

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.M | re.S)
SERVER = "nats://127.0.0.1:4222"  # the tests replace it
NEEDS_3_14 = re.compile(r"concurrent|InterpreterPoolExecutor|xichan\.Workers")


class Example(NamedTuple):
    """A program in a page, and the output that the page shows after it, or None."""

    name: str
    source: str
    output: str | None
    numbers_vary: bool


def examples(path):
    """Yield the examples of a page. A block `output` shows what the program before it prints."""
    text = path.read_text()
    blocks = list(FENCE.finditer(text))
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block[1] == "python":
            name = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, block.start()) + 1}"
            language, _, option = following[1].partition(" ") if following else ("", "", "")
            output = following[2] if language == "output" else None
            yield Example(name, block[2], output, option == "numbers-vary")


def parameters():
    for example in (example for path in PAGES for example in examples(path)):
        old = NEEDS_3_14.search(example.source) and sys.version_info < (3, 14)
        no_numpy = "import numpy" in example.source and importlib.util.find_spec("numpy") is None
        marks = [pytest.mark.skipif(bool(old), reason="needs CPython 3.14")]
        marks.append(pytest.mark.skipif(no_numpy, reason="needs NumPy"))
        if SERVER in example.source:
            marks.append(pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "needs NATS"))
        yield pytest.param(example, id=example.name, marks=marks)


def without_numbers(text):
    return re.sub(r" *\d+", " 0", text)


@pytest.mark.parametrize("example", list(parameters()))
def test_example_runs_and_prints_the_shown_output(example, tmp_path):
    with contextlib.ExitStack() as servers:
        source = example.source
        if SERVER in source:
            source = source.replace(SERVER, servers.enter_context(Server(tmp_path / "server")).url)
        run_example(example, source, tmp_path)


def run_example(example, source, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(source)
    # The shell that runs this test may ignore SIGINT; restore it, because an example may send itself Ctrl-C.
    launcher = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.chdir(os.path.dirname(sys.argv[-1])); os.execv(sys.executable, sys.argv[1:])"
    )
    done = run_python("-c", launcher, sys.executable, "-W", "error", script)
    assert done.stderr == ""
    if example.numbers_vary:  # the page shows the first lines
        assert without_numbers(done.stdout).startswith(without_numbers(example.output))
    elif example.output is not None:
        assert done.stdout == example.output


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
@pytest.mark.parametrize("example", [pytest.param(e, id=e.name) for e in examples(ROOT / "README.md")])
def test_readme_example_runs_at_the_prompt(example):
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=example.source + "\n",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    shown = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith("<Future")]
    assert "".join(shown) == example.output
    assert "Error" not in done.stderr


def test_pages_of_every_part_have_examples():
    """Guards against a glob that misses a folder."""
    pages = {path for path in PAGES if any(examples(path))}
    assert ROOT / "README.md" in pages
    assert {path.parent.name for path in pages} >= {"tutorial", "how-to", "reference", "explanation"}


def test_every_program_of_the_tutorial_shows_its_output():
    for path in sorted((ROOT / "docs" / "tutorial").glob("*.md")):
        assert list(examples(path))
        assert [example.name for example in examples(path) if example.output is None] == []


@pytest.fixture
def index_program(tmp_path):
    """The last program of the tutorial as a process, whose stderr is the terminal `terminal`."""
    (example,) = examples(ROOT / "docs" / "tutorial" / "5-index.md")
    (tmp_path / "index.py").write_text(example.source)
    terminal, child_end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, tmp_path / "index.py", sysconfig.get_path("stdlib")],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=child_end,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        os.close(child_end)
        process.terminal = terminal
        yield process
        process.kill()
    os.close(terminal)


def read_terminal(terminal, until):
    """Return what a terminal shows up to some bytes, or to the end of the program."""
    shown = b""
    while until not in shown:
        try:
            data = os.read(terminal, 1000)
        except OSError:  # Linux: EIO once the other end of the terminal is closed
            break
        shown += data
    return shown


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
def test_last_program_of_the_tutorial_shows_its_progress(index_program):
    shown = read_terminal(index_program.terminal, b"\n")
    number = int(re.search(rb"\r1 of (\d+) files", shown)[1])
    assert shown.endswith(b"\r%d of %d files\r\n" % (number, number))
    assert f"{number} files, " in index_program.stdout.read()


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
def test_last_program_of_the_tutorial_stops_on_ctrl_c(index_program):
    read_terminal(index_program.terminal, b"\r5 of ")
    index_program.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in read_terminal(index_program.terminal, b"KeyboardInterrupt")
    assert index_program.wait(PATIENCE) == -signal.SIGINT


def test_every_output_follows_a_program():
    for path in PAGES:
        shown = len(re.findall(r"^```output", path.read_text(), re.M))
        assert shown == sum(example.output is not None for example in examples(path)), path


def test_messages_quoted_in_troubleshooting_are_real():
    """A quoted message occurs in an output of its section, which test_example_... compares with the real one."""
    text = (ROOT / "docs" / "how-to" / "troubleshooting.md").read_text()
    quoted = []
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        outputs = "".join(block[2] for block in FENCE.finditer(section) if block[1] == "output")
        for message in re.findall(r"\*\*Message\.\*\* `([^`]+)`", section):
            assert message in outputs, message
            quoted.append(message)
        title = re.match(r'"(.+)"\n', section)
        assert title is None or title[1] in outputs, title
    assert len(quoted) >= 3
