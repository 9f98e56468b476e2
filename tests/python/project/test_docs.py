"""The documentation: examples run, links resolve, tables agree with the sources."""

import itertools
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from support import environment, run_python

import xichan

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def page(name):
    return (ROOT / name).read_text()


def fenced(text, language):
    """Return the code blocks of one language in a page."""
    return [match[2] for match in FENCE.finditer(text) if match[1] == language]


def examples():
    for path in PAGES:
        text = path.read_text()
        for match in FENCE.finditer(text):
            if match[1] == "python":
                name = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
                old = "concurrent" in match[2] and sys.version_info < (3, 14)
                yield pytest.param(match[2], id=name, marks=pytest.mark.skipif(old, reason="needs CPython 3.14"))


@pytest.mark.parametrize("source", list(examples()))
def test_example(source, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(source)
    # The starter hands Ctrl-C on to the example, whatever the shell of this test ignores.
    starter = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.executable, sys.argv[1:])"
    )
    done = run_python("-c", starter, sys.executable, "-W", "error", script)
    assert done.stderr == ""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
def test_first_program_at_the_prompt():
    (source,) = fenced(page("README.md"), "python")
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=source, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == [f"{n} {2 ** (40 * n)}" for n in range(5)]
    assert "Error" not in done.stderr


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(path):
    text = FENCE.sub("", path.read_text())
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target.partition("#")[0]).exists(), target


def test_rules_are_numbered_in_order():
    numbers = [int(n) for n in re.findall(r"^(\d+)\. ", page("docs/reference/channel-semantics.md"), re.M)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_errors():
    rows = re.findall(r"^\| `(\w+)` \| (?:`([\w.]+)`)? *\|", page("docs/reference/channel-semantics.md"), re.M)
    classes = {
        cls.__name__: cls for cls in vars(xichan).values() if isinstance(cls, type) and xichan.Error in cls.__bases__
    }
    assert {name for name, _ in rows} == set(classes)
    for name, other in rows:
        also = [base for base in classes[name].__bases__ if base is not xichan.Error]
        assert [base.__qualname__ for base in also] == ([other.rpartition(".")[2]] if other else [])


def memory():
    """Yield the writable memory regions of this process."""
    with open("/proc/self/maps") as maps:
        lines = maps.readlines()
    with open("/proc/self/mem", "rb", 0) as file:
        for line in lines:
            places, access, *_ = line.split()
            if access.startswith("rw"):
                first, end = (int(place, 16) for place in places.split("-"))
                file.seek(first)
                try:
                    yield file.read(end - first)
                except OSError:  # gone meanwhile, or not memory
                    pass


def blocks(body):
    """Return the headers of all blocks in memory with this body, one owner and no references."""
    for region in memory():
        place = region.find(body)
        while place >= 0:
            header = region[max(place - 32, 0) : place]
            if header == struct.pack("<IIQQQ", 1, 0, len(body), 0, 0):
                yield header
            place = region.find(body, place + 1)


def test_block_is_as_shown():
    text = page("docs/reference/block-format.md")
    dump = fenced(text, "")[0]
    lines = re.findall(r"^(?: ([0-9a-f]{2})|   )    ((?:[0-9a-f]{2} +){15}[0-9a-f]{2})   ", dump, re.M)
    assert len(lines) == dump.count("\n")
    assert [place for place, _ in lines] == ["", ""] + [f"{16 * i:02x}" for i in range(len(lines) - 2)]
    # Header and body are kept apart, or they would be found here.
    body = bytes.fromhex("".join(line for place, line in lines if place))
    assert list(blocks(body)) == []
    names = {}
    exec(fenced(text, "python")[0], names)
    assert bytes.fromhex("".join(line for place, line in lines if not place)) in list(blocks(body))
    assert names["rx"].recv() == ("AAPL", 187.25, (True, 2**70), "a text of 24 code points")


def test_tags():
    """The tags in the table are those of cell.h, in its order."""
    enum = re.search(r"enum class Tag .*?\{(.*?)\n\};", page("src/value/cell.h"), re.S)[1]
    names = re.findall(r"^  (\w+)\b", enum, re.M)
    rows = re.findall(r"^\| ((?:[0-9a-f]{2}(?:, )?)+) \|", page("docs/reference/block-format.md"), re.M)
    tags = itertools.chain.from_iterable(row.split(", ") for row in rows)
    assert [int(tag, 16) for tag in tags] == list(range(len(names)))


def test_every_numbered_pair_is_in_the_table():
    rows = [
        line.split("|")[1:3]
        for line in page("docs/explanation/memory-ordering.md").splitlines()
        if line.startswith("| ")
    ]
    known = {
        (place, number)
        for numbers, places in rows
        for place in re.findall(r"`(\S+)`", places)
        for number in re.findall(r"\((\d+)\)", numbers)
    }
    used = set()
    for path in (ROOT / "src").rglob("*.*"):
        if path.suffix in (".h", ".cpp"):
            comments = "\n".join(re.findall(r"//.*", path.read_text()))
            place = str(path.relative_to(ROOT / "src"))
            used |= {(place, number) for number in re.findall(r"(?<!\w)\((\d+)\)", comments)}
    assert used == known
