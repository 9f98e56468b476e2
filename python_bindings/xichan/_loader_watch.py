"""Reports the extension modules that this interpreter refuses to load.

The loaders of extension modules and of built-in modules are wrapped where they fail: in the interpreter that calls
``install``, for every user of importlib. A load that succeeds costs one more Python call.

1. The exception is raised as it was: with the same traceback, context and notes. The frame of the wrapper is removed
   from the traceback, because CPython would not recognize the frames of importlib around it and would show them.
2. A module whose own code loads a refused module may raise the same exception. Only the inner module is refused. The
   outer one is known by its text, which an inner load has raised since its own load began.
3. ``_first.setdefault`` decides which of several failures of one module is reported. It is one step, so a finalizer or
   a thread that imports the same module changes nothing.
"""

from __future__ import annotations

import itertools
import sys
from _frozen_importlib import BuiltinImporter
from _frozen_importlib_external import ExtensionFileLoader  # importlib.machinery has the same, and takes longer

from . import _core
from ._remote import REFUSALS, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    type _Place = tuple[str, int, str, bool]  # file, line, name of the module, whether it is imported at its top

# What the standard library tries to load, and does without: traceback, to suggest similar names.
_OPTIONAL = frozenset(["_suggestions"])

refused: dict[str, str] = {}  # the name of each module that this interpreter has refused, and the reason
_raised: dict[str, int] = {}  # for each text of a refusal, the number of the load that has raised it last
_first: dict[str, int] = {}  # for each refused module, the number of the load that is reported
_next_load = itertools.count(1).__next__
_callbacks: list[Callable[[str, str], object]] = []


def install(on_refusal: Callable[[str, str], object]) -> None:
    """Have ``on_refusal(module_name, reason)`` called for each module that this interpreter refuses from now on.

    It is called once per module, at the moment of the refusal, in the thread that imports. The import fails whatever it
    does: an Exception that it raises is passed to ``sys.excepthook``; another BaseException, such as an interrupt,
    replaces the ImportError. Several callbacks may be installed.
    """
    first = not _callbacks
    _callbacks.append(on_refusal)
    if first:
        ExtensionFileLoader.create_module = _watched(ExtensionFileLoader.create_module, "name")  # type: ignore[method-assign]
        ExtensionFileLoader.exec_module = _watched(ExtensionFileLoader.exec_module, "__name__")  # type: ignore[method-assign]
        BuiltinImporter.create_module = staticmethod(_watched(BuiltinImporter.create_module, "name"))  # type: ignore[method-assign]
        BuiltinImporter.exec_module = staticmethod(_watched(BuiltinImporter.exec_module, "__name__"))  # type: ignore[method-assign]


def importer() -> _Place | None:
    """Return the place that imports the module for which a callback runs, or None if that is xichan itself."""
    if _core._is_importing_numpy():
        return None
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        file = frame.f_code.co_filename
        if isinstance(name, str) and name != "importlib" and not file.startswith("<frozen importlib"):
            if name.partition(".")[0] != "xichan":
                return file, frame.f_lineno, name, frame.f_code.co_name == "<module>"
            if name not in (__name__, "xichan.pool.refusal_reports", "xichan._probe_child"):
                return None
        frame = frame.f_back  # type: ignore[assignment]
    return None


def is_optional(place: _Place | None) -> bool:
    """Return whether what imports a module at this place does without it if need be: the standard library, and xichan.

    Examples are traceback, warnings and rlcompleter; and NumPy for an array that is received, which is an ArrayView
    otherwise.
    """
    return place is None or place[2].partition(".")[0] in sys.stdlib_module_names


def _watched(method: Callable[..., Any], attribute: str) -> Callable[..., Any]:
    """Return a function that calls a method of a loader and reports refusals.

    attribute: of the last argument, a spec or a module, which has the name of the module.
    """
    report, next_load = _report, _next_load  # at the end of the interpreter, the globals here are None

    def call(*args: Any) -> Any:
        load = next_load()
        try:
            return method(*args)
        except BaseException as error:
            if isinstance(error, ImportError):
                report(str(getattr(args[-1], attribute, "")), error, load)
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next  # (1)
            raise

    call.__name__ = method.__name__
    call.__qualname__ = method.__qualname__
    call.__doc__ = method.__doc__
    return call


def _report(name: str, error: ImportError, load: int) -> None:
    """Report a failure if it is a refusal. load: number of the load."""
    if text_of is None:  # at the end of the interpreter
        return
    text = text_of(error)
    if name in _OPTIONAL or not any(part in text for part in REFUSALS):
        return
    inner = _raised.get(text, 0)
    _raised[text] = max(load, inner)
    if inner > load:  # (2)
        return
    if _first.setdefault(name, load) != load:  # (3)
        return
    refused[name] = text
    for on_refusal in list(_callbacks):
        try:
            on_refusal(name, text)
        except Exception as failure:
            sys.excepthook(type(failure), failure, failure.__traceback__)
