"""The child process of ``xichan.probe()``: imports a module in interpreters of its own and reports what happens.

It reads a request from stdin and writes events to what was its stdout, each a line that holds a JSON array. What has
happened before a crash is known, because each event is written at once:

    ["version", version]                            of the distribution
    ["step", what happens next]
    ["refused", module, reason, whether a module of the standard library imported it, which does without it]
    ["failed", message, whether the module is missing, whether the interpreter refused it]
    ["loaded", version of the module or None]
    ["done"]
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Run by ``python -c``. The path comes first, because xichan itself may be found there only.
PROGRAM = """
import json, sys
request = json.load(sys.stdin)
sys.path[:] = request["path"]
from xichan import _probe_child
_probe_child.run(request)
"""
_INTERPRETER = """
import sys
sys.path[:] = {path}
from xichan import _probe_child
_probe_child.load({name!a}, {output}, "")
"""
INTERPRETERS = 2  # a module that loads in one only does not load in the workers of a pool


def run(request: dict[str, Any]) -> None:
    """Carry out a request.

    {"name": of the module, "path": for sys.path, "main": whether to use this interpreter, "timeout": seconds or None}
    """
    import faulthandler
    import math
    import resource
    import signal

    if request["timeout"] is not None:  # should the process end that waits for this one
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(math.ceil(request["timeout"]) + 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.enable()
    output = os.dup(1)
    os.dup2(2, 1)  # what the module prints must not get among the events
    name = request["name"]
    emit(output, "version", distribution_version(name))
    if request["main"]:
        load(name, output, "in the main interpreter")
    else:
        _load_in_interpreters(name, output, request["path"])
    emit(output, "step", "when the process exited")
    emit(output, "done")


def _load_in_interpreters(name: str, output: int, path: list[str]) -> None:
    from concurrent import interpreters

    created = []
    for number in range(INTERPRETERS):
        emit(output, "step", "while it was imported" + ", in a second interpreter" * number)
        interpreter = interpreters.create()
        created.append(interpreter)
        interpreter.exec(_INTERPRETER.format(path=ascii(path), name=name, output=output))
    emit(output, "step", "when the interpreters ended")
    for interpreter in created:
        interpreter.close()


def load(name: str, output: int, step: str) -> None:
    """Import a module in this interpreter, and write events."""
    import importlib

    from . import _loader_watch
    from ._remote import refusal_in, text_of, type_name_of

    def on_refusal(module: str, reason: str) -> None:
        emit(output, "refused", module, reason, _loader_watch.is_optional(_loader_watch.importer()))

    if step:
        emit(output, "step", step)
    _loader_watch.install(on_refusal)
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        refusal = refusal_in(error)
        shown = error if refusal is None else refusal  # packages explain at length what else may be wrong
        emit(output, "failed", f"{type_name_of(shown)}: {text_of(shown)}", missing, refusal is not None)
    else:
        version = getattr(module, "__version__", None)
        emit(output, "loaded", version if type(version) is str else None)


def distribution_version(name: str) -> str | None:
    """Return the version of the distribution that has a module, or None."""
    from importlib import metadata

    package = name.partition(".")[0]
    if package in sys.stdlib_module_names:
        return None
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        pass
    found = metadata.packages_distributions().get(package)
    return metadata.version(found[0]) if found else None


def emit(output: int, *event: object) -> None:
    """Write an event."""
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(output, data) :]
