"""Checks whether a recorded history of operations is linearizable.

Algorithm: Wing and Gong (1993), with the memoization of Lowe (2017): a search for an order of the operations that
respects real time, each between its call and its return, and in which every operation returns what the model returns.
Operations on different keys of a map are independent (Herlihy and Wing 1990), so each key is checked by itself.
"""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    start: int  # time.monotonic_ns() before the call
    end: int  # and after it
    name: str
    args: tuple
    result: object


def pieces(history):
    """Split a history where no operation is in progress: between two pieces only the state is passed on."""
    piece, last_end = [], None
    for operation in sorted(history):
        if last_end is not None and operation.start > last_end:
            yield piece
            piece, last_end = [], None
        piece.append(operation)
        last_end = operation.end if last_end is None else max(last_end, operation.end)
    if piece:
        yield piece


def final_states(history, initial, step):
    """Return the set of states that a history may end in: empty if it is not linearizable."""
    states = {initial}
    for piece in pieces(history):
        states = {state for before in states for state in _ends(piece, before, step)}
        if not states:
            break
    return states


def _ends(piece, initial, step):
    """The states in which a linearizable order of a piece may end.

    ``step(state, name, args)`` returns (new state, result) of an operation of the model. States are hashable.
    """
    events = sorted(piece)
    count, full = len(events), (1 << len(events)) - 1
    seen, ends, stack = set(), set(), [(0, initial)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        done, state = node
        if done == full:
            ends.add(state)
            continue
        waiting = [index for index in range(count) if not done >> index & 1]
        earliest_end = min(events[index].end for index in waiting)
        for index in waiting:
            # The next operation to take effect has begun before any that has not taken effect has returned.
            if events[index].start > earliest_end:
                break
            after, result = step(state, events[index].name, events[index].args)
            if result == events[index].result and type(result) is type(events[index].result):
                stack.append((done | 1 << index, after))
    return ends


ABSENT = "absent"


def map_step(state, name, args):
    """The model of one key of a Map."""
    if name == "get":
        return state, None if state == ABSENT else state
    if name == "set":
        return args[0], None
    if name == "pop":
        return ABSENT, None if state == ABSENT else state
    if name == "add":
        total = (0 if state == ABSENT else state) + args[0]
        return total, total
    if name == "setdefault":
        return (args[0], args[0]) if state == ABSENT else (state, state)
    if name == "compare_and_set":
        return (args[1], True) if state == args[0] else (state, False)
    raise AssertionError(name)


def cell_step(state, name, args):
    """The model of a Cell: (version, value)."""
    version, value = state
    if name == "get":
        return state, value
    if name == "version":
        return state, version
    if name == "set":
        return (version + 1, args[0]), None
    if name == "swap":
        return (version + 1, args[0]), value
    if name == "compare_and_set":
        return ((version + 1, args[1]), True) if version == args[0] else (state, False)
    raise AssertionError(name)


def int_step(state, name, args):
    """The model of an AtomicInt."""
    if name == "value":
        return state, state
    if name == "add":
        return state + args[0], state + args[0]
    if name == "exchange":
        return args[0], state
    if name == "compare_exchange":
        return (args[1], True) if state == args[0] else (state, False)
    raise AssertionError(name)
