"""Histories of what interpreters do with shared objects, by kind; each is checked for linearizability.

tests/stress/python/state_histories.py records and checks them. Interpreters import this package.
"""

from . import broadcasts, locks, maps, unrecorded, values
from .recorder import ACTORS as ACTORS
from .recorder import Recorder

KINDS = {**values.KINDS, **maps.KINDS, **locks.KINDS, **broadcasts.KINDS, **unrecorded.KINDS}


def record(kind, objects, me, seed, steps, leaves):
    """Perform random operations in one of the interpreters. Return their history, and what its end would do.

    ``leaves``: the interpreter ends afterwards, with what it holds.
    """
    recorder = Recorder(objects, me, seed, steps, leaves)
    KINDS[kind].act(recorder)
    return recorder.history, recorder.at_end
