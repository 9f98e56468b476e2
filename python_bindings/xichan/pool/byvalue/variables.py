"""Finds the global of a module that a ContextVar is: its name, which need not be that of a global, does not tell."""

from __future__ import annotations

import contextvars
import sys
from contextvars import ContextVar
from typing import Any

from .importable import is_importable

_known: dict[ContextVar[Any], str] = {}  # those that were found; globals live as long as their module


def variable_path(variable: ContextVar[Any]) -> str | None:
    """Return ``"module:name"`` of a global that is this variable, or None.

    If several modules have it, prefers those that workers can import, and of these the one that has made it: importing
    another may take longer.
    """
    known = _known.get(variable)
    if known is not None:
        module, _, name = known.partition(":")
        if _globals_of(sys.modules.get(module)).get(name) is variable:
            return known
    found = [
        (module, name)
        for module, loaded in list(sys.modules.items())
        for name, value in list(_globals_of(loaded).items())
        if value is variable
    ]
    if not found:
        return None
    module, name = min(found, key=lambda place: (not is_importable(place[0]), not _makes_variables(place[0])))
    _known[variable] = path = f"{module}:{name}"
    return path


def _globals_of(module: Any) -> dict[str, Any]:
    try:
        names = object.__getattribute__(module, "__dict__")  # which does not make a lazy module load
    except AttributeError:
        return {}
    return names if type(names) is dict else {}


def _makes_variables(module: str) -> bool:
    """Return whether a module has imported what makes a variable."""
    return any(value is contextvars or value is ContextVar for value in list(_globals_of(sys.modules[module]).values()))
