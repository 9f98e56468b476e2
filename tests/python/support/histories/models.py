"""The models of shared objects that are not in support/linearizability.py.

Time: a history is recorded with the clock that expiry uses. The ttl of an entry begins between the call that stores it
and its return, so its end is known up to that interval. An operation may find the entry as long as its call begins
before the interval ends, and may miss it once its return comes after the interval begins: it takes effect at a moment
between the two.
"""

from __future__ import annotations

import bisect
from typing import NamedTuple

from support.linearizability import ABSENT, deterministic, map_step

NEVER = 2**63


class Expiring(NamedTuple):
    """An entry and the interval in which it expires."""

    value: int
    low: int
    high: int


def expiring_map(ttl):
    """Return the model of one key of a Map with a ttl in ns. An operation may state its own as its last argument."""

    def stored(value, operation, own):
        if own is None:
            return (Expiring(value, operation.start + ttl, operation.end + ttl),)
        return (Expiring(value, NEVER, NEVER),)

    def model(state, operation):
        """Try both: the entry has expired when the operation takes effect, or has not."""
        _, end, _, _, result = operation
        if state == ABSENT:
            return when_absent(operation, result)
        after = when_absent(operation, result) if end >= state.low else ()
        if operation.start < state.high:
            after += when_present(state, operation, result)
        return after

    def when_absent(operation, result):
        name, args = operation.name, operation.args
        if name in ("get", "pop"):
            return (ABSENT,) if result is None else ()
        if name == "set":
            return stored(args[0], operation, args[1])
        if name in ("setdefault", "add"):
            return stored(args[0], operation, args[1]) if result == args[0] else ()
        assert name == "compare_and_set"
        return (ABSENT,) if result is False else ()

    def when_present(state, operation, result):
        name, args = operation.name, operation.args
        seen = state._replace(low=max(state.low, min(operation.start, state.high)))
        if name == "get":
            return (seen,) if result == state.value else ()
        if name == "pop":
            return (ABSENT,) if result == state.value else ()
        if name == "set":
            return stored(args[0], operation, args[1])
        if name == "setdefault":
            return (seen,) if result == state.value else ()
        if name == "add":  # keeps the time at which the entry expires
            total = state.value + args[0]
            return (seen._replace(value=total),) if result == total else ()
        assert name == "compare_and_set"
        if state.value != args[0]:
            return (seen,) if result is False else ()
        return stored(args[1], operation, args[2]) if result is True else ()

    return model


STORES = ("set", "add", "setdefault", "compare_and_set", "update_with")


def bounded_map(history, others):
    """Return the model of one key of a Map with max_items: other keys that are stored may evict it, but it itself may
    not. `history` has the operations on the key, `others` those on all keys.
    """

    def intervals(operations):
        found = [(operation.start, operation.end) for operation in operations if operation.name in STORES]
        return sorted(start for start, _ in found), sorted(end for _, end in found)

    def overlapping(stores, since, until):
        starts, ends = stores
        return bisect.bisect_right(starts, until) - bisect.bisect_left(ends, since)

    own, every = intervals(history), intervals(others)

    def may_be_evicted(since, until):
        return overlapping(every, since, until) > overlapping(own, since, until)

    def model(state, operation):
        value, since = state
        after = tuple(
            (reached, operation.start if reached != value else since) for reached in map_step(value, operation)
        )
        if value != ABSENT and may_be_evicted(since, operation.end):
            after += tuple((reached, operation.start) for reached in map_step(ABSENT, operation))
        return after

    return model


@deterministic
def whole_map_step(state, name, args):
    """The model of a Map with few keys: its entries, sorted."""
    entries = dict(state)
    result = None
    if name == "get":
        result = entries.get(args[0])
    elif name == "set":
        entries[args[0]] = args[1]
    elif name == "pop":
        result = entries.pop(args[0], None)
    elif name == "len":
        result = len(entries)
    elif name == "snapshot":
        result = state
    elif name == "clear":
        entries = {}
    else:
        raise AssertionError(name)
    return tuple(sorted(entries.items())), result


def whole_map(state, operation):
    """The same with popitem(), which removes any entry."""
    if operation.name != "popitem":
        return whole_map_step(state, operation)
    if operation.result == "KeyError":
        return (state,) if not state else ()
    return (tuple(item for item in state if item != operation.result),) if operation.result in state else ()


class LockState(NamedTuple):
    owner: object  # None if it is free
    depth: int
    died: bool  # the next call that finds it free raises OwnerDied


FREE = LockState(None, 0, False)


def lock_model(recursive):
    """Return the model of a Lock or an RLock. The first argument of an operation is its owner."""

    def model(state, operation):
        _, _, name, (owner, *_), result = operation
        if name == "locked":
            return (state,) if result == (state.owner is not None) else ()
        if name == "end":  # of an interpreter
            return (LockState(None, 0, True) if state.owner == owner else state,)
        if name == "release":
            allowed = state.owner == owner if recursive else state.owner is not None
            if result == "RuntimeError" or not allowed:
                return (state,) if (result == "RuntimeError") != allowed else ()
            return (state._replace(depth=state.depth - 1) if state.depth > 1 else state._replace(owner=None, depth=0),)
        assert name == "acquire"
        if recursive and state.owner == owner:
            return (state._replace(depth=state.depth + 1),) if result is True else ()
        if state.owner is not None:
            return (state,) if result is False else ()
        if state.died:
            return (FREE,) if result == "OwnerDied" else ()
        return (LockState(owner, 1, False),) if result is True else ()

    return model


@deterministic
def semaphore_step(state, name, args):
    if name == "value":
        return state, state
    if name == "release":
        return state + args[0], None
    return (state - 1, True) if state else (state, False)


def without_uninformative(history):
    """Leave out failed attempts beside calls that wait: an attempt does not overtake them, so it may fail also if a
    lock is free.
    """
    waits = sorted((o.start, o.end) for o in history if o.name == "acquire" and len(o.args) > 1 and o.args[1])
    starts, ends = [start for start, _ in waits], sorted(end for _, end in waits)

    def overlaps(operation):
        own = operation.args[1]  # it is one of them itself
        return bisect.bisect_right(starts, operation.end) - bisect.bisect_left(ends, operation.start) > bool(own)

    return [o for o in history if o.name != "acquire" or o.result is not False or not overlaps(o)]


@deterministic
def event_step(state, name, args):
    if name == "set":
        return True, None
    if name == "clear":
        return False, None
    return state, state  # is_set, and wait with a timeout


@deterministic
def queue_step(state, name, args):
    """The model of a queue, whose get() waits."""
    if name == "put":
        return (*state, args[0]), None
    return (state[1:], state[0]) if state else (state, "empty")


class BroadcastState(NamedTuple):
    messages: tuple  # the last ones, at most the capacity
    pending: tuple  # of each subscription: (its name, how many messages it has left, those that were dropped included)


def broadcast_model(capacity, drops_oldest):
    """Return the model of a broadcast channel. The first argument of a receiver's operation is its subscription."""

    def model(state, operation):
        _, _, name, args, result = operation
        pending = dict(state.pending)
        if name == "send":
            if not drops_oldest and max(pending.values(), default=0) == capacity:
                return (state,) if result in ("ChannelFull", "ChannelTimeout") else ()
            if result is not None:
                return ()
            grown = {subscription: count + 1 for subscription, count in pending.items()}
            return (made((*state.messages, args[0]), grown),)
        subscription = args[0]
        if name == "subscribe":
            return (made(state.messages, {**pending, subscription: 0}),)
        left = pending.pop(subscription)
        if name == "close":
            return (made(state.messages, pending),)
        assert name == "recv"
        if left == 0:
            return (state,) if result in ("ChannelEmpty", "ChannelTimeout") else ()
        if left > len(state.messages):
            after = made(state.messages, {**pending, subscription: len(state.messages)})
            return (after,) if result == ("Lagged", left - len(state.messages)) else ()
        after = made(state.messages, {**pending, subscription: left - 1})
        return (after,) if result == state.messages[-left] else ()

    def made(messages, pending):
        kept = min(capacity, max(pending.values(), default=0))
        return BroadcastState(messages[len(messages) - kept :], tuple(sorted(pending.items())))

    return model
