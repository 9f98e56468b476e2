"""Checks text files against the word list, tools/words.txt: words that the project avoids, each with a suggestion."""

from __future__ import annotations

import bisect
import re
import sys
from pathlib import Path

from .console import ROOT

LIST = Path(__file__).with_name("words.txt")
# What starts a line of a comment, a list or a docstring: a phrase may continue across it.
LEADER = re.compile(r"[ \t]*(?://+|#+|\*+|[-+] |> |\"+)?[ \t]*")

# A line of a C++ string with a single word: the formatter has broken a docstring in the middle of a sentence.
BROKEN = re.compile(r'^[ \t]*"(\w[^" .\\]*)\\n"$', re.M)


def read_list():
    """Return [(pattern, suggestion)] and the paths of exempt files."""
    patterns, exempt = [], set()
    for line in LIST.read_text().splitlines():
        pattern, arrow, suggestion = line.partition(" -> ")
        if arrow and not line.startswith("#"):
            patterns.append((re.compile(pattern, re.I), suggestion))
        elif line.startswith("exempt "):
            exempt.add(line[len("exempt ") :])
    return patterns, exempt


def flatten(text: str):
    """Join the lines of each paragraph without their leaders; return the result and the offset of each line in it.

    Underscores become spaces, so that the patterns also match parts of identifiers.
    """
    joined, offsets, length = [], [], 0
    for line in text.split("\n"):
        line = line[LEADER.match(line).end() :].rstrip().replace("_", " ")
        line = line + " " if line else "\n"  # an empty line ends the paragraph
        offsets.append(length)
        joined.append(line)
        length += len(line)
    return "".join(joined), offsets


def findings(names):
    """Yield `FILE:LINE: "WORD": SUGGESTION` for each avoided word in files, given relative to the checkout."""
    patterns, exempt = read_list()
    for name in names:
        if name in exempt or name == LIST.relative_to(ROOT).as_posix():
            continue
        content = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        text, offsets = flatten(content)
        found = [
            (bisect.bisect_right(offsets, match.start()), match.group(), hint)
            for pattern, hint in patterns
            for match in pattern.finditer(text)
        ]
        if name.endswith((".cpp", ".h")):
            for match in BROKEN.finditer(content):
                line = content.count("\n", 0, match.start(1)) + 1
                found.append((line, match.group(1), "join the lines of the docstring"))
        for line, word, hint in sorted(found):
            yield f'{name}:{line}: "{word}": {hint}'


if __name__ == "__main__":  # pre-commit passes the names of changed files
    problems = list(findings(sys.argv[1:]))
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(1 if problems else 0)
