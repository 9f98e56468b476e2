"""Operations at full speed, of which only the sum or what contradicts an invariant is recorded."""

from __future__ import annotations

import xichan

from .recorder import ACTORS, PATIENCE, Kind, by_key


def act_on_sums(r):
    """Add 1 in each way there is, again and again: no addition is lost."""
    number, cell, guarded, table, lock, turns = r.objects

    def add_under_lock():
        with lock:
            guarded.set(guarded.get() + 1)

    additions = {
        "AtomicInt": number.add,
        "Cell": lambda: cell.update(lambda value: value + 1),
        "Lock": add_under_lock,
        "Map.add": lambda: table.add("add"),
        "Map.update_with": lambda: table.update_with("update_with", lambda value: value + 1, 0),
    }
    for name, add in additions.items():
        turns.wait(PATIENCE)
        for _ in range(5 * r.steps):
            add()
        r.call(name, "added", (), lambda: 5 * r.steps)
    turns.wait(PATIENCE)
    if r.me == 0:
        found = (number.value, cell.get(), guarded.get(), table["add"], table["update_with"])
        for name, value in zip(additions, found, strict=True):
            r.call(name, "total", (), lambda value=value: value)


def check_sums(histories):
    for name, operations in by_key(histories).items():
        total = sum(operation.result for operation in operations if operation.name == "added")
        assert total in [operation.result for operation in operations if operation.name == "total"], (name, operations)


def act_on_moving_map(r):
    """One interpreter stores the next key before it removes the last one; the others find a key at all times."""
    table, turns = r.objects
    for i in range(2 * r.steps):
        if i % 500 == 0:
            turns.wait(PATIENCE)
        if r.me == 0:
            table[(i + 1) % 16] = i
            table.pop(i % 16, None)
        elif r.me == 1:
            key, value = table.popitem()  # the Map is not empty
            table[key] = value
        else:
            table.get(i % 16)
    r.call(0, "found", (), lambda: None)


def act_on_clearing_map(r):
    """One interpreter stores all keys and clears the Map; no other one finds a key after it has missed another one."""
    table, turns = r.objects
    turns.wait(PATIENCE)
    for i in range(r.steps):
        if r.me == 0:
            for key in range(8):
                table[key] = i
            table.clear()
            continue
        one, other = r.rng.sample(range(8), 2)
        seen = table.get(one)
        for _ in range(1000 if seen is not None else 0):
            if table.get(one) != seen:
                assert table.get(other) != seen
                break
    r.call(0, "missed", (), lambda: None)


def objects_of_sums():
    return (
        xichan.AtomicInt(),
        xichan.Cell(0),
        xichan.Cell(0),
        xichan.Map(),
        xichan.Lock(),
        xichan.Barrier(ACTORS),
    )


def objects_that_move():
    table = xichan.Map()
    table[0] = 0
    return table, xichan.Barrier(ACTORS)


def nothing_to_check(histories):
    pass


KINDS = {
    "sums": Kind(objects_of_sums, act_on_sums, check_sums, False),
    "moving Map": Kind(objects_that_move, act_on_moving_map, nothing_to_check, False),
    "clearing Map": Kind(objects_that_move, act_on_clearing_map, nothing_to_check, False),
}
