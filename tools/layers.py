"""Checks the layers: each includes only itself and those below it, no circle joins the files of one layer, and Python.h
stays in the bindings.
"""

from __future__ import annotations

import re
from pathlib import Path

from .console import ROOT
from .counts import Counts

# Bottom first, each with its public headers.
CORE = {
    "base": {"export.h", "status.h", "stop.h", "time_limit.h", "version.h"},
    "page": set(),
    "arena": {"memory.h"},
    "value": {"buffer.h", "containers.h", "value.h", "visit.h"},
    "sync": set(),
    "trace": set(),
    "state": {"state_kind.h"},
    "ring": {"flavor.h"},
    "channel": {"options.h"},
    "directory": set(),
    "endpoint": set(),
    "api": {
        "async.h",
        "atomic_int.h",
        "barrier.h",
        "broadcast.h",
        "cell.h",
        "channel.h",
        "condition.h",
        "descriptor.h",
        "event.h",
        "lock.h",
        "map.h",
        "names.h",
        "select.h",
        "semaphore.h",
        "state.h",
        "state_object.h",
        "xichan.h",
    },
    "nats": {"nats.h"},
}
# Of python_bindings/src, bottom first; "top" is the folder itself. The bindings may include every layer of the core.
BINDINGS = ["base", "values", "ends", "state", "embed", "nats", "top"]
# Headers of libraries in folders that have the name of a layer.
LIBRARIES = {"nats/nats.h"}
SOURCES = {".h", ".hpp", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


class Tree:
    """A folder whose subfolders are layers, with the order of the layers and the files of each."""

    def __init__(self, folder: Path, order, public=None):
        self.folder, self.order = folder, list(order)
        self.files = {layer: [] for layer in self.order}
        self.strays = []
        for file in sorted(path for path in folder.rglob("*") if path.suffix in SOURCES):
            parts = file.relative_to(folder).parts
            layer = parts[0] if len(parts) > 1 else "top"
            if layer in self.files:
                self.files[layer].append(file)
            else:
                self.strays.append(f"{folder.name}/{layer} is not a layer: name it in tools/layers.py")
        for layer, names in (public or {}).items():
            self.files[layer] += [
                path for path in (folder.parent / "include/xichan" / name for name in sorted(names)) if path.exists()
            ]

    def find(self, path: str):
        """The file and layer that an include names in this tree, or None."""
        for layer, files in self.files.items():
            for file in files:
                inside = file.is_relative_to(self.folder)
                name = file.relative_to(self.folder).as_posix() if inside else f"xichan/{file.name}"
                if name == path:
                    return file, layer
        return None


def includes(file: Path):
    """(where, path) for each include of a file."""
    text = file.read_text(errors="replace")
    for match in INCLUDE.finditer(text):
        yield f"{file.name}:{text.count(chr(10), 0, match.start(1)) + 1}", match.group(1)


def upward(tree: Tree, layer: str, also=()):
    """Includes of a layer that lead to a layer above it, or to nothing that is known."""
    rank = tree.order.index(layer)
    for file in tree.files[layer]:
        for where, path in includes(file):
            found = tree.find(path)
            if path == "Python.h" and not also:
                yield f"{where}: only python_bindings/ and include/xichan/python.h may include Python.h"
            elif found and tree.order.index(found[1]) > rank:
                yield f"{where}: {layer} must not include {path}, which is in the layer {found[1]} above it"
            elif (
                not found
                and path not in LIBRARIES
                and not any(other.find(path) for other in also)
                and "/" in path
                and path.partition("/")[0] in tree.files
            ):
                yield f"{where}: {path} is not a file of a layer"


def circle(tree: Tree, layer: str):
    """A circle of includes between the files of a layer. A header and its source file count as one."""

    def unit(file):
        return (
            file.with_suffix("").relative_to(tree.folder).as_posix() if file.is_relative_to(tree.folder) else file.name
        )

    edges = {unit(file): set() for file in tree.files[layer]}
    for file in tree.files[layer]:
        for _, path in includes(file):
            found = tree.find(path)
            if found and found[1] == layer and unit(found[0]) != unit(file):
                edges[unit(file)].add(unit(found[0]))
    done, path = set(), []

    def visit(name):
        if name in path:
            yield " -> ".join([*path[path.index(name) :], name])
        elif name not in done:
            path.append(name)
            for other in sorted(edges[name]):
                yield from visit(other)
            path.pop()
            done.add(name)

    for name in sorted(edges):
        for found in visit(name):
            yield f"circle: {found}"


def private(header: Path, core: Tree):
    """Includes of a public header that users do not get."""
    for where, path in includes(header):
        if path.partition("/")[0] in core.files:
            yield f"{where}: {path} is not installed"


def check(root: Path = ROOT) -> Counts:
    """Print what is wrong; one test per layer, and one for files that belong to no layer."""
    core = Tree(root / "src", CORE, CORE)
    bindings = Tree(root / "python_bindings" / "src", BINDINGS)
    public = {"python.h"}.union(*CORE.values())
    strays = (
        core.strays
        + bindings.strays
        + [
            f"include/xichan/{path.name} has no layer: name it in tools/layers.py"
            for path in sorted((root / "include" / "xichan").glob("*.h"))
            if path.name not in public
        ]
    )
    results = [("every file has a layer", strays)]
    for tree, title, also in ((core, "src", ()), (bindings, "python_bindings", (core,))):
        for layer in tree.order:
            if tree.files[layer]:
                found = [*upward(tree, layer, also), *circle(tree, layer)]
                found += [
                    problem
                    for file in tree.files[layer]
                    if "include" in file.parts and tree is core
                    for problem in private(file, core)
                ]
                results.append((f"{title}/{layer}", found))
    counts = Counts()
    for name, found in results:
        print(f"{name}: {'ok' if not found else 'FAILED'}", *found, sep="\n  ")
        counts += Counts(failed=1) if found else Counts(passed=1)
    return counts
