"""Checks that each layer of the core includes only those below it, and that Python.h stays in the bindings."""

from __future__ import annotations

import re
from pathlib import Path

from .console import ROOT
from .counts import Counts

# Bottom first, each with its public headers: a layer may include its own, and everything above in this list.
LAYERS = {
    "base": {"export.h", "status.h", "version.h"},
    "arena": {"memory.h"},
    "value": {"buffer.h", "value.h", "visit.h"},
    "sync": set(),
    "ring": {"flavor.h"},
    "channel": {"channel.h", "names.h", "options.h", "select.h"},
    "public": {"xichan.h"},
}
NAMES = list(LAYERS)
SOURCES = {".h", ".hpp", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def layer_of(path: str):
    """The layer that an included path belongs to; None for what is not of the core; an error for the unknown."""
    folder, _, name = path.partition("/")
    if folder == "xichan":
        found = [layer for layer, headers in LAYERS.items() if name in headers]
        if not found:
            raise LookupError(f"{path} has no layer: name it in tools/layers.py")
        return found[0]
    return folder if folder in LAYERS else None


def problems(file: Path, layer: str, root: Path):
    """What is wrong with the includes of one file of a layer."""
    text = file.read_text(errors="replace")
    for match in INCLUDE.finditer(text):
        path = match.group(1)
        where = f"{file.relative_to(root)}:{text.count(chr(10), 0, match.start(1)) + 1}"
        try:
            other = layer_of(path)
        except LookupError as error:
            yield f"{where}: {error}"
            continue
        if path == "Python.h":
            yield f"{where}: only python_bindings/ and include/xichan/python.h may include Python.h"
        elif other is not None and NAMES.index(other) > NAMES.index(layer):
            yield f"{where}: {layer} must not include {path}, which is of the layer {other}"
        elif other is None and '"' in match.group() and not (file.parent / path).exists():
            yield f"{where}: {path} belongs to no layer"


def files_by_layer(root: Path):
    """Each layer's sources and public headers; python.h is of the bindings, which may include anything."""
    public = root / "include" / "xichan"
    for layer, headers in LAYERS.items():
        sources = sorted(file for file in (root / "src" / layer).rglob("*") if file.suffix in SOURCES)
        yield layer, sources, [public / name for name in sorted(headers) if (public / name).exists()]


def check(root: Path = ROOT) -> Counts:
    """Print what is wrong; one test per layer that has files, and one for folders and headers of no layer."""
    counts = Counts()
    strays = [
        f"src/{file.name} is no layer" for file in (root / "src").iterdir() if file.is_dir() and file.name not in LAYERS
    ]
    known = {"python.h"}.union(*LAYERS.values())
    for header in (root / "include" / "xichan").rglob("*.h"):
        if header.name not in known:
            strays.append(f"{header.relative_to(root)} has no layer: name it in tools/layers.py")
    results = [("everything has a layer", strays)]
    for layer, sources, headers in files_by_layer(root):
        if sources or headers:
            found = [problem for file in sources for problem in problems(file, layer, root)]
            found += [problem for file in headers for problem in problems(file, layer, root)]
            found += [problem for file in headers for problem in private(file, root)]
            results.append((layer, found))
    for name, found in results:
        print(f"{name}: {'ok' if not found else 'FAILED'}", *found, sep="\n  ")
        counts += Counts(failed=1) if found else Counts(passed=1)
    return counts


def private(header: Path, root: Path):
    """Includes of a public header that users do not get."""
    for path in INCLUDE.findall(header.read_text(errors="replace")):
        if path.partition("/")[0] in LAYERS:
            yield f"{header.relative_to(root)}: {path} is not installed"
