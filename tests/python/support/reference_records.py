"""A Python model of what the extension does with records: reduces a value to plain ones, and makes it again."""

import builtins
from array import array

import xichan
from support import bits
from xichan import _records

LEAVES = {
    type(None), bool, int, float, complex, str, bytes, bytearray, range, type(...), array, memoryview,
}  # fmt: skip
NATIVE = {
    ("datetime", "date"), ("datetime", "time"), ("datetime", "datetime"), ("datetime", "timedelta"),
    ("datetime", "timezone"), ("decimal", "Decimal"), ("uuid", "UUID"),
}  # fmt: skip
MAPPINGS = (dict, *([builtins.frozendict] if hasattr(builtins, "frozendict") else ()))
CONTAINERS = (tuple, list, set, frozenset, slice, *MAPPINGS)


class Node:
    """A container or record: its type, and the values in it, which are nodes or leaves."""

    def __init__(self, type):
        self.type, self.items = type, []
        self.begun = False


class Encoder:
    """Reduces values. Keeps the plans of classes, as the extension does."""

    def __init__(self):
        self.plans = {}

    def encode(self, value):
        """Return a node or leaf. An object that occurs twice is one node."""
        self.nodes, self.held = {}, []
        return self._encode(value, "value")

    def _encode(self, value, path):
        cls = type(value)
        if cls in LEAVES or (cls.__module__, cls.__qualname__) in NATIVE or cls.__module__ == "numpy":
            return value
        if id(value) in self.nodes:
            return self.nodes[id(value)]
        node = self.nodes[id(value)] = Node(cls)
        self.held.append(value)
        if cls in CONTAINERS:
            items = parts_of(value)
        else:
            node.type, *items = self._reduce(value, path)
        self.held.append(items)
        node.items = [self._encode(item, f"{path}.{index}") for index, item in enumerate(items)]
        return node

    def _reduce(self, value, path):
        cls = type(value)
        if cls not in self.plans:
            self.plans[cls] = _records.plan(cls)
        kind, reference, detail = self.plans[cls]
        if kind == _records.REFUSED:
            error = xichan.NotShareableError(f"{path}: {cls.__module__}.{cls.__qualname__}; {detail(value)}")
            error.item, error.path = value, path
            raise error
        if kind == _records.ITEMS:
            return reference, *tuple.__iter__(value)
        if kind == _records.ATTRIBUTES:
            attributes = object.__getattribute__(value, "__dict__") if cls.__dictoffset__ else None
            try:
                if attributes is None or len(attributes) == len(detail):
                    return reference, *(object.__getattribute__(value, name) for name in detail)
            except AttributeError:
                pass
            return _records.reduce_attributes(value)
        return detail(value)


class Decoder:
    """Makes values. Keeps the resolved types, as the extension does."""

    def __init__(self):
        self.types = {}

    def decode(self, root):
        self.made = {}
        return self._decode(root)

    def _decode(self, node):
        if type(node) is not Node:
            return node
        if node in self.made:
            return self.made[node]
        if node.begun:
            raise ValueError("a value contains itself")
        node.begun = True
        if node.type in CONTAINERS:
            return self._decode_container(node)
        return self._decode_record(node)

    def _decode_container(self, node):
        if node.type in (tuple, frozenset, slice, *MAPPINGS[1:]):
            items = [self._decode(item) for item in node.items]
            if node.type in MAPPINGS:
                items = [zip(items[::2], items[1::2])]
            self.made[node] = made = node.type(*items) if node.type in (slice, *MAPPINGS) else node.type(items)
            return made
        self.made[node] = made = node.type()
        items = map(self._decode, node.items)
        if node.type is dict:
            made.update(zip(items, items))
        else:
            for item in items:
                (made.add if node.type is set else made.append)(item)
        return made

    def _decode_record(self, node):
        if node.type not in self.types:
            is_number = type(node.type) is int
            self.types[node.type] = (_records.resolve_standard if is_number else _records.resolve)(node.type)
        kind, cls, create, fill = self.types[node.type]
        if kind == _records.ATTRIBUTES:
            create, fill = object.__new__, lambda obj, *fields: set_all(obj, node.type[3], fields)
        if kind in (_records.ATTRIBUTES, _records.FILL):
            self.made[node] = made = create(cls)
            fill(made, *map(self._decode, node.items))
            return made
        items = [self._decode(item) for item in node.items]
        self.made[node] = made = tuple.__new__(cls, items) if kind == _records.ITEMS else create(*items)
        return made


def set_all(obj, names, values):
    for name, value in zip(names, values, strict=True):
        object.__setattr__(obj, name, value)


def round_trip(value):
    """Return what a receiver gets that shares no object with the sender."""
    return Decoder().decode(Encoder().encode(value))


def types_in(node):
    """Return the type references of all records in a node."""
    found, todo, seen = [], [node], set()
    while todo:
        node = todo.pop()
        if type(node) is Node and node not in seen:
            seen.add(node)
            todo += node.items
            if node.type not in CONTAINERS:
                found.append(node.type)
    return found


def alike(one, other):
    """Return whether two values agree in types, bits, order, and in which of their parts are one object."""
    return differences(Encoder().encode(one), Encoder().encode(other)) == []


def differences(one, other):
    """Return the first pair of parts in which two nodes differ, in a list; empty if there is none."""
    partners, todo = {}, [(one, other)]
    while todo:
        a, b = todo.pop()
        if type(a) is not Node or type(b) is not Node:
            if type(a) is not type(b) or exact(a) != exact(b):
                return [(a, b)]
        elif partners.setdefault(a, b) is not b or partners.setdefault(b, a) is not a:
            return [("identity", a.type, b.type)]
        elif a.begun != b.begun or not a.begun:
            a.begun = b.begun = True
            if a.type != b.type or len(a.items) != len(b.items):
                return [(a.type, len(a.items), b.type, len(b.items))]
            hashed = a.type in (set, frozenset)
            todo += zip(sorted(a.items, key=text), sorted(b.items, key=text)) if hashed else zip(a.items, b.items)
    return []


def parts_of(container):
    """Return the values in a container."""
    if type(container) in MAPPINGS:
        return [part for item in container.items() for part in item]
    return [container.start, container.stop, container.step] if type(container) is slice else list(container)


def exact(leaf):
    if type(leaf) is array:
        return leaf.typecode, leaf.tobytes()
    if type(leaf) is memoryview:
        return leaf.format, leaf.shape, leaf.tobytes()
    if type(leaf).__module__ == "numpy":
        return leaf.dtype, leaf.shape, leaf.flags.c_contiguous, leaf.tobytes()
    if type(leaf) is complex:
        return bits(leaf.real), bits(leaf.imag)
    return bits(leaf) if type(leaf) is float else leaf if type(leaf) in (str, bytes, int) else repr(leaf)


def text(node):
    return f"{node.type} {sorted(map(text, node.items))}" if type(node) is Node else repr(node)
