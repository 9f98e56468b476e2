"""Rebuilds what ``functions`` described. Runs in the interpreter that calls the function."""

from __future__ import annotations

import builtins
import marshal
import sys
import types
from _contextvars import ContextVar  # contextvars, functools: their imports take a millisecond of the start of a worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class NodeKind:
    """The first item of a node, which is a tuple. Any other value stands for itself.

    Plain numbers: marshal does not support an enum, which would also take a millisecond of the start of a worker.
    """

    TUPLE = 1  # items, each a node
    MODULE = 2  # its name, then names of submodules to import with it
    NAMED = 3  # "module:qualified.name"
    FUNCTION = 4  # index of a function record
    PARTIAL = 5  # function, args, keywords, each a node
    EXTERNAL = 6  # index of a value that travels beside the description
    PICKLED = 7  # the pickle, indexes of its external values
    CACHED = 9  # function, a node, and the parameters of functools.lru_cache
    EMPTY = 8  # only for closure cells that are not bound yet
    VARIABLE = 11  # "module:name", name and default (a tuple of a node, or empty) of a ContextVar
    SHARED = 10  # index of a Shared beside the description: its value, of which each function gets a copy


# {name of a module: {name: value}}: globals that the initializer of the pool has set in this interpreter. The functions
# of that module have these instead of those of their description.
initialized: dict[str, dict[str, Any]] = {}

_variables: dict[str, ContextVar[Any]] = {}  # by "module:name": those of modules that this interpreter cannot import


def by_name(name: str) -> Any:
    """Return the object ``"module:qualified.name"``, importing the module if necessary."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module) or import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def import_module(name: str) -> types.ModuleType:
    __import__(name)
    return sys.modules[name]


def variable(path: str, name: str, default: tuple[Any, ...]) -> ContextVar[Any]:
    """Return the context variable of a module that workers cannot import: that of this interpreter, or one made for it.

    default: a tuple of it, or empty.
    """
    module, _, attribute = path.partition(":")
    found = getattr(sys.modules.get(module), attribute, None)
    if not isinstance(found, ContextVar):
        found = _variables.get(path)
    if found is None:
        made: ContextVar[Any] = ContextVar(name, default=default[0]) if default else ContextVar(name)
        found = _variables.setdefault(path, made)
    return found


def by_value(data: bytes, external: tuple[Any, ...], shared: dict[str, Any] | None = None) -> Any:
    """Return the object that ``functions.describe`` described. shared: names added to the globals of its functions."""
    return Reader(data, external, shared or {}).root


def by_description(data: str | bytes, external: tuple[Any, ...]) -> Any:
    """Return what ``functions.describe`` described, by name or by value. Pickles refer to this function."""
    return by_name(data) if isinstance(data, str) else by_value(data, external)


class Reader:
    """Rebuilds one description: first creates all cells, namespaces and functions empty, then fills them.

    References between them, cycles included, therefore need no special treatment.
    """

    def __init__(self, data: bytes, external: tuple[Any, ...], shared: dict[str, Any]) -> None:
        records, cells, namespaces, root = marshal.loads(data)
        self.external = external
        self.nodes = namespaces
        self.cells = [types.CellType() for _ in cells]
        self.namespaces: list[dict[str, Any]] = [{"__builtins__": builtins, **shared} for _ in namespaces]
        self.functions = [self.make(*record[:5]) for record in records]
        for cell, node in zip(self.cells, cells):
            if node != (NodeKind.EMPTY,):
                cell.cell_contents = self.value(node)
        for namespace, nodes in zip(self.namespaces, namespaces):
            for name, node in nodes.items():
                namespace[name] = self.value(node)
            namespace.update(initialized.get(namespace.get("__name__", ""), {}))
        for function, (*_, defaults, kwdefaults, attributes) in zip(self.functions, records):
            function.__defaults__ = self.value(defaults)
            if kwdefaults is not None:
                function.__kwdefaults__ = {name: self.value(node) for name, node in kwdefaults.items()}
            for name, node in attributes.items():
                setattr(function, name, self.value(node))
        self.root = self.value(root)

    def make(self, code: bytes, name: str, qualname: str, namespace: int, cells: tuple[int, ...]) -> types.FunctionType:
        """Return a function without defaults and attributes."""
        closure = tuple(self.cells[i] for i in cells)
        function = types.FunctionType(marshal.loads(code), self.namespaces[namespace], name, None, closure)
        function.__qualname__ = qualname
        return function

    def keep_changes(self, before: list[dict[str, Any]]) -> None:
        """Add to ``initialized`` the globals that have changed. before: copies of the namespaces."""
        for namespace, old, nodes in zip(self.namespaces, before, self.nodes):
            kept = initialized.setdefault(namespace.get("__name__", ""), {})
            for name, value in namespace.items():
                if name not in old or old[name] is not value or self.differs(nodes.get(name), value):
                    kept[name] = value

    def differs(self, node: Any, value: Any) -> bool:
        """Return whether a value has been modified since it was made from its node."""
        if type(node) is not tuple:
            return False
        if node[0] == NodeKind.TUPLE:
            return any(map(self.differs, node[1:], value))
        try:
            return node[0] in (NodeKind.PICKLED, NodeKind.SHARED) and bool(self.value(node) != value)
        except Exception:  # not comparable
            return True

    def value(self, node: Any) -> Any:
        """Return the value that a node describes."""
        if type(node) is not tuple:
            return node
        kind, *rest = node
        match kind:
            case NodeKind.TUPLE:
                return tuple(map(self.value, rest))
            case NodeKind.MODULE:
                for name in rest:
                    import_module(name)
                return sys.modules[rest[0]]
            case NodeKind.NAMED:
                return by_name(rest[0])
            case NodeKind.FUNCTION:
                return self.functions[rest[0]]
            case NodeKind.PARTIAL:
                from functools import partial

                function, args, kwargs = map(self.value, rest)
                return partial(function, *args, **dict(kwargs))
            case NodeKind.CACHED:
                from functools import lru_cache, update_wrapper

                function, maxsize, typed = rest
                wrapped = self.value(function)
                return update_wrapper(lru_cache(maxsize, typed)(wrapped), wrapped)
            case NodeKind.VARIABLE:
                path, name, default = rest
                return variable(path, name, tuple(map(self.value, default)))
            case NodeKind.EXTERNAL:
                return self.external[rest[0]]
            case NodeKind.SHARED:
                return self.external[rest[0]].value()
            case NodeKind.PICKLED:
                from ..._pickling import loads

                data, indexes = rest
                return loads(data, tuple(self.external[i] for i in indexes))
        raise ValueError(f"unknown kind of node: {kind!r}")
