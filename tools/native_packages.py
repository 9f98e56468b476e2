"""python3 -m tools.native_packages [NAME ...]: probes packages from PyPI, and writes docs/reference/native-packages.md.

Each package of native_packages.txt is installed, from wheels only, into an empty environment of its own per CPython
version, and probed there by ``python -m xichan probe``. Results are kept in build/native-packages, so that a run that
was stopped continues; packages that are named are probed again. Needs what ``./dev test python`` builds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import bootstrap, cpython, venv
from .cache import lock
from .console import BUILD, ROOT, DevError, make_folder, output, step

LIST = Path(__file__).with_name("native_packages.txt")
PAGE = ROOT / "docs" / "reference" / "native-packages.md"
RESULTS = BUILD / "native-packages"
TIMEOUT = 180  # seconds for one import
NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")
SHOWN = 3  # refused modules per row
NO_EXTENSION = "no extension"  # the status of a module that loads, but no extension module of a package
# Prints the extension modules of packages that a module loads.
NATIVE = """
import sys, {module}
print(*(name for name, each in sys.modules.items() if str(getattr(each, "__file__", "")).startswith(sys.prefix)
        and each.__file__.endswith(".so")))
"""

INTRODUCTION = """\
# Native packages

Which of the most used packages with C, C++ or Rust code load in worker interpreters. `python -m xichan probe` has
imported the modules below in two interpreters of one process, each from the newest release that has a wheel for the
version of CPython. The statuses are those of the [command](command-line.md#python--m-xichan-probe). In addition, "no
extension" is a module that loads, but no extension module with it: the wheel is pure Python, or calls machine code
through ctypes; "no wheel", a package that has none for this version of CPython. For packages that do not load,
see [Interpreter pool](pool.md#modules-that-only-the-main-interpreter-can-load).

One package of each status was also used in the workers of a pool, by hand, and behaved as its row says: MarkupSafe
escaped text with its extension; msgpack packed and unpacked with its Python code, after a RefusedModuleWarning; orjson
and zstandard raised ImportError, and returned the right values with `fallback="main"` and with `fallback="pinned"`;
pycryptodome encrypted and decrypted; and zstandard could not be installed on CPython 3.15.

"""


def packages() -> dict[str, str]:
    """Return the requirements and their modules, from the list."""
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return {requirement: module for requirement, module in lines}


def distribution(requirement: str) -> str:
    """Return the name of the distribution, without extras."""
    return requirement.partition("[")[0]


class Prober:
    """Probes packages with one version of CPython, and keeps the results in a file."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._file = make_folder(RESULTS) / f"{version}.json"
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.python = str(output([cpython.get(version), "-V"])).removeprefix("Python ")
        self._source = RESULTS / f"xichan-{version}"
        # Those of another release of CPython are of no use.
        self.results = known.get("results", {}) if known.get("python") == self.python else {}

    def run(self, requirement: str, module: str) -> None:
        """Probe a package, and store the result."""
        place = RESULTS / f"venv-{self.version}"
        shutil.rmtree(place, ignore_errors=True)
        try:
            self.results[requirement] = self._install(place, requirement) or self._probe(place, requirement, module)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        self._file.write_text(json.dumps({"python": self.python, "results": self.results}, indent=1))

    def _install(self, place: Path, requirement: str) -> dict | None:
        """Install a package into a new environment. Returns the result if there is no wheel."""
        subprocess.run([cpython.get(self.version), "-m", "venv", "--without-pip", place], check=True)
        pip = [bootstrap.require(), "-m", "pip", "--python", place / "bin" / "python", "install"]
        command = [*pip, "--no-compile", "--only-binary", ":all:", requirement]
        done = subprocess.run(command, capture_output=True, text=True)
        if not done.returncode:
            return None
        if found := NO_WHEEL.search(done.stdout + done.stderr):
            what = "no wheel" if distribution(requirement) in found[1] else f"no wheel of {found[1]}"
            return {"status": what, "version": None, "refused": {}, "detail": ""}
        raise DevError(f"cannot install {requirement}:\n{done.stderr}")

    def _probe(self, place: Path, requirement: str, module: str) -> dict:
        self._source.mkdir(exist_ok=True)
        link = self._source / "xichan"
        link.unlink(missing_ok=True)
        link.symlink_to(venv.site_packages(self.version) / "xichan")
        python = place / "bin" / "python"
        environment = {**os.environ, "PYTHONPATH": str(self._source)}
        command = [python, "-m", "xichan", "probe", module, "--json", "--timeout", str(TIMEOUT)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if not done.stdout:
            raise DevError(f"cannot probe {requirement} with CPython {self.version}:\n{done.stderr}")
        (result,) = json.loads(done.stdout)
        query = f"import importlib.metadata as m; print(m.version({distribution(requirement)!r}))"
        result["version"] = output([python, "-c", query])
        if result["status"] == "loads" and not output([python, "-c", NATIVE.format(module=module)]):
            result["status"] = NO_EXTENSION
        return result


def table(probers: list[Prober]) -> str:
    """Return the page."""
    titles = [f"CPython {prober.python}" for prober in probers]
    lines = [
        f"| package | module | version | {' | '.join(titles)} | refused modules |",
        "|---" * (4 + len(probers)) + "|",
    ]
    counts: dict[str, int] = {}
    for requirement, module in packages().items():
        results = [prober.results.get(requirement) for prober in probers]
        found = [result for result in results if result]
        versions = list(dict.fromkeys(result["version"] for result in found if result["version"]))
        statuses = [result["status"] if result else "not probed" for result in results]
        counts[statuses[0]] = counts.get(statuses[0], 0) + 1
        refused = list(dict.fromkeys(name for result in found for name in result["refused"]))
        shown = ", ".join(f"`{name}`" for name in refused[:SHOWN])
        if len(refused) > SHOWN:
            shown += f" and {len(refused) - SHOWN} more"
        cells = [distribution(requirement), f"`{module}`", ", ".join(versions) or "-", *statuses, shown]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    total = ", ".join(f"{number} {status}" for status, number in sorted(counts.items(), key=lambda item: -item[1]))
    summary = f"On {titles[0]}, of {sum(counts.values())} packages: {total}.\n\n"
    how = "\n`python3 -m tools.native_packages` writes this page; the names are in `tools/native_packages.txt`.\n"
    return INTRODUCTION + summary + "\n".join(lines) + "\n" + how


def main() -> int:
    """Probe what has not been probed, and write the page."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.native_packages", description=__doc__.partition("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages to probe again")
    arguments = parser.parse_args()
    known = packages()
    if unknown := set(arguments.names) - known.keys():
        parser.error(f"not in {LIST.name}: {', '.join(sorted(unknown))}")
    with lock(make_folder(RESULTS) / "lock"):
        return run(known, arguments.names)


def run(known: dict[str, str], again: list[str]) -> int:
    """Probe what has not been probed, and the packages to probe again; write the page. Returns the exit status."""
    probers = [Prober(version) for version in cpython.TESTED]
    failures = 0
    for prober in probers:
        for requirement, module in known.items():
            if requirement in prober.results and requirement not in again:
                continue
            step(f"probing {requirement} with CPython {prober.version}")
            try:
                prober.run(requirement, module)
            except DevError as error:
                failures += 1
                step(str(error))
    PAGE.write_text(table(probers))
    step(f"wrote {PAGE.relative_to(ROOT)}; {failures} packages could not be probed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
