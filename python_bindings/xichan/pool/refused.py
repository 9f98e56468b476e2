"""What a worker knows about the modules that it has refused. Imported when the first one is.

1. ``names_of`` finds which modules a refusal is certain to stop: the refused one, and those whose import failed with
   it, which the tracebacks show. Modules that handle the failure are not among them.
2. ``remember`` has further imports of these fail at once. Otherwise each would search for and execute the beginning of
   a package such as NumPy again. ``importlib.util.find_spec`` still finds them, as it does without this.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

from .. import _loader_watch
from .._remote import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

_UNKNOWN = "a module"
_remembered: dict[str, str] = {}  # name: why it cannot be imported
_path: list[str] = []  # sys.path for which that is valid


def names_of(error: BaseException) -> tuple[str, ...]:
    """Return the names of the modules that a refusal stops in this interpreter, first the refused one. (1)

    error: of the task, see _remote.is_refusal. The first name is "a module" if it is not known.
    """
    texts, failed = "", {}
    for each in _chain(error):
        if isinstance(each, ImportError):
            texts += text_of(each)
            failed.update(dict.fromkeys(_failed_modules(each)))
    refused = [name for name, reason in _loader_watch.refused.items() if reason in texts]
    first = refused[-1:] or [_UNKNOWN]
    return (*first, *(name for name in failed if name not in first))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(100):  # it may be a cycle
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _failed_modules(error: BaseException) -> Iterator[str]:
    """Return the names of the modules whose code the exception has left."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__")
        if trace.tb_frame.f_code.co_name == "<module>" and type(name) is str and name != "__main__":
            if name not in sys.modules:
                yield name
        trace = trace.tb_next


def remember(names: Iterable[str]) -> None:
    """Have imports of these modules fail at once, until ``sys.path`` changes. (2)"""
    global _path
    first, *others = names
    if first == _UNKNOWN:
        return
    if _path != sys.path:
        _remembered.clear()
        _path = list(sys.path)
    reason = _loader_watch.refused[first]
    _remembered[first] = reason
    for name in others:
        _remembered.setdefault(name, f"cannot import {name}, because {reason}")
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


class _Finder:
    """Finds the modules that are remembered, with a loader that fails."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        reason = _remembered.get(name)
        return None if reason is None or _path != sys.path else ModuleSpec(name, _Loader(reason))  # type: ignore[arg-type]


class _Loader:
    def __init__(self, reason: str) -> None:
        self._reason = reason

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        raise ImportError(self._reason, name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError(self._reason)
