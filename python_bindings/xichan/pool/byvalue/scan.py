"""Finds the globals that a code object uses by reading its instructions."""

import marshal
import opcode
import types
import weakref
from typing import NamedTuple

_OPS = opcode.opmap
_LOADS = {_OPS[op] for op in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS") if op in _OPS}
_WRITES = {_OPS[op] for op in ("STORE_GLOBAL", "DELETE_GLOBAL") if op in _OPS}
_CELL_WRITES = {_OPS[op] for op in ("STORE_DEREF", "DELETE_DEREF") if op in _OPS}


class Scan(NamedTuple):
    """The findings about a code object, nested code included."""

    data: bytes  # the code, marshaled
    globals: tuple[str, ...]  # names it looks up as globals
    names: frozenset[str]  # all names it uses, attributes included
    writes: bool  # whether it may rebind globals or closure variables


_scans: weakref.WeakKeyDictionary[types.CodeType, Scan] = weakref.WeakKeyDictionary()


def scan_code(code: types.CodeType) -> Scan:
    """Return the Scan of a code object. Cached."""
    found = _scans.get(code)
    if found is None:
        names: dict[str, None] = {}
        every: set[str] = set()
        writes, todo = False, [code]
        while todo:
            nested = todo.pop()
            every.update(nested.co_names)
            todo.extend(const for const in nested.co_consts if isinstance(const, types.CodeType))
            looked_up, stores = _instructions(nested)
            names.update(looked_up)
            writes = writes or stores
        found = _scans[code] = Scan(marshal.dumps(code), tuple(names), frozenset(every), writes)
    return found


def _instructions(code: types.CodeType) -> tuple[dict[str, None], bool]:
    """Return ({name of a global that is read or deleted: None}, whether anything that outlives a call is rebound)."""
    names: dict[str, None] = {}
    writes, high = False, 0
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
