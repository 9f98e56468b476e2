"""The programs in docs/examples, run as a user would run them."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE, environment, run_python

pytest.importorskip("concurrent.interpreters")

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
INDEX = EXAMPLES / "stdlib_index.py"
TABLE = EXAMPLES / "shared_table.py"

ODD_FILES = {
    "plain.py": b"alpha = beta\nalpha(beta, gamma)\nif alpha: pass",
    "empty.py": b"",
    "surrogates.py": b'text = "\\ud800\\udfff \\N{BULLET}"\n',
    "crlf.py": b"alpha = 1\r\nbeta = alpha\r\n",
    "latin.py": b"# coding: latin-1\ncaf\xe9 = '\xfc'\n",
    "marked.py": b"\xef\xbb\xbfgamma = 1\n",
    "escape.py": b'gamma = f"\\{gamma}"\n',
    "deep/below.py": b"gamma = 1\n",
    "deep/\udcff.py": b"gamma = 1\n",
    "site-packages/other.py": b"other = 1\n",
    "notes.txt": b"other\n",
    # The program skips the following.
    "encoding.py": b"# coding: no-such-thing\nother = 1\n",
    "no_text.py": b"# coding: hex\nother = 1\n",
    "invalid.py": b"# plain\n# plain\nother = '\xff\xfe'\n",
    "open.py": b"other = (1,\n",
    "dedent.py": b"if other:\n        1\n    2\n",
    "nul.py": b"other = 1\0\n",
}
SKIPPED = {
    "encoding.py": "SyntaxError: unknown encoding",
    "no_text.py": "LookupError: 'hex' is not a text encoding",
    "invalid.py": "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff",
    "open.py": "unexpected EOF in multi-line statement, line",
    "dedent.py": "IndentationError: unindent does not match",
    "nul.py": "null bytes",
}
COUNTS = {"gamma": 6, "alpha": 5, "beta": 3, "café": 1, "text": 1}
LINES = 3 + 0 + 1 + 2 + 2 + 1 + 1 + 1 + 1


@pytest.fixture
def odd_files(tmp_path):
    """Create a folder with unusual and malformed source files."""
    for name, content in ODD_FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "dangling.py").symlink_to("nowhere")
    return tmp_path


def counts(output):
    """Return the printed identifiers and their counts, in order."""
    return {name: int(n.replace(",", "")) for n, name in re.findall(r"^ *([\d,]+)  (\w+)$", output, re.M)}


def test_index_of_standard_library_is_equal_with_and_without_workers():
    done = run_python(INDEX, "--limit", 40, "--workers", 2)
    assert "40 files" in done.stdout and "the results are equal" in done.stdout and "0 files skipped" in done.stdout
    assert "80 messages (2 interpreters)" in done.stdout and re.search(r"^start +[\d.]+ s, of these", done.stdout, re.M)
    assert re.search(r"^speed-up [\d.]+, [\d.]+ including the start; expected about [\d.]+;", done.stdout, re.M)
    assert re.search(r"^CPUs +[\d.]+ of \d for the workers, [\d.]+ of 1 alone", done.stdout, re.M)
    first = done.stdout.partition("\n")[0]
    assert re.match(r"\d+ CPUs? \(.+\), load [\d.]+, CPython 3.*: with 2 workers expect a speed-up of about \d", first)
    found = counts(done.stdout)
    assert len(found) == 20 and "self" in found and "def" not in found
    assert list(found.values()) == sorted(found.values(), reverse=True)
    steps = [f"{title}: {tenth}0 % of 40 files" for title in ("2 workers", "alone") for tenth in range(1, 11)]
    assert done.stderr.splitlines() == steps


def test_live_values_are_never_missed_and_no_increment_is_lost():
    done = run_python(EXAMPLES / "live_values.py", timeout=2 * PATIENCE)
    assert done.stdout.splitlines() == [
        *(f"{title}: 0 of 400,000 look-ups missed, 0 went back" for title in ("published value", "Cell", "Map")),
        *(f"{title}: 0 of 200,000 increments lost" for title in ("AtomicInt.add", "Map.add", "Cell.update")),
    ]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_malformed_files_are_reported_and_others_counted(odd_files, workers):
    done = run_python(INDEX, "--root", odd_files, "--workers", workers)
    assert counts(done.stdout) == COUNTS
    assert f"{len(ODD_FILES) - 2} files" in done.stdout and f" {LINES} lines" in done.stdout
    report = done.stdout.partition(f"{len(SKIPPED)} files skipped\n")[2].splitlines()
    assert [line.split(":")[0].strip() for line in report] == sorted(SKIPPED)
    for line in report:
        path, _, reason = line.strip().partition(": ")
        assert SKIPPED[path] in reason
    assert "Warning" not in done.stderr


def test_names_are_escaped_on_an_ascii_terminal(odd_files):
    done = run_python(INDEX, "--root", odd_files, env={"PYTHONIOENCODING": "ascii"})
    assert "1  caf\\xe9\n" in done.stdout


@pytest.mark.parametrize(
    "workers, cpus, load, expected",
    [
        (2, 2, 0.1, r"with 2 workers expect a speed-up of about 1.9$"),
        (8, 4, 0.0, r"with 8 workers expect a speed-up of about 3.7$"),
        (2, 2, 1.5, r"about 1.9, or less: the load shows other programs, or a build"),
        (2, 1, 0.0, r"about 1.0, because there is nothing to run in parallel on$"),
        (1, 8, 9.0, r"with 1 worker expect a speed-up of about 1.0, because"),
    ],
)
def test_index_states_the_speed_up_to_expect(workers, cpus, load, expected, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import stdlib_index

    monkeypatch.setattr(os, "process_cpu_count", lambda: cpus)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0, 0))
    text, number = stdlib_index.conditions(workers)
    assert re.search(expected, text) and f"{number:.1f}" in text and f"load {load:.1f}" in text


@pytest.mark.parametrize(
    "workers, cpus, shares, expected",
    [
        (2, 2, (1.9, 0.99), "CPUs      1.90 of 2 for the workers, 0.99 of 1 alone"),
        (2, 2, (1.1, 0.99), "CPUs      1.10 of 2 for the workers, 0.99 of 1 alone: other programs took the rest"),
        (2, 2, (1.9, 0.50), "CPUs      1.90 of 2 for the workers, 0.50 of 1 alone: other programs took the rest"),
        (8, 1, (0.95, 0.9), "CPUs      0.95 of 1 for the workers, 0.90 of 1 alone"),
    ],
)
def test_index_states_the_processor_time_it_got(workers, cpus, shares, expected, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    import stdlib_index

    monkeypatch.setattr(os, "process_cpu_count", lambda: cpus)
    assert stdlib_index.processor_time(workers, *shares) == expected


def test_worker_that_does_not_start_is_reported(tmp_path):
    program = changed(tmp_path, "\n\nimport concurrent.interpreters as here\n"
                      "if here.get_current() != here.get_main(): raise RuntimeError('no start')\n")  # fmt: skip
    done = run_python(program, "--limit", 100, "--workers", 3, expect=1)
    assert "a worker failed: RuntimeError: no start" in done.stderr


def test_folder_without_python_files_is_an_error(tmp_path):
    done = run_python(INDEX, "--root", tmp_path, expect=1)
    assert done.stderr == f"no Python files in {tmp_path}\n"


def changed(folder, addition):
    """Return a copy of the program with `addition` appended to its module identifiers."""
    shutil.copy(INDEX, folder)
    text = (EXAMPLES / "identifiers.py").read_text()
    (folder / "identifiers.py").write_text(text + addition)
    return folder / INDEX.name


def test_failure_of_a_worker_is_reported(tmp_path):
    program = changed(tmp_path, "\n\ndef work(texts, results):\n    texts.recv()\n    raise RuntimeError('broken')\n")
    done = run_python(program, "--limit", 100, "--workers", 2, expect=1)
    assert "a worker failed: RuntimeError: broken" in done.stderr


def test_differing_results_are_reported(tmp_path):
    program = changed(
        tmp_path,
        """
real, here = examine, __import__("concurrent.interpreters").interpreters
def examine(path, text):
    path, lines, names = real(path, text)
    return path, lines + (here.get_current() != here.get_main()), names
""",
    )
    done = run_python(program, "--limit", 10, expect=1)
    assert "the results DIFFER" in done.stdout


def start(*arguments, **options):
    """Start the program with the default handler of SIGINT, which the shell of this test may ignore."""
    return subprocess.Popen(
        [sys.executable, INDEX, *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


@pytest.mark.parametrize("moment", ["2 workers: 10 %", "2 workers: 50 %", "alone: 10 %"])
def test_ctrl_c_interrupts_the_index(moment):
    with start("--workers", "2", stderr=subprocess.PIPE, text=True) as program:
        for line in program.stderr:
            if line.startswith(moment):
                break
        program.send_signal(signal.SIGINT)
        rest = program.stderr.read()
        assert program.wait(PATIENCE) == 130
    *progress, last = rest.splitlines()
    assert last == "interrupted"
    assert all("%" in line for line in progress if line), rest


def test_terminal_shows_a_progress_bar():
    terminal, child_end = pty.openpty()
    with start("--workers", "2", "--limit", "20", stderr=child_end) as program:
        os.close(child_end)
        shown = b""
        try:
            while data := os.read(terminal, 1000):
                shown += data
        except OSError:  # Linux: EIO once the other end of the terminal is closed
            pass
        os.close(terminal)
        assert "the results are equal" in program.stdout.read().decode()
    assert shown.count(b"\r   2 workers [") == 20 and b"\r       alone [##" in shown
    assert b"[" + b"#" * 40 + b"] 20/20\r\n" in shown and b"%" not in shown


def test_shared_table_returns_no_wrong_results():
    done = run_python(TABLE, "--small", timeout=120)
    assert done.stderr == ""
    assert "3,000 rows" in done.stdout and "1,000 lookups in 2 workers at once: 0 wrong results" in done.stdout
    table = re.findall(r"^(shared|by value) +((?: +[\d.-]+){4})$", done.stdout, re.M)
    assert [title for title, _ in table] == ["shared", "by value"]
    rates = re.findall(r"^(view|eager copy|plain tuple) +([\d,]+),? ", done.stdout, re.M)
    assert [title for title, _ in rates] == ["view", "eager copy", "plain tuple"]
    assert all(int(rate.replace(",", "")) > 0 for _, rate in rates)


@pytest.mark.parametrize(
    "program, found",
    [
        ("factorial.py", r"^xichan +[\d.]+ +[\d.]+$"),
        ("startup.py", r"^tasks of a warm pool, one by one +[\d.]+ +\d+$"),
        ("pi_digits.py", r"^20 +8 +\d+( +[\d.]+){4}$"),
        ("pipeline.py", r"^reduce +1 +30$"),
        ("http_workers.py", r"^stopped in [\d.]+ ms$"),
    ],
)
def test_pool_programs_print_their_results(program, found):
    done = run_python(EXAMPLES / program, "--small")
    assert re.search(found, done.stdout, re.M), done.stdout
    assert done.stderr == ""


def test_pi_digits_are_correct():
    sys.path.insert(0, str(EXAMPLES))
    try:
        from pi_digits import pi_digits
    finally:
        sys.path.remove(str(EXAMPLES))
    assert pi_digits(50) == 314159265358979323846264338327950288419716939937510
