"""The prose of docs/reference/block-format.md agrees with the sources."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/reference/block-format.md").read_text()
# The prose without tables, dumps and code, each paragraph on one line.
PROSE = " ".join(re.sub(r"^```.*?^```$|^\|.*?$", "", PAGE, flags=re.M | re.S).split())


def tags():
    """The tags of cell.h: name to number."""
    enum = re.search(r"enum class Tag .*?\{(.*?)\n\};", (ROOT / "src/value/cell.h").read_text(), re.S)[1]
    return {name: number for number, name in enumerate(re.findall(r"^  (\w+)\b", enum, re.M))}


def test_every_tag_in_the_prose_has_the_number_of_its_name():
    named = re.findall(r"\btag ([0-9a-f]{2}) \(`(\w+)`\)", PROSE)
    assert {name: int(number, 16) for number, name in named}.items() <= tags().items()
    assert {"block", "shared_block", "reference", "shared", "window", "repeat"} <= {name for _, name in named}
    # No number stands without its name, where the comparison would miss it.
    assert len(re.findall(r"\btags? (?=[0-9a-f]{2}\b)", PROSE)) == len(named)


def test_header_describes_every_field_of_the_block():
    header = (ROOT / "src/arena/block.h").read_text()
    members = re.sub(r"^  union {\n  (.*?;).*?^  };", r"\1", header.partition("private:")[2], flags=re.S | re.M)
    fields = re.findall(r"^  (atomic<\S+>|\S+) (\w+_)(?: = \w+)?;", members, re.M)
    widths = {"atomic<std::uint32_t>": 4, "std::uint32_t": 4, "std::uint64_t": 8, "Block*": 8}
    rule = re.search(r"3\. The header holds (.*?)\.(?= |$)", PROSE)[1]
    assert [widths[kind] for kind, _ in fields] == [int(width) for width in re.findall(r"\((\d)(?: bytes)?\)", rule)]
    assert "size of the mapping" in rule and [name for _, name in fields][-1] == "mapped_bytes_"
