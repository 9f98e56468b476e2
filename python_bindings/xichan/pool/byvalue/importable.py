"""Decides whether workers can import a module that is loaded in this interpreter.

``sys.modules`` does not show it: the module may come from a finder that only this interpreter has, from a file of which
only its importer knew, or from a former working directory. So the module is searched for again, as a worker does it,
and has to be the same file. If ``sys.path`` does not lead to it, a new interpreter is asked, because ``site`` may have
installed finders there, too.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from typing import Any

from ... import _core
from ..._errors import ChannelClosed, ChannelEmpty

_PROBE = """
import sys
sys.path[:] = {path}
name = {name!r}
import importlib.util
with _xichan_found as found:
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):  # math enters math.integer into sys.modules itself
        spec = getattr(sys.modules.get(name), "__spec__", None)
    except BaseException:
        found.send_nowait((True, None))  # a worker raises the same error
        raise
    if spec is not None:
        found.send_nowait((False, getattr(spec, "origin", None)))
"""

_path: list[Any] = []  # sys.path for which _known is valid
_directory = ""  # likewise: the current one, if sys.path has relative entries
_known: dict[str, bool] = {}  # by name of a module


def is_importable(name: str) -> bool:
    """Return whether workers that start now can import this module, and get the same one."""
    global _path, _directory
    if _path != sys.path or (_directory and _directory != os.getcwd()):
        _known.clear()
        _path = list(sys.path)
        relative = any(isinstance(entry, str) and not os.path.isabs(entry) for entry in _path)
        _directory = os.getcwd() if relative else ""
    found = _known.get(name)
    if found is None:
        found = _known[name] = _search(name)
    return found


def _search(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    if spec is None or name == "__main__":  # created by hand: other interpreters cannot import it
        return False
    if BuiltinImporter.find_spec(name) is not None or FrozenImporter.find_spec(name) is not None:
        return True
    parent = name.rpartition(".")[0]
    if parent and not is_importable(parent):
        return False
    path = list(getattr(sys.modules[parent], "__path__", ())) if parent else worker_path()
    found = PathFinder.find_spec(name, path)
    if found is not None:
        return _is_same(found.origin, spec)
    return _probe(name, spec)


def _is_same(origin: str | None, spec: ModuleSpec) -> bool:
    if origin == spec.origin or origin is None or spec.origin is None:
        return origin == spec.origin
    return os.path.realpath(origin) == os.path.realpath(spec.origin)


def _probe(name: str, spec: ModuleSpec) -> bool:
    """Ask a new interpreter whether it finds a module."""
    from concurrent import interpreters

    if interpreters.get_current() != interpreters.get_main():
        return True  # a worker does not judge its own results
    interpreter = interpreters.create()
    try:
        tx, rx = _core._own_channel("search for a module", 1)
        with tx, rx:
            interpreter.prepare_main(_xichan_found=tx)
            tx.close()
            try:
                interpreter.exec(_PROBE.format(path=ascii(worker_path()), name=name))
            except interpreters.ExecutionFailed:
                pass
            failed, origin = rx.recv_nowait()
            return failed or _is_same(origin, spec)
    except (ChannelEmpty, ChannelClosed):
        return False
    finally:
        interpreter.close()


def worker_path() -> list[str]:
    """Return the sys.path of workers that start now: the entries that importing does not ignore."""
    return [str.__str__(entry) for entry in sys.path if isinstance(entry, str)]
