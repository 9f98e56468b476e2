"""What the instructions of a code object say about the globals that it needs."""

import marshal
import opcode
import types
import weakref
from typing import NamedTuple

_OPS = opcode.opmap


class Scan(NamedTuple):
    """What the instructions of a code object say."""

    data: bytes  # marshalled
    globals: tuple  # names it looks up as globals, also in nested code
    names: frozenset  # all its names, attributes too
    writes: bool  # it may rebind globals or variables of its closure


_scans: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def scan_code(code):
    """The Scan of a code object. Cached."""
    found = _scans.get(code)
    if found is None:
        names, every, writes, todo = {}, set(), False, [code]
        while todo:
            nested = todo.pop()
            every.update(nested.co_names)
            todo.extend(const for const in nested.co_consts if isinstance(const, types.CodeType))
            looked_up, stores = _instructions(nested)
            names.update(looked_up)
            writes = writes or stores
        found = _scans[code] = Scan(marshal.dumps(code), tuple(names), frozenset(every), writes)
    return found


_LOADS = {_OPS[op] for op in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS") if op in _OPS}
_WRITES = {_OPS[op] for op in ("STORE_GLOBAL", "DELETE_GLOBAL") if op in _OPS}
_CELL_WRITES = {_OPS[op] for op in ("STORE_DEREF", "DELETE_DEREF") if op in _OPS}


def _instructions(code):
    """({names of globals that a code object reads or deletes: None}, whether it may rebind what outlives a call)."""
    names, writes, high = {}, False, 0
    for op, low in zip(code.co_code[::2], code.co_code[1::2]):
        arg = high | low
        high = arg << 8 if op == _OPS["EXTENDED_ARG"] else 0
        if op in _LOADS:
            names[code.co_names[arg >> 1 if op == _OPS["LOAD_GLOBAL"] else arg]] = None
        elif op in _WRITES:
            names[code.co_names[arg]] = None
            writes = True
        elif op in _CELL_WRITES:
            writes = writes or bool(code.co_freevars)
    return names, writes
