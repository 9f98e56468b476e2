"""Functions made again from what ``functions`` describes. Runs in the interpreter that is to call them."""

import builtins
import functools
import marshal
import sys
import types

# The kinds of nodes. Whatever is no tuple stands for itself.
PLAIN, TUPLE, MODULE, NAMED, FUNCTION, PARTIAL, BESIDE, PICKLED, EMPTY = range(9)


def by_name(name):
    """The object ``"module:qualified.name"``, imported if need be."""
    module, _, path = name.partition(":")
    found = sys.modules.get(module) or import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def import_module(name):
    __import__(name)
    return sys.modules[name]


def by_value(data, beside, shared=None):
    """The object described by ``functions.describe``. ``shared``: names that its functions find among their globals."""
    return Reader(data, beside, shared or {}).root


def by_description(data, beside):
    """For pickles: what ``functions.describe`` described."""
    return by_name(data) if type(data) is str else by_value(data, beside)


class Reader:
    """First all that can refer to one another is made, empty, and then it is filled: so cycles are nothing special."""

    def __init__(self, data, beside, shared):
        records, cells, namespaces, root = marshal.loads(data)
        self.beside = beside
        self.cells = [types.CellType() for _ in cells]
        self.namespaces = [{"__builtins__": builtins, **shared} for _ in namespaces]
        self.functions = [self.make(*record[:5]) for record in records]
        for cell, node in zip(self.cells, cells):
            if node != (EMPTY,):
                cell.cell_contents = self.value(node)
        for namespace, nodes in zip(self.namespaces, namespaces):
            for name, node in nodes.items():
                namespace[name] = self.value(node)
        for function, (*_, defaults, kwdefaults, attributes) in zip(self.functions, records):
            function.__defaults__ = self.value(defaults)
            if kwdefaults is not None:
                function.__kwdefaults__ = {name: self.value(node) for name, node in kwdefaults.items()}
            for name, node in attributes.items():
                setattr(function, name, self.value(node))
        self.root = self.value(root)

    def make(self, code, name, qualname, namespace, cells):
        closure = tuple(self.cells[i] for i in cells)
        function = types.FunctionType(marshal.loads(code), self.namespaces[namespace], name, None, closure)
        function.__qualname__ = qualname
        return function

    def value(self, node):
        if type(node) is not tuple:
            return node
        kind, *rest = node
        match kind:
            case 0:  # PLAIN
                return rest[0]
            case 1:  # TUPLE
                return tuple(map(self.value, rest))
            case 2:  # MODULE
                for name in rest:
                    import_module(name)
                return sys.modules[rest[0]]
            case 3:  # NAMED
                return by_name(rest[0])
            case 4:  # FUNCTION
                return self.functions[rest[0]]
            case 5:  # PARTIAL
                function, args, kwargs = map(self.value, rest)
                return functools.partial(function, *args, **dict(kwargs))
            case 6:  # BESIDE
                return self.beside[rest[0]]
            case 7:  # PICKLED
                from .._pickling import loads

                data, places = rest
                return loads(data, tuple(self.beside[i] for i in places))
        raise ValueError(f"no kind of node: {kind!r}")
