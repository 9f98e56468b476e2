"""Checks whether a recorded history of operations is linearizable.

Algorithm: Wing and Gong (1993), with the memoization and the just-in-time linearization of Lowe (2017): a search for an
order of the operations that respects real time, each between its call and its return, and in which every operation
returns what the model allows. The history is read in the order of its calls and returns; an operation is put into the
order when it must be, at its return, so only those in progress at one moment have to be tried in every order.
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


class NotLinearizable(AssertionError):
    """No order of the operations explains their results."""


def final_states(history, initial, model):
    """Return the set of states that a history may end in: empty if it is not linearizable."""
    try:
        return check(history, {initial}, model)
    except NotLinearizable:
        return set()


def check(history, initial, model):
    """Return the set of states that a history may end in, if it began in one of `initial`. Raises NotLinearizable.

    ``model(state, operation)`` returns the states that an operation with this result may lead to. States are hashable.
    """
    history = sorted(history)
    # At the same time, calls before returns: then the operations overlap, and each order is allowed.
    events = sorted(
        [(operation.start, 0, i) for i, operation in enumerate(history)]
        + [(operation.end, 1, i) for i, operation in enumerate(history)]
    )
    found = {(state, 0) for state in initial}  # with the set of those operations in progress that took effect
    slots, free, in_progress = {}, [], {}  # bits of that set
    for _, is_return, i in events:
        if not is_return:
            slots[i] = bit = free.pop() if free else 1 << len(in_progress)
            in_progress[bit] = history[i]
            continue
        bit = slots.pop(i)
        after = _linearized(found, bit, in_progress, model)
        if not after:
            raise NotLinearizable(_report(history, i, found, in_progress))
        found = {(state, done ^ bit) for state, done in after}
        del in_progress[bit]
        free.append(bit)
    return {state for state, _ in found}


def _linearized(found, bit, in_progress, model):
    """Let operations take effect until the one with this bit did; return all ways to do that."""
    after, seen, waiting = set(), set(found), list(found)
    while waiting:
        node = waiting.pop()
        state, done = node
        if done & bit:
            after.add(node)
            continue
        for other, operation in in_progress.items():
            if not done & other:
                for reached in model(state, operation):
                    node = (reached, done | other)
                    if node not in seen:
                        seen.add(node)
                        waiting.append(node)
    return after


def _report(history, i, found, in_progress):
    """Say which operation has no place in the order, and what surrounds it."""
    lines = [f"no order explains the result of {history[i]}", "possible states before it returned:"]
    lines += [f"    {state!r:.300}" for state, _ in list(found)[:8]]
    lines += ["in progress:", *(f"    {operation}" for operation in in_progress.values())]
    return "\n".join([*lines, "before:", *(f"    {operation}" for operation in history[max(0, i - 12) : i])])


def deterministic(step):
    """Make a model of ``step(state, name, args)``, which returns (new state, result) of an operation."""

    def model(state, operation):
        after, result = step(state, operation.name, operation.args)
        return (after,) if result == operation.result and type(result) is type(operation.result) else ()

    return model


ABSENT = "absent"


@deterministic
def map_step(state, name, args):
    """The model of one key of a Map."""
    if name == "get":
        return state, None if state == ABSENT else state
    if name == "contains":
        return state, state != ABSENT
    if name == "set":
        return args[0], None
    if name == "pop":
        return ABSENT, None if state == ABSENT else state
    if name in ("add", "update_with"):  # update_with() calls a function that adds
        total = (0 if state == ABSENT else state) + args[0]
        return total, total
    if name == "setdefault":
        return (args[0], args[0]) if state == ABSENT else (state, state)
    if name == "compare_and_set":
        return (args[1], True) if state == args[0] else (state, False)
    raise AssertionError(name)


@deterministic
def cell_step(state, name, args):
    """The model of a Cell: (version, value)."""
    version, value = state
    if name == "get":
        return state, value
    if name == "version":
        return state, version
    if name == "wait":
        return state, "ChannelTimeout" if version == args[0] else version
    if name == "set":
        return (version + 1, args[0]), None
    if name == "swap":
        return (version + 1, args[0]), value
    if name == "update":  # by a function that adds 1
        return (version + 1, value + 1), value + 1
    if name == "compare_and_set":
        return ((version + 1, args[1]), True) if version == args[0] else (state, False)
    raise AssertionError(name)


@deterministic
def int_step(state, name, args):
    """The model of an AtomicInt."""
    if name == "value":
        return state, state
    if name == "set":
        return args[0], None
    if name == "add":
        total = state + args[0]
        return (total, total) if -(2**63) <= total < 2**63 else (state, "OverflowError")
    if name == "exchange":
        return args[0], state
    if name == "compare_exchange":
        return (args[1], True) if state == args[0] else (state, False)
    raise AssertionError(name)
