"""./dev lint: ruff for Python files, clang-format for C++ files, codespell and the word list for all text files."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from . import words
from .bootstrap import tool
from .console import ROOT, output
from .counts import Counts, one

PYTHON = (".py", ".pyi")
CPP = (".h", ".hpp", ".cpp")


def files():
    """Return the files of the checkout that git tracks or would add; without git, all but hidden and built ones."""
    listing = output(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    if listing is not None:
        names = listing.split("\0")
    else:
        names = []
        for folder, folders, found in os.walk(ROOT):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in ("build", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in found]
    return sorted({name for name in names if name and (ROOT / name).is_file()})


def is_text(name: str) -> bool:
    """Return True if a file has no null byte near its beginning, which is git's definition of text."""
    with open(ROOT / name, "rb") as file:
        return b"\0" not in file.read(8000)


def check(fix: bool = False, only=()) -> Counts:
    """Run each check on its files, restricted to those below `only`; with `fix`, repair what the tools can repair."""
    known = files()
    if only:
        wanted = [Path(name).resolve() for name in only]
        known = [name for name in known if any(place in (ROOT / name, *(ROOT / name).parents) for place in wanted)]
    python = [name for name in known if name.endswith(PYTHON) or name == "dev"]
    cpp = [name for name in known if name.endswith(CPP)]
    text = [name for name in known if is_text(name)]
    checks = (
        ("Python code", "ruff", ["check", "--no-cache", "--quiet"] + (["--fix"] if fix else []), python),
        ("Python layout", "ruff", ["format", "--no-cache", "--quiet"] + ([] if fix else ["--diff"]), python),
        ("C++ layout", "clang-format", ["-i"] if fix else ["--dry-run", "-Werror"], cpp),
        ("Spelling", "codespell", ["--write-changes"] if fix else [], text),
    )
    counts = Counts()
    for title, program, options, names in checks:
        if not names:
            continue
        done = subprocess.run([tool(program), *options, *names], cwd=ROOT, capture_output=True, text=True)
        # clang-format reports every place; the files suffice.
        found = re.findall(r"^(.+?):\d+:\d+: error: code should be clang-formatted", done.stderr, re.M)
        lines = [done.stdout.rstrip(), "\n".join(dict.fromkeys(found)) or done.stderr.rstrip()]
        counts += report(title, names, lines, done.returncode == 0, " (./dev lint --fix repairs most findings)")
    if text:
        found = list(words.findings(text))
        counts += report("Words", text, found, not found, f" ({len(found)} findings)")
    return counts


def report(title: str, names, lines, passed: bool, remark: str) -> Counts:
    """Print the outcome of one check, with a remark if it failed; return it."""
    for line in filter(None, lines):
        print(line)
    print(f"{title}, {len(names)} files: {'ok' if passed else 'FAILED' + remark}", flush=True)
    return one(passed)
