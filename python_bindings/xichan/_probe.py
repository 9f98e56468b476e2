"""``xichan.probe()`` and ``python -m xichan probe``: whether a package loads in worker interpreters.

The package is imported in interpreters of a child process, so that a crash and a hang are results, too. If it fails
there, another child imports it in its main interpreter: only the comparison shows whether the interpreter is the cause.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import _probe_child

if TYPE_CHECKING:
    type _Status = Literal["loads", "degraded", "refused", "missing", "crashes", "hangs", "fails"]

TIMEOUT = 60.0  # seconds for each import


@dataclasses.dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether a module can be used in workers, from ``probe()``.

    status: "loads"; "degraded": it loads, but went on without a module that was refused; "refused": it cannot be
    imported there, but in the main interpreter; "missing": it is not installed; "crashes": the import ends the process;
    "hangs": it does not end in time; "fails": it cannot be imported in the main interpreter either.
    """

    __module__ = "xichan"

    name: str
    status: Literal["loads", "degraded", "refused", "missing", "crashes", "hangs", "fails"]
    refused: dict[str, str]  # the extension modules that were refused, and the reasons
    version: str | None  # of the distribution, or of the module; None if unknown
    detail: str  # one line: what happened; "" if there is nothing to add


def probe(name: str, *, timeout: float | None = TIMEOUT) -> ProbeResult:
    """Import a module in interpreters of a child process and return a ProbeResult: whether workers can load it.

    name: of a package or module, with dots for a submodule: "numpy", "PIL.Image". timeout: seconds that an import may
    take; None: no limit. Blocks until then; takes about a second more than the import itself. Requires CPython 3.14.

    Only the import is tried. A package that imports its extension modules later, at first use, may load here and be
    refused there: probe the submodule that it uses then.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, got {type(name).__name__}")
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"name must be the name of a module, such as 'numpy' or 'PIL.Image', got {name!r}")
    if timeout is not None:
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
            raise TypeError(f"timeout must be a number of seconds or None, got {type(timeout).__name__}")
        if not timeout > 0:
            raise ValueError(f"timeout must be greater than 0 seconds, got {timeout}")
    if sys.version_info < (3, 14):
        raise RuntimeError("probe() requires CPython 3.14, for concurrent.interpreters")
    if not sys.executable:
        raise RuntimeError("probe() starts a Python process, but sys.executable is empty")
    child = _Child(name, timeout, main=False)
    status, detail = _judge(child, timeout)
    standard = status != "refused"
    refused = {module: reason for module, reason, by_standard in child.refused if not (standard and by_standard)}
    return ProbeResult(name, status, refused, child.version, detail)


def _judge(child: _Child, timeout: float | None) -> tuple[_Status, str]:
    """Return the status and the detail."""
    if child.missing:
        return "missing", child.failure
    trouble = child.trouble()
    if not trouble and not child.failure:
        without = [module for module, _, by_standard in child.refused if not by_standard]
        if without:
            return "degraded", f"it goes on without {', '.join(without)}: it may be slower, or fail when it is used"
        return "loads", ""
    if child.is_refusal and not trouble:
        return "refused", child.failure
    main = _Child(child.name, timeout, main=True)
    loads = not main.trouble() and not main.failure
    detail = f"{trouble or child.failure}; the main interpreter {'loads it' if loads else 'does not load it either'}"
    if trouble:
        return "hangs" if child.expired else "crashes", detail
    return "refused" if loads else "fails", detail


class _Child:
    """The result of one child process. main: whether it imports the module in its main interpreter."""

    def __init__(self, name: str, timeout: float | None, *, main: bool) -> None:
        self.name = name
        self.refused: list[tuple[str, str, bool]] = []  # as in the event
        self.version: str | None = None
        self.failure = ""  # the message of the exception
        self.missing = self.is_refusal = self.expired = False
        self._timeout = timeout
        self._step = "while the process started"
        self._done = False
        path = [entry for entry in sys.path if isinstance(entry, str)]
        request = {"name": name, "path": path, "main": main, "timeout": timeout}
        self._status, output, self._errors = self._run(json.dumps(request))
        for line in output.splitlines():
            try:
                event, *rest = json.loads(line)
            except ValueError:
                continue  # it was cut off
            self._handle(event, *rest)

    def _run(self, request: str) -> tuple[int, str, str]:
        """Run the process. Returns its exit status, its output and its errors.

        These are files, not pipes, because processes that the module starts may keep a pipe open.
        """
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        with (
            tempfile.TemporaryFile() as requests,
            tempfile.TemporaryFile() as output,
            tempfile.TemporaryFile() as errors,
        ):
            requests.write(request.encode())
            requests.seek(0)
            process = subprocess.Popen(
                [sys.executable, *flags, "-c", _probe_child.PROGRAM],
                stdin=requests,
                stdout=output,
                stderr=errors,
                start_new_session=True,  # so that its own children can be ended, too
            )
            try:
                process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                self.expired = True
            finally:
                if process.returncode is None:  # also after Ctrl-C
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            output.seek(0)
            errors.seek(0)
            return process.returncode, output.read().decode(errors="replace"), errors.read().decode(errors="replace")

    def _handle(self, event: str, *rest: Any) -> None:
        match event:
            case "version":
                self.version = rest[0]
            case "step":
                self._step = rest[0]
            case "refused":
                if all(rest[0] != module for module, _, _ in self.refused):
                    self.refused.append((rest[0], rest[1], rest[2]))
            case "failed":
                if not self.failure:
                    message, self.missing, self.is_refusal = rest
                    self.failure = _one_line(message)
            case "loaded":
                self.version = self.version or rest[0]
            case "done":
                self._done = True

    def trouble(self) -> str:
        """Return what went wrong with the process, or ""."""
        if self.expired:
            return f"no result after {self._timeout:g} seconds, {self._step}"
        if self._status < 0:
            return f"the process was ended by {_signal_name(-self._status)} {self._step}{self._place()}"
        if self._status or not self._done:
            return f"the process ended with exit status {self._status} {self._step}{self._place()}"
        return ""

    def _place(self) -> str:
        """Return the line at which the process crashed, or ""."""
        found = re.search(r'most recent call first\):\n  File "(.+)", line (\d+)', self._errors)
        return f", at {found[1]}:{found[2]}" if found else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a realtime signal
        return f"signal {number}"


def _one_line(text: str) -> str:
    """Return the text without line breaks, in at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:297]}..."


def main(arguments: Sequence[str]) -> int:
    """Run ``python -m xichan probe``; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m xichan probe",
        description="Report for each package whether worker interpreters can load it: loads, degraded (it goes on "
        "without a module that was refused), refused, missing, crashes, hangs, or fails (in the main interpreter too).",
        epilog="The exit status is 0 if all load.",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="a package or module, such as numpy or PIL.Image")
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT, help="seconds that each import may take (%(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON array of all results")
    options = parser.parse_args(arguments)
    results = []
    width = max(map(len, options.names))
    for name in options.names:
        try:
            result = probe(name, timeout=options.timeout)
        except ValueError as error:
            parser.error(str(error))
        results.append(result)
        if not options.json:
            print(
                f"{name:{width}}  {result.version or '-':12}  {result.status:8}  {result.detail}".rstrip(), flush=True
            )
            for module, reason in result.refused.items():
                print(f"{'':{width}}    {module}: {_one_line(reason)}", flush=True)
    if options.json:
        print(json.dumps([dataclasses.asdict(result) for result in results], indent=2))
    return 0 if all(result.status == "loads" for result in results) else 1
