"""Records what one interpreter does with shared objects."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic_ns
from typing import NamedTuple

import xichan
from support.linearizability import Operation, check

ACTORS = 4
PATIENCE = 20.0  # seconds after which a call that waits counts as forgotten
EXPECTED = (
    xichan.ChannelEmpty,
    xichan.ChannelFull,
    xichan.ChannelTimeout,
    xichan.OwnerDied,
    KeyError,
    OverflowError,
    RuntimeError,
)


class Kind(NamedTuple):
    """One kind of history."""

    make: Callable  # returns the objects
    act: Callable  # act(recorder), in each interpreter
    check: Callable  # check(histories of all interpreters)
    may_leave: bool = True  # an interpreter may end in the middle, and another one goes on


class Recorder:
    """The operations of one interpreter. Each belongs to a key; those of different keys are independent."""

    def __init__(self, objects, me, seed, steps, leaves):
        self.objects, self.me, self.rng, self.steps, self.leaves = objects, me, random.Random(seed), steps, leaves
        self.number = seed
        self.history = []  # of (key, *Operation)
        self.at_end = []  # (key, name, args) of what the end of the interpreter does

    def call(self, key, name, args, function, *given, **options):
        """Call a function and record its result, or the name of the exception it raised."""
        start = monotonic_ns()
        try:
            result = function(*given, **options)
        except xichan.Lagged as error:
            result = ("Lagged", error.missed)
        except EXPECTED as error:
            result = type(error).__name__
        self.history.append((key, start, monotonic_ns(), name, args, result))
        return result

    def unique(self):
        """Return an int that no other call of this function in the history returns."""
        return (self.number << 20) + len(self.history)


def by_key(histories):
    """Return the operations of all interpreters by their key."""
    found = {}
    for key, *operation in (entry for history in histories for entry in history):
        found.setdefault(key, []).append(Operation(*operation))
    return found


def checks(initial, model, prepare=lambda operations: operations):
    """Return a function that checks histories by their keys."""

    def check_all(histories):
        for operations in by_key(histories).values():
            check(prepare(operations), {initial}, model)

    return check_all
