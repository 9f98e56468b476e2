"""Which calls are alike, and what is known about them before they run. See fallback.

Calls are of one kind if they call the same function, with the same functions among their arguments, so that
``map(apply, functions)`` has one kind for each function. Functions are compared by where they are defined, because one
that is sent by value may be a new object each time.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from . import options
from .byvalue.functions import label, qualified_name
from .learning import History

Named = str | types.ModuleType | Callable[..., Any]

MOST_KINDS = 1024  # that are remembered


class Route(NamedTuple):
    """Where a call runs that does not run in a worker."""

    reason: str
    pinned: bool = False  # in the pinned interpreter, not in the main one
    last: bool = False  # the other one of these two has been tried


class Kind:
    """Calls that are alike.

    names: the dotted paths of the functions, and of the modules that a function sent by value imports. anywhere:
    whether they always run in workers. known: where they run because of ``main_only``, which is fixed, or because an
    import that they begin with was refused; else None. checked: when the latter was looked up, see Policy. degraded:
    where they run because of ``degraded="main"``; else None. history: of attempts in workers. main, pinned: the routes
    of calls that make none because of it, if there were such refusals; pinned_history: of attempts in the pinned
    interpreter.
    """

    __slots__ = (
        "anywhere",
        "checked",
        "degraded",
        "fixed",
        "history",
        "known",
        "main",
        "names",
        "pinned",
        "pinned_history",
    )

    def __init__(self, names: list[str], fixed: Route | None, anywhere: bool) -> None:
        self.names = names
        self.fixed = fixed is not None
        self.anywhere = anywhere
        self.known = fixed
        self.degraded: Route | None = None
        self.checked = 0
        self.history = History()
        self.pinned_history = History()
        self.main: Route | None = None
        self.pinned: Route | None = None

    def always(self) -> Route | None:
        """Return where all calls run that do not run in workers; None: it depends on the outcomes of earlier ones."""
        return self.known or self.degraded

    def elsewhere(self) -> Route | None:
        """Return where a call runs that makes no attempt in a worker."""
        if self.pinned is not None and (self.main is None or not self.pinned_history.skips_attempt()):
            return self.pinned
        return self.main

    def note(self, route: Route) -> None:
        """Note that calls ran elsewhere because a module was refused."""
        if route.pinned:
            self.pinned = Route(route.reason, True)
        else:
            self.main = Route(route.reason)

    def succeeded(self, route: Route | None) -> None:
        """Note that a call has ended, and no module was refused where it ran."""
        if route is None:
            self.history.succeeded()
        elif route.pinned:
            self.pinned_history.succeeded()


class Kinds:
    """The kinds of the calls of one policy. May be used by any thread. main_only, anywhere: see Dispatcher."""

    def __init__(self, main_only: Collection[Named], anywhere: Collection[Named]) -> None:
        self._main_only = frozenset(map(name_of, _checked("main_only", main_only)))
        self._anywhere = frozenset(map(name_of, _checked("anywhere", anywhere)))
        self._known: dict[Hashable, Kind] = {}  # the oldest first

    def of(
        self, fn: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any], modules: tuple[str, ...]
    ) -> Kind:
        """Return the kind of a call. modules: those that the description of the function names."""
        among = [value for value in args if callable(value)]
        if kwargs:
            among += filter(callable, kwargs.values())
        if among or type(fn) is not types.FunctionType:
            among += _callables_in_partials(fn)
            key: Hashable = (_identity(fn), modules, *map(_identity, _functions(among)))
        else:
            key = _identity(fn), modules
        return self._known.get(key) or self._add(key, fn, _functions(among), modules)

    def is_anywhere(self, names: Iterable[str]) -> bool:
        """Return whether one of these modules is always to be loaded in workers."""
        return match(self._anywhere, names) is not None

    def _add(self, key: Hashable, fn: Callable[..., Any], among: Iterable[Any], modules: tuple[str, ...]) -> Kind:
        own = [name_of(fn), *modules]
        anywhere = self.is_anywhere(own)
        found = None if anywhere else match(self._main_only, own)
        fixed = None if found is None else Route(f"main_only: {found}")
        kind = Kind([*own, *map(name_of, among)], fixed, anywhere)
        while len(self._known) >= MOST_KINDS:
            try:
                del self._known[next(iter(self._known))]
            except (KeyError, RuntimeError, StopIteration):
                pass  # other code has changed them meanwhile
        return self._known.setdefault(key, kind)


def _functions(callables: Iterable[Any]) -> list[Any]:
    return [value for value in callables if not isinstance(value, type)]


def _callables_in_partials(fn: Any) -> Iterator[Any]:
    while isinstance(fn, functools.partial):
        function = options.function_of(fn)
        parts = (*fn.args, *fn.keywords.values())
        yield from (value for value in parts if callable(value) and value is not function)
        fn = function


def _identity(fn: Any) -> Hashable:
    """Return what is equal for functions that are defined at the same place."""
    while True:
        kind = type(fn)
        if kind is types.FunctionType:
            code = fn.__code__
            return fn.__module__, fn.__qualname__, code.co_filename, code.co_firstlineno
        if isinstance(fn, functools.partial):
            fn = options.function_of(fn)
        elif kind is types.MethodType:
            fn = fn.__func__
        else:
            return name_of(fn)


def name_of(thing: Named) -> str:
    """Return the dotted path of a module or function, or the place of its source if it has none."""
    if isinstance(thing, str):
        return thing.replace(":", ".")
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    while isinstance(thing, functools.partial):
        thing = options.function_of(thing)
    name = qualified_name(thing)
    if name is not None:
        return name.replace(":", ".")
    if isinstance(thing, types.FunctionType) or hasattr(thing, "__qualname__"):
        return label(thing)
    return f"{type(thing).__module__}.{type(thing).__qualname__}"  # repr() of an object is different for each


def match(known: Collection[str], names: Iterable[str]) -> str | None:
    """Return the item of `known` that equals one of the names or contains it, or None."""
    if known:
        for name in names:
            while name:
                if name in known:
                    return name
                name = name.rpartition(".")[0]
    return None


def _checked(name: str, values: Collection[Named]) -> Collection[Named]:
    if isinstance(values, str):
        raise TypeError(f"{name} must be a collection of names, modules and functions, got str")
    return values
