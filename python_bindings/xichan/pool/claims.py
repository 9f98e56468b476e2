"""Keeps an extension module from being loaded both in the main interpreter and in the pinned one, see pinned.

A module that does not support subinterpreters keeps state in the process. If it were loaded twice, two threads would
change that state at the same time, because each interpreter has a lock of its own. So each such module has one owner,
noted in a shared Map: {(name, file): owner}.

1. Either interpreter makes its claim before it loads a module. A claim is one step, the first one stands, and it stays
   for the rest of the process, because modules are never unloaded. Only what the pinned interpreter could not load,
   because the module itself or one that it needs has refused, is free again.
2. The main interpreter claims every extension module: those it has loaded when the first pinned pool is created, and
   from then on each one that it loads. The pinned one claims those that CPython refuses in it, and then loads them
   without that check. Other modules may be loaded in both.
3. In interpreters other than these two, CPython itself refuses such modules.

All extension modules are created by ``_imp.create_dynamic``, which importlib looks up for each one.
"""

from __future__ import annotations

import _imp
import os
import sys

from .. import _core
from .._remote import REFUSALS, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    type _Claims = _core.Map[tuple[str, str], str]

MAIN, PINNED, FREE = "main", "pinned", "free"
_ELSEWHERE = "is loaded in the pinned interpreter"
_NO_CHECK, _DEFAULT = -1, 0

_create: Any = _imp.create_dynamic
_execute: Any = _imp.exec_dynamic
_override_check: Any = getattr(_imp, "_override_multi_interp_extensions_check", None)
_claims: _Claims | None = None
_unchecked: set[tuple[str, str]] = set()  # modules that this interpreter has loaded without the check
_relaxed = 0  # number of loads without the check that go on
_relaxations = 0  # number of those that have begun


def _key_of(spec: ModuleSpec) -> tuple[str, str]:
    return spec.name, os.path.realpath(spec.origin or "")


def _claim(key: tuple[str, str], owner: str) -> str:
    """Claim a module. Returns its owner, which may be another one."""
    assert _claims is not None
    while True:
        found = _claims.setdefault(key, owner)
        if found != FREE or _claims.compare_and_set(key, FREE, owner):
            return owner if found == FREE else found


# The main interpreter


def guard() -> _Claims:
    """Have this interpreter, the main one, claim extension modules from now on. Returns the Map."""
    global _claims
    if _claims is None:
        _claims = _core.Map()
        _imp.create_dynamic = _create_in_main
        for module in list(sys.modules.values()):
            spec = getattr(module, "__spec__", None)
            if spec is not None and _is_extension(spec):
                _claim(_key_of(spec), MAIN)
    return _claims


def _is_extension(spec: ModuleSpec) -> bool:
    return str(getattr(spec, "origin", "")).endswith(tuple(_imp.extension_suffixes()))


def _create_in_main(spec: ModuleSpec, *file: Any) -> ModuleType:
    if _claims is not None and _claim(_key_of(spec), MAIN) == PINNED:
        raise ImportError(
            f"module {spec.name} {_ELSEWHERE} (fallback='pinned'), and cannot be loaded in the main interpreter as "
            "well; use it in tasks of the pool, or import it before the pool is created",
            name=spec.name,
            path=spec.origin,
        )
    created: ModuleType = _create(spec, *file)
    return created


def is_pinned_elsewhere(error: BaseException | None) -> bool:
    """Return whether a module that the pinned interpreter has caused an exception in the main one."""
    for _ in range(100):  # the chain of causes may be a cycle
        if error is None:
            break
        if isinstance(error, ImportError) and _ELSEWHERE in text_of(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _after_fork() -> None:
    """Begin anew in a child process, where the Map is not available."""
    global _claims
    _claims = None
    _imp.create_dynamic = _create


os.register_at_fork(after_in_child=_after_fork)


# The pinned interpreter


def relax(claims: _Claims) -> None:
    """Have this interpreter, the pinned one, load the modules that it can claim without the check of CPython."""
    global _claims
    _claims = claims
    _imp.create_dynamic = _create_in_pinned
    _imp.exec_dynamic = _execute_in_pinned


def _create_in_pinned(spec: ModuleSpec, *file: Any) -> ModuleType:
    key = _key_of(spec)
    before = _relaxations
    try:
        _override_check(_DEFAULT)
        try:
            created: ModuleType = _create(spec, *file)
        finally:
            _set_check()
        # If another thread has switched the check off meanwhile, it is not known whether the module passes it.
        if before == _relaxations or _claim(key, PINNED) == PINNED:
            return created
    except ImportError as error:
        if REFUSALS[0] not in text_of(error):
            raise
    if _claim(key, PINNED) != PINNED:
        raise ImportError(
            f"module {spec.name} {REFUSALS[0]}, and the main interpreter has loaded it",
            name=spec.name,
            path=spec.origin,
        )
    return _load_unchecked(key, _create, spec, *file)


def _execute_in_pinned(module: ModuleType) -> int:
    spec = module.__spec__
    if spec is None or _key_of(spec) not in _unchecked:
        result: int = _execute(module)
    else:  # it may create further modules, which nothing else loads
        result = _load_unchecked(_key_of(spec), _execute, module)
    return result


def _load_unchecked(key: tuple[str, str], load: Callable[..., Any], *args: Any) -> Any:
    """Load a module that this interpreter has claimed, without the check."""
    global _relaxed, _relaxations
    _unchecked.add(key)
    _relaxed += 1
    _relaxations += 1
    _set_check()
    try:
        return load(*args)
    except ImportError as error:
        _release_if_refused(key, error)
        raise
    finally:
        _relaxed -= 1
        _set_check()


def _set_check() -> None:
    """Switch the check off while there are loads without it."""
    _override_check(_NO_CHECK if _relaxed else _DEFAULT)


def _release_if_refused(key: tuple[str, str], error: ImportError) -> None:
    """Free a module that has refused to be loaded in this interpreter: the main one may be able to load it. (1)"""
    if any(text in text_of(error) for text in REFUSALS):
        assert _claims is not None
        _claims.compare_and_set(key, PINNED, FREE)
