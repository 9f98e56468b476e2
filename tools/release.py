"""python3 -m tools.release VERSION: checks a version and prints its section of the changelog, for a release."""

from __future__ import annotations

import re
import sys

from .console import ROOT, DevError


def version() -> str:
    """Return the version of the sources, which include/xichan/version.h defines for all of them."""
    return re.search(r'#define XICHAN_VERSION "([^"]+)"', (ROOT / "include/xichan/version.h").read_text()).group(1)


def notes(wanted: str) -> str:
    """Return the section of CHANGELOG.md for a version; raise DevError if it is not what the sources define."""
    if wanted != version():
        raise DevError(f"expected version {version()}, as include/xichan/version.h defines, got {wanted}")
    sections = re.split(r"^## \[?([^\]\s]+).*\n", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)
    found = dict(zip(sections[1::2], sections[2::2]))
    if not found.get(wanted, "").strip():
        raise DevError(f"CHANGELOG.md has no section `## {wanted}`, got {', '.join(found) or 'none'}")
    return found[wanted].strip()


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1]))
    except (DevError, IndexError) as error:
        sys.exit(f"release: {error}")
