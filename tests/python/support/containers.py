"""Compares values with containers: types, bits, order and identity, without recursion."""

import builtins
import struct
from array import array

MAPPINGS = (dict, *([builtins.frozendict] if hasattr(builtins, "frozendict") else ()))
SETS = (set, frozenset)
CONTAINERS = (tuple, list, *MAPPINGS, *SETS, slice, bytearray)


def alike(one, other):
    """Return whether two values agree in every type and bit, in the order of dicts, and in which containers are one."""
    pairs, partners = [(one, other)], {}
    while pairs:
        a, b = pairs.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, CONTAINERS) and not (type(a) is tuple and not a):
            if id(a) in partners or id(b) in partners:
                if partners.get(id(a)) is not b or partners.get(id(b)) is not a:
                    return False
                continue
            partners[id(a)], partners[id(b)] = b, a
        found, wanted = _items(a), _items(b)
        if found is None:
            if _leaf(a) != _leaf(b):
                return False
        elif len(found) != len(wanted):
            return False
        else:
            pairs.extend(zip(found, wanted, strict=True))
    return True


def _items(value):
    if isinstance(value, MAPPINGS):
        return [part for item in value.items() for part in item]
    if isinstance(value, SETS):
        return sorted(value, key=_order)
    if type(value) in (tuple, list):
        return value
    if type(value) is slice:
        return [value.start, value.stop, value.step]
    return None


def _order(value):
    """Return a str that sorts the elements of a set, whatever the order of the sets in them."""
    if isinstance(value, SETS):
        return f"set({sorted(map(_order, value))})"
    return f"tuple({[_order(item) for item in value]})" if type(value) is tuple else repr(value)


def _leaf(value):
    if type(value) is float:
        return struct.pack("d", value)
    if type(value) is complex:
        return struct.pack("dd", value.real, value.imag)
    if type(value) is array:
        return value.typecode, value.tobytes()
    return value
