"""Describes a function as a value that can be sent.

``describe`` returns ``"module:qualified.name"`` for what other interpreters can import. Any other function is described
by its code (marshaled: both interpreters belong to one process, hence to one version), defaults, attributes, closure
cells and the globals that its code names. Functions among these are described the same way. The description is a
snapshot. A ContextVar is described by the global that it is, and by its default if workers cannot import its module.

Functions, cells and namespaces are numbered, and functions are taken from a worklist. So cycles end, and what was
shared is shared again after rebuilding. Values that marshal does not support are external: they travel beside the
description, in the same message.
"""

from __future__ import annotations

import functools
import itertools
import marshal
import sys
import threading
import types
import weakref
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from contextvars import Context, ContextVar
from typing import Any, NamedTuple

from ... import _core
from ..._errors import NotShareableError
from ..._queue import Queue
from .importable import is_importable
from .rebuild import NodeKind
from .scan import Scan, scan_code
from .variables import variable_path

_ATOMS = (type(None), bool, int, float, str, bytes)
# Sent as they are; the rest is copied now.
_HANDLES = (_core.Sender, _core.Receiver, Queue, _core.Shared, _core.Buffer, _core.Descriptor)
_NAMED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
    type,
)
Cached = type(functools.lru_cache(len))
_LAZY_IMPORT: Any = getattr(types, "LazyImportType", None)  # CPython 3.15
_MAX_DEPTH = 50  # of nested tuples; deeper ones have to be shareable
_REMEDY = "create it in the task, or under another name in the pool's initializer"


class Description(NamedTuple):
    """A callable in the form in which it is sent."""

    data: str | bytes  # a name, or the argument of rebuild.by_value
    external: tuple[Any, ...]  # shareable values that belong to it
    cacheable: bool  # a worker may keep the rebuilt function, because rebuilding gives the same each time
    pickled: int  # number of values in it that are pickled
    modules: tuple[str, ...]  # names of the modules that it makes a worker import


_by_name: weakref.WeakKeyDictionary[types.FunctionType, Description] = weakref.WeakKeyDictionary()
_active = threading.local()  # .functions: those that this thread is describing, the outermost first


def qualified_name(value: object) -> str | None:
    """Return ``"module:qualified.name"`` if this very object is found by it in this interpreter, else None."""
    if not isinstance(value, _NAMED):
        return None
    home = getattr(value, "__objclass__", value)  # methods of builtin types have no __module__
    module, path = getattr(home, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str) or module == "__main__" or "<" in path:
        return None
    found: object = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return f"{module}:{path}" if found is value else None


def importable_name(value: object) -> str | None:
    """Return ``"module:qualified.name"`` if workers can import this very object by it, else None."""
    name = qualified_name(value)
    return name if name is not None and is_importable(name.partition(":")[0]) else None


def describe(function: Callable[..., Any], *, pickle: bool = True, skip: Container[str] = frozenset()) -> Description:
    """Return the Description of a callable.

    skip: names of globals that workers have already. Raises NotShareableError, naming the value that cannot be sent;
    with ``pickle=False`` also for a value that could be pickled.
    """
    found = _by_name.get(function) if type(function) is types.FunctionType else None
    if found is not None and is_importable(found.modules[0]):
        return found
    name = importable_name(function)
    if name is not None:
        found = Description(name, (), True, 0, (name.partition(":")[0],))
        if type(function) is types.FunctionType:
            _by_name[function] = found
        return found
    within = _active.__dict__.setdefault("functions", [])
    if function in within:
        raise NotShareableError(f"{label(function)} contains itself, inside a value that has to be pickled")
    within.append(function)
    try:
        return _Writer(pickle, skip).describe(function, f"{label(function)} is")
    finally:
        within.pop()


def describe_value(value: object, where: str, *, pickle: bool = True) -> Description:
    """Return the Description of any value. where: the beginning of error messages, such as "the global 'x'"."""
    return _Writer(pickle, frozenset()).describe(value, where)


def describe_tuple(items: Iterable[tuple[object, str]], *, pickle: bool = True) -> Description:
    """Return the Description of a tuple. items: its values, each with the beginning of error messages."""
    writer = _Writer(pickle, frozenset())
    return writer.finish((NodeKind.TUPLE, *(writer.node(value, where) for value, where in items)))


def describe_unshareable(args: Collection[object], kwargs: Mapping[str, object]) -> str:
    """Return the text of an error: which of the arguments cannot be sent, and why."""
    tx, _ = _core._own_channel("check of arguments", 1)
    for name, value in itertools.chain(((f"args[{i}]", value) for i, value in enumerate(args)), kwargs.items()):
        try:
            tx.send_nowait(value)
            tx, _ = _core._own_channel("check of arguments", 1)
        except NotShareableError as error:
            return str(error).replace("value", name, 1)
    return "the arguments are not shareable"


class _Writer:
    def __init__(self, pickle: bool, skip: Container[str]) -> None:
        self.pickle = pickle
        self.skip = skip
        self.numbers: dict[int, int] = {}  # id of a function, cell or namespace: its index among those of its kind
        self.functions: list[Any] = []  # records, or None until `write`
        self.cells: list[Any] = []  # nodes
        self.namespaces: list[Any] = []  # {name: node}
        self.alive: list[object] = []  # keeps the objects in `numbers` alive, so that no id is used twice
        self.todo: list[types.FunctionType] = []
        self.external: list[Any] = []
        self.pickled = 0
        self.modules: dict[str, None] = {}
        self.cacheable = True

    def describe(self, value: object, where: str) -> Description:
        return self.finish(self.node(value, where))

    def finish(self, root: Any) -> Description:
        """Return the Description of the value that a node describes."""
        while self.todo:
            self.write(self.todo.pop())
        data = marshal.dumps((tuple(self.functions), tuple(self.cells), tuple(self.namespaces), root))
        return Description(data, tuple(self.external), self.cacheable, self.pickled, tuple(self.modules))

    def number(self, thing: object, table: list[Any], start: Any) -> tuple[int, bool]:
        """Return (index of a thing in its table, whether it is new); a new one is added as `start`."""
        found = self.numbers.get(id(thing))
        if found is not None:
            return found, False
        self.numbers[id(thing)] = len(table)
        self.alive.append(thing)
        table.append(start)
        return len(table) - 1, True

    def write(self, function: types.FunctionType) -> None:
        """Fill in the record of a function."""
        code, name = function.__code__, label(function)
        scan = scan_code(code)
        closure = function.__closure__ or ()
        cells = []
        for variable, cell in zip(code.co_freevars, closure):
            i, new = self.number(cell, self.cells, (NodeKind.EMPTY,))
            cells.append(i)
            if new:
                try:
                    contents = cell.cell_contents
                except ValueError:  # not bound yet
                    continue
                self.cells[i] = self.node(contents, f"{name} uses the variable {variable!r} of its closure,", scan)
        space, new = self.number(function.__globals__, self.namespaces, None)
        if new:
            known = {n: function.__globals__.get(n) for n in ("__name__", "__package__")}
            self.namespaces[space] = {n: v for n, v in known.items() if type(v) is str}
        nodes = self.namespaces[space]
        for variable in scan.globals:
            if variable in function.__globals__ and variable not in self.skip:
                value = function.__globals__[variable]
                if type(value) is _LAZY_IMPORT:
                    value = value.resolve()
                nodes[variable] = self.node(value, f"{name} uses the global {variable!r}", scan)
        defaults: Any = function.__defaults__
        if defaults is not None:
            defaults = self.node(defaults, f"{name} has a default argument")
        kwdefaults = function.__kwdefaults__
        if kwdefaults is not None:
            kwdefaults = {n: self.node(v, f"{name} has a default for {n!r}") for n, v in kwdefaults.items()}
        attributes = {n: self.node(v, f"{name} has an attribute {n!r}") for n, v in function.__dict__.items()}
        self.cacheable = self.cacheable and not scan.writes and not attributes
        self.functions[self.numbers[id(function)]] = (
            scan.data,
            function.__name__,
            function.__qualname__,
            space,
            tuple(cells),
            defaults,
            kwdefaults,
            attributes,
        )

    def node(self, value: Any, where: str, scan: Scan | None = None, depth: int = 0) -> Any:
        """Return the node of any value. where: the beginning of error messages."""
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind is tuple and depth < _MAX_DEPTH:
            return (NodeKind.TUPLE, *(self.node(item, where, scan, depth + 1) for item in value))
        if kind is types.ModuleType:
            return self.module(value, where, scan)
        name = importable_name(value)
        if name is not None:
            self.modules[name.partition(":")[0]] = None
            return NodeKind.NAMED, name
        if kind is types.FunctionType:
            i, new = self.number(value, self.functions, None)
            if new:
                self.todo.append(value)
            return NodeKind.FUNCTION, i
        if kind is functools.partial:
            parts = (value.func, value.args, tuple(value.keywords.items()))
            return (NodeKind.PARTIAL, *(self.node(part, where, scan, depth + 1) for part in parts))
        if kind is Cached:
            options = value.cache_parameters()
            wrapped = self.node(value.__wrapped__, where, scan, depth + 1)
            return NodeKind.CACHED, wrapped, options["maxsize"], options["typed"]
        if kind is ContextVar:
            return self.variable(value, where)
        self.cacheable = False
        if _core.is_shareable(value):
            is_handle = kind in _HANDLES
            self.external.append(value if is_handle else _core.share(value))
            return NodeKind.EXTERNAL if is_handle else NodeKind.SHARED, len(self.external) - 1
        return self.pickle_value(value, where)

    def module(self, module: types.ModuleType, where: str, scan: Scan | None) -> tuple[Any, ...]:
        """Return the node of a module: its name, and those of its loaded submodules that the code names."""
        name = module.__name__
        if sys.modules.get(name) is not module or not is_importable(name):
            raise NotShareableError(f"{where} which is the module {name!r}; other interpreters cannot import it")
        names, found = scan.names if scan is not None else (), [name]
        for package in found:  # grows
            if hasattr(sys.modules[package], "__path__"):
                below = (f"{package}.{part}" for part in names)
                found.extend(path for path in below if path in sys.modules and path not in found)
        self.modules.update(dict.fromkeys(found))
        return NodeKind.MODULE, *found

    def variable(self, variable: ContextVar[Any], where: str) -> tuple[Any, ...]:
        path = variable_path(variable)
        if path is None:
            raise NotShareableError(
                f"{where.rstrip(',')}, a context variable that is not a global of any module, by which workers could "
                "find it"
            )
        if is_importable(path.partition(":")[0]):
            self.modules[path.partition(":")[0]] = None
            return NodeKind.NAMED, path
        default: tuple[Any, ...] = ()
        try:
            default = (self.node(Context().run(variable.get), f"the default of {variable.name!r} is"),)
        except LookupError:  # it has none
            pass
        return NodeKind.VARIABLE, path, variable.name, default

    def pickle_value(self, value: object, where: str) -> tuple[Any, ...]:
        if not self.pickle:
            raise NotShareableError(
                f"{where} of type {_type_name(value)}, which cannot be sent without pickling; {_REMEDY}"
            )
        from .pickler import dumps

        try:
            data, external = dumps(value)
        except NotShareableError as error:  # which names a remedy
            raise NotShareableError(f"{where} of type {_type_name(value)}, which cannot be sent: {error}") from None
        except Exception as error:
            message = f"{where} of type {_type_name(value)}, which cannot be sent: {error}; {_REMEDY}"
            raise NotShareableError(message) from error
        self.pickled += 1
        first = len(self.external)
        self.external.extend(external)
        return NodeKind.PICKLED, data, tuple(range(first, len(self.external)))


def function_name(data: str | bytes) -> str:
    """Return the name of the function in the data of a Description, for messages."""
    if isinstance(data, str):
        return data.partition(":")[2]
    records, *_ = marshal.loads(data)
    return records[0][2].rpartition("<locals>.")[2] if records else "?"


def label(function: Any) -> str:
    """Return the name of a function for error messages."""
    code = getattr(function, "__code__", None)
    if code is None:
        return f"{type(function).__name__} {getattr(function, '__qualname__', function)!r}"
    name = "lambda" if function.__name__ == "<lambda>" else f"function {function.__qualname__!r}"
    return f"{name} at {code.co_filename}:{code.co_firstlineno}"


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
