"""Histories of Map: with few keys and many, with a ttl, with max_items, and of operations on the whole Map."""

from __future__ import annotations

from time import sleep

import xichan
from support.linearizability import ABSENT, check, map_step

from .models import bounded_map, expiring_map, whole_map
from .recorder import ACTORS, PATIENCE, Kind, by_key, checks

NAMES = ["get"] * 5 + ["set", "set", "pop", "add", "setdefault", "compare_and_set"]
TTL = 0.002
BOUND = 16


def step(r, table, key, names, stated=(), options=None):
    """Perform one random operation on a key."""
    rng, options = r.rng, options or {}
    value = rng.randrange(20)
    match name := rng.choice(names):
        case "get":
            r.call(key, name, (), table.get, key)
        case "contains":
            r.call(key, name, (), table.__contains__, key)
        case "pop":
            r.call(key, name, (), table.pop, key, None)
        case "update_with":
            r.call(key, name, (1,), table.update_with, key, lambda before: before + 1, 0)
        case "compare_and_set":
            args = (rng.randrange(20), value)
            r.call(key, name, (*args, *stated), table.compare_and_set, key, *args, **options)
        case _:
            r.call(key, name, (value, *stated), getattr(table, name), key, value, **options)


def act_on_few_keys(r):
    for _ in range(r.steps):
        step(r, r.objects[0], r.rng.randrange(3), [*NAMES, "contains", "update_with"])


def act_on_many_keys(r):
    """More and more keys, so that the tables are replaced by larger ones while other interpreters use them."""
    rng = r.rng
    for i in range(r.steps):
        key = rng.randrange(8) if rng.random() < 0.3 else rng.randrange(1 + i)
        step(r, r.objects[0], key, [*NAMES, "set", "set", "contains"])


def act_on_changing_keys(r):
    """A few keys stay, others come and go: removed entries fill the table, which is replaced again and again.

    Reads that find a key that stays change nothing and say little: most are left out of the history.
    """
    table, rng = r.objects[0], r.rng
    for key in range(4):
        r.call(key, "setdefault", (0,), table.setdefault, key, 0)
    for i in range(r.steps // 4):
        fresh = (r.number << 20) + i
        r.call(fresh, "set", (i,), table.set, fresh, i)
        step(r, table, rng.randrange(4), ["get", "set", "setdefault"])
        for key in range(4):
            for _ in range(10):
                r.call(key, "get", (), table.get, key)
                if r.history[-1][-1] is not None:
                    r.history.pop()
        r.call(fresh, "pop", (), table.pop, fresh, None)


def act_on_expiring(r):
    for _ in range(r.steps):
        ttl = float("inf") if r.rng.random() < 0.1 else None
        step(r, r.objects[0], r.rng.randrange(6), NAMES, (ttl,), {"ttl": ttl})
        if r.rng.random() < 0.02:
            sleep(0.0005)


def act_on_bounded(r):
    """Steps of all interpreters at the same time, then of one after the other: no other key evicts theirs."""
    table, turns = r.objects
    for _ in range(r.steps):
        step(r, table, r.rng.randrange(3 * BOUND), [*NAMES, "contains", "update_with"])
    for turn in range(ACTORS):
        turns.wait(PATIENCE)
        for key in range(3 * BOUND if turn == r.me else 0):
            r.call(key, "set", (key,), table.set, key, key)
            r.call(key, "get", (), table.get, key)
            assert len(table) <= BOUND


def check_bounded(histories):
    keys = by_key(histories)
    every = [operation for operations in keys.values() for operation in operations]
    for operations in keys.values():
        check(operations, {(ABSENT, 0)}, bounded_map(operations, every))


def act_on_whole(r):
    (table,), rng = r.objects, r.rng
    for _ in range(r.steps):
        key = rng.randrange(8)
        match rng.randrange(32):
            case 0:
                r.call(0, "clear", (), table.clear)
            case 1 | 2 | 3:
                r.call(0, "len", (), table.__len__)
            case 4 | 5 | 6:
                r.call(0, "snapshot", (), lambda: tuple(sorted(table.snapshot().items())))
            case 7 | 8 | 9 | 10 | 11 | 12 | 13:
                r.call(0, "popitem", (), table.popitem)
            case 14 | 15:
                r.call(0, "get", (key,), table.get, key)
            case 16 | 17 | 18 | 19 | 20 | 21:  # the Map is not empty in between
                r.call(0, "set", (key, value := r.unique()), table.set, key, value)
                key = (key + 5) % 8
                r.call(0, "pop", (key,), table.pop, key, None)
            case _:
                r.call(0, "set", (key, value := r.unique()), table.set, key, value)


def one_map():
    return (xichan.Map(),)


def one_shard():
    """A Map with one table, which takes some time to replace: other keys are in it."""
    table = xichan.Map(max_items=10**9)
    table.update({-key: 0 for key in range(1, 500)})
    return (table,)


KINDS = {
    "Map": Kind(one_map, act_on_few_keys, checks(ABSENT, map_step)),
    "growing Map": Kind(one_map, act_on_many_keys, checks(ABSENT, map_step)),
    "changing Map": Kind(one_shard, act_on_changing_keys, checks(ABSENT, map_step)),
    "whole Map": Kind(one_map, act_on_whole, checks((), whole_map)),
    "expiring Map": Kind(
        lambda: (xichan.Map(ttl=TTL),), act_on_expiring, checks(ABSENT, expiring_map(round(TTL * 1e9)))
    ),
    "bounded Map": Kind(
        lambda: (xichan.Map(max_items=BOUND), xichan.Barrier(ACTORS)), act_on_bounded, check_bounded, may_leave=False
    ),
}
