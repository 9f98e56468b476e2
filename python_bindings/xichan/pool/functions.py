"""A function as a value that can be sent: its name, or what it is made of.

``describe`` gives ``"module:qualified.name"`` for what other interpreters can import. Everything else is described by
its code (marshalled: both interpreters are of one process, so of one version), defaults, attributes, closure cells and
the globals that its code names; functions among these likewise. It is a snapshot.

The functions met are numbered and taken from a worklist, cells and namespaces are numbered too, so that cycles end and
what was shared is shared again. Values that marshal does not know travel beside the description, in the same message.
"""

import functools
import marshal
import sys
import threading
import types
import weakref
from typing import NamedTuple

from .. import _core
from .._errors import NotShareableError
from . import rebuild
from .scan import scan_code

_ATOMS = (type(None), bool, int, float, str, bytes)
_NAMED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.WrapperDescriptorType,
    type,
)
_DEPTH = 50  # of tuples that are looked into; deeper ones have to be shareable


class Description(NamedTuple):
    """A callable as it is sent."""

    data: str | bytes  # a name, or for rebuild.by_value
    beside: tuple  # shareable values that belong to it
    cacheable: bool  # a worker may keep what it makes of it: the same each time it is made
    pickled: int  # how many values in it are pickled
    modules: tuple  # names of the modules that it makes a worker import


_by_name: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # function: Description
_active = threading.local()  # .functions: those being described by this thread, the outermost first


def importable(value):
    """``"module:qualified.name"`` if that leads to this very object in every interpreter, else None."""
    if not isinstance(value, _NAMED):
        return None
    home = getattr(value, "__objclass__", value)  # methods of builtin types know no module
    module, path = getattr(home, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str) or module == "__main__" or "<" in path:
        return None
    found = sys.modules.get(module)
    if getattr(found, "__spec__", None) is None:  # made by hand: others do not find it
        return None
    for part in path.split("."):
        found = getattr(found, part, None)
    return f"{module}:{path}" if found is value else None


def describe(function, *, pickle=True, skip=frozenset()):
    """Describe a callable. ``skip``: names of globals that the worker has already.

    Raises NotShareableError that names what cannot go; with ``pickle=False`` also for what could be pickled.
    """
    found = _by_name.get(function) if type(function) is types.FunctionType else None
    if found is not None:
        return found
    name = importable(function)
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


def describe_value(value, where, *, pickle=True):
    """Describe any value, as ``describe`` does. ``where`` begins the sentence of an error: "the global 'x'"."""
    return _Writer(pickle, frozenset()).describe(value, where)


class _Writer:
    def __init__(self, pickle, skip):
        self.pickle = pickle
        self.skip = skip
        self.numbers = {}  # by id: of functions, cells and namespaces, each among its kind
        self.functions, self.cells, self.namespaces = [], [], []
        self.alive = []  # what `numbers` knows by id
        self.todo = []
        self.beside, self.pickled, self.modules = [], 0, {}
        self.cacheable = True

    def describe(self, value, where):
        root = self.node(value, where)
        while self.todo:
            self.write(self.todo.pop())
        data = marshal.dumps((tuple(self.functions), tuple(self.cells), tuple(self.namespaces), root))
        return Description(data, tuple(self.beside), self.cacheable, self.pickled, tuple(self.modules))

    def number(self, thing, table, start):
        """The number of a thing in its table, where `start` is put for a new one. Returns (number, whether new)."""
        found = self.numbers.get(id(thing))
        if found is not None:
            return found, False
        self.numbers[id(thing)] = len(table)
        self.alive.append(thing)
        table.append(start)
        return len(table) - 1, True

    def write(self, function):
        """Fill in the record of a function."""
        code, name = function.__code__, label(function)
        scan = scan_code(code)
        closure = function.__closure__ or ()
        cells = []
        for variable, cell in zip(code.co_freevars, closure):
            i, new = self.number(cell, self.cells, (rebuild.EMPTY,))
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
                value = self.node(function.__globals__[variable], f"{name} uses the global {variable!r}", scan)
                nodes[variable] = value
        defaults = function.__defaults__
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

    def node(self, value, where, scan=None, depth=0):
        """The description of any value. ``where`` begins the sentence of an error."""
        kind = type(value)
        if kind in _ATOMS:
            return value
        if kind is tuple and depth < _DEPTH:
            return (rebuild.TUPLE, *(self.node(item, where, scan, depth + 1) for item in value))
        if kind is types.ModuleType:
            return self.module(value, where, scan)
        name = importable(value)
        if name is not None:
            self.modules[name.partition(":")[0]] = None
            return rebuild.NAMED, name
        if kind is types.FunctionType:
            i, new = self.number(value, self.functions, None)
            if new:
                self.todo.append(value)
            return rebuild.FUNCTION, i
        if kind is functools.partial:
            parts = (value.func, value.args, tuple(value.keywords.items()))
            return (rebuild.PARTIAL, *(self.node(part, where, scan, depth + 1) for part in parts))
        self.cacheable = False
        if _core.is_shareable(value):
            self.beside.append(value)
            return rebuild.BESIDE, len(self.beside) - 1
        return self.pickle_value(value, where)

    def module(self, module, where, scan):
        """A module goes by name, with those of its submodules that the code names and this interpreter has loaded."""
        name = module.__name__
        if name == "__main__" or sys.modules.get(name) is not module:
            raise NotShareableError(f"{where} which is the module {name!r}, and others cannot import that")
        names, found = scan.names if scan is not None else (), [name]
        for package in found:  # grows
            if hasattr(sys.modules[package], "__path__"):
                below = (f"{package}.{part}" for part in names)
                found.extend(path for path in below if path in sys.modules and path not in found)
        self.modules.update(dict.fromkeys(found))
        return rebuild.MODULE, *found

    def pickle_value(self, value, where):
        if not self.pickle:
            raise NotShareableError(f"{where} of type {_type_name(value)}, which cannot be sent without pickling")
        from .pickles import dumps

        try:
            data, beside = dumps(value)
        except Exception as error:
            raise NotShareableError(f"{where} of type {_type_name(value)}, which cannot be sent: {error}") from error
        self.pickled += 1
        first = len(self.beside)
        self.beside.extend(beside)
        return rebuild.PICKLED, data, tuple(range(first, len(self.beside)))


def label(function):
    """What errors call a function."""
    code = getattr(function, "__code__", None)
    if code is None:
        return f"{type(function).__name__} {getattr(function, '__qualname__', function)!r}"
    name = "lambda" if function.__name__ == "<lambda>" else f"function {function.__qualname__!r}"
    return f"{name} at {code.co_filename}:{code.co_firstlineno}"


def _type_name(value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
