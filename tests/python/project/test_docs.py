"""The documentation: every link resolves, and every table agrees with the sources."""

import itertools
import re
import struct
import tomllib
from pathlib import Path

import pytest

import xichan

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
# Pages without examples of their own, whose links are checked as well.
OTHER_PAGES = sorted(path for folder in ("src", "tests", "bench", "tools") for path in (ROOT / folder).rglob("*.md"))
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.M | re.S)
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]


def page(name):
    return (ROOT / name).read_text()


def fenced(text, language):
    """Return the fenced blocks of one language."""
    return [match[2] for match in FENCE.finditer(text) if match[1] == language]


def anchors(text):
    """Return the anchors that GitHub makes from the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES + OTHER_PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(path):
    text = FENCE.sub("", path.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text()), link


def test_links_of_the_readme_are_absolute_and_resolve():
    """A package index shows README.md, where relative links lead nowhere."""
    site, raw = URLS["Documentation"], URLS["Source"].replace("://github.com/", "://raw.githubusercontent.com/")
    links = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page("README.md")))
    assert len(links) > 10
    for link in links:
        address, _, anchor = link.partition("#")
        if address.startswith(site):
            name = address.removeprefix(site).removesuffix(".html")
            target = ROOT / "docs" / ("README.md" if name == "index" else f"{name}.md")
        else:
            folder = next(each for each in (f"{URLS['Source']}/blob/main/", f"{raw}/main/") if address.startswith(each))
            target = ROOT / address.removeprefix(folder)
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_every_page_is_in_the_index_with_a_sentence():
    """The index is also the navigation of the site: one page per line, with a description."""
    entries = re.findall(r"^\* \[.+\]\((.+\.md)\): [^\n]+\.$", page("docs/README.md"), re.M)
    names = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    names -= {"README.md", "index.md"}  # the index itself, and the page of the site that shows it
    assert sorted(entries) == sorted(names)


def test_figures_of_the_decision_page_are_those_of_the_benchmarks():
    known = set(re.findall(r"\| ([\d.,]+ (?:[kM]?/s|us)) ", page("docs/benchmarks/3.14.md")))
    figures = re.findall(r"(?<=\| )[\d.,]+ (?:[kM]?/s|us)(?= \|)", page("docs/explanation/choosing.md"))
    assert len(figures) == 24
    assert set(figures) <= known


@pytest.mark.parametrize(
    "pages", [("channel-semantics", "channel-features"), ("shared-state",)], ids=lambda pages: pages[0]
)
def test_rules_are_numbered_in_order(pages):
    text = "".join(page(f"docs/reference/{name}.md") for name in pages)
    numbers = [int(n) for n in re.findall(r"^(\d+)\. ", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_error_table_matches_exception_classes():
    rows = re.findall(r"^\| `(\w+)` \| (?:`([\w.]+)`)? *\|", page("docs/reference/channel-semantics.md"), re.M)
    classes = {
        cls.__name__: cls for cls in vars(xichan).values() if isinstance(cls, type) and xichan.Error in cls.__bases__
    }
    assert {name for name, _ in rows} == set(classes)
    for name, other in rows:
        also = [base for base in classes[name].__bases__ if base is not xichan.Error]
        assert [base.__qualname__ for base in also] == ([other.rpartition(".")[2]] if other else [])


def memory():
    """Yield the content of every writable memory region of this process."""
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
                except OSError:  # unmapped since, or not readable as memory
                    pass


def blocks(body):
    """Yield the header of every block in memory with this body, one owner and no references."""
    for region in memory():
        place = region.find(body)
        while place >= 0:
            header = region[max(place - 32, 0) : place]
            if header == struct.pack("<IIQQQ", 1, 0, len(body), 0, 0):
                yield header
            place = region.find(body, place + 1)


def test_block_dump_matches_memory():
    text = page("docs/reference/block-format.md")
    dump = fenced(text, "")[0]
    lines = re.findall(r"^(?: ([0-9a-f]{2})|   )    ((?:[0-9a-f]{2} +){15}[0-9a-f]{2})   ", dump, re.M)
    assert len(lines) == dump.count("\n")
    assert [place for place, _ in lines] == ["", ""] + [f"{16 * i:02x}" for i in range(len(lines) - 2)]
    # Keep header and body apart: joined, this copy itself would match.
    body = bytes.fromhex("".join(line for place, line in lines if place))
    assert list(blocks(body)) == []
    names = {}
    exec(fenced(text, "python")[0], names)
    assert bytes.fromhex("".join(line for place, line in lines if not place)) in list(blocks(body))
    assert names["rx"].recv() == ("AAPL", 187.25, (True, 2**70), "a text of 24 code points")


def tag_names():
    """Return the names of the tags in cell.h; the index of a name is its tag."""
    enum = re.search(r"enum class Tag .*?\{(.*?)\n\};", page("src/value/cell.h"), re.S)[1]
    return re.findall(r"^  (\w+)\b", enum, re.M)


def test_tag_table_matches_cell_header():
    names = tag_names()
    rows = re.findall(r"^\| ((?:[0-9a-f]{2}(?:, )?)+) \|", page("docs/reference/block-format.md"), re.M)
    tags = itertools.chain.from_iterable(row.split(", ") for row in rows)
    assert [int(tag, 16) for tag in tags] == list(range(len(names)))


def test_memory_ordering_table_lists_every_numbered_pair():
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
