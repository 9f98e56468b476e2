"""Style: ruff for the Python files, clang-format for the C++ ones."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from . import pypi
from .console import ROOT, output
from .counts import Counts

PYTHON = (".py", ".pyi")
CPP = (".h", ".hpp", ".cpp")


def files():
    """The checkout's files that git knows or would add; without git, all but hidden and built ones."""
    listing = output(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    if listing is not None:
        names = listing.split("\0")
    else:
        names = []
        for folder, folders, found in os.walk(ROOT):
            folders[:] = [name for name in folders if not name.startswith(".") and name not in ("build", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in found]
    return sorted(name for name in names if name and (ROOT / name).is_file())


def check(fix: bool = False, only=()) -> Counts:
    """Run each check over the files that it is for, or those below `only`; with `fix`, mend what can be mended."""
    known = files()
    if only:
        wanted = [Path(name).resolve() for name in only]
        known = [name for name in known if any(place in (ROOT / name, *(ROOT / name).parents) for place in wanted)]
    python = [name for name in known if name.endswith(PYTHON) or name == "dev"]
    cpp = [name for name in known if name.endswith(CPP)]
    checks = (
        ("Python code", "ruff", ["check", "--no-cache", "--quiet"] + (["--fix"] if fix else []), python),
        ("Python layout", "ruff", ["format", "--no-cache", "--quiet"] + ([] if fix else ["--diff"]), python),
        ("C++ layout", "clang-format", ["-i"] if fix else ["--dry-run", "-Werror"], cpp),
    )
    counts = Counts()
    for title, name, options, names in checks:
        if not names:
            continue
        done = subprocess.run([pypi.tool(name), *options, *names], cwd=ROOT, capture_output=True, text=True)
        ok = done.returncode == 0
        # clang-format names every place; the files are enough.
        found = re.findall(r"^(.+?):\d+:\d+: error: code should be clang-formatted", done.stderr, re.M)
        for text in (done.stdout, "\n".join(dict.fromkeys(found)) or done.stderr):
            print(text.rstrip("\n"), end="\n" if text else "")
        outcome = "ok" if ok else "FAILED (./dev lint --fix may mend it)"
        print(f"{title}, {len(names)} files: {outcome}", flush=True)
        counts += Counts(passed=1) if ok else Counts(failed=1)
    return counts
