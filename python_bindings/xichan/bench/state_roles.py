"""The roles of workers that share state: one call again and again, or reads and writes of a table.

As in roles.py, the timed loops are compiled for each contender, with its statements written as a user writes them.
"""

import functools
import itertools
import random
import time

from xichan.bench import values

KEYS = 1000
WRITERS = 16  # more than there are workers: a worker writes key * WRITERS + its number
GROUP = 20  # operations: some reads, then some writes

CALL = """
def loop(n, {names}):
    got = None
    start = clock()
    for _ in repeat(None, n):
        {statement}
    return start, clock(), got
"""
MIX = """
def loop(n, {names}):
    start = clock()
    for reads, writes in islice(groups, n):
        for key in reads:
            {read}
        for key, value in writes:
            {write}
    return start, clock()
"""
COMPARE = """
def loop(keys, {names}):
    for key in keys:
        {read}
        if not is_valid(key, got):
            return key, got
"""


def entries():
    """Return the entries with which `mix` begins."""
    return {key: key * WRITERS for key in range(KEYS)}


def is_valid(key, value):
    """Return whether some worker writes this value under this key."""
    return type(value) is int and value // WRITERS == key


def _loop(source, names, **statements):
    """Return a loop over some names, as a function of its first parameter."""
    names = {**names, "repeat": itertools.repeat, "islice": itertools.islice, "clock": time.perf_counter}
    compiled = {}
    exec(source.format(names=", ".join(names), **statements), compiled)
    return functools.partial(compiled["loop"], **names)


def call(contender, shared, job):
    """Repeat one statement. Compares the last result: that of additions counts all of them."""
    name, n = job["statement"], job["n"]
    loop = _loop(CALL, {**contender.state(shared), "key": job["key"]}, statement=contender.statements[name])
    *_, first = loop(1)

    def work():
        start, end, got = loop(n)
        expected = first + n if name == "add" else values.make(job["payload"])
        wrong = {} if values.same(got, expected) else {"wrong": f"expected {expected!r}, got {got!r}"}
        return {"each": (end - start) / n, **wrong}

    return work


def mix(contender, shared, job):
    """Read and write a table, in an order of its own. Compares the values of all keys afterwards."""
    state, worker, reads = contender.state(shared), job["worker"], job["reads"]
    order = random.Random(worker).sample(range(KEYS), KEYS)
    keys, pairs = itertools.cycle(order), itertools.cycle([(key, key * WRITERS + worker) for key in reversed(order)])
    groups = [(tuple(itertools.islice(keys, reads)), tuple(itertools.islice(pairs, GROUP - reads))) for _ in order]
    read, write = contender.statements["read"], contender.statements["write"]
    loop = _loop(MIX, {**state, "groups": itertools.cycle(groups)}, read=read, write=write)
    find_wrong = _loop(COMPARE, {**state, "is_valid": is_valid}, read=read)

    def work():
        start, end = loop(job["n"] // GROUP)
        wrong = find_wrong(order)
        return {"start": start, "end": end, **({"wrong": "key {}: got {!r}".format(*wrong)} if wrong else {})}

    return work


ROLES = {function.__name__: function for function in (call, mix)}
