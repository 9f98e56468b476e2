"""Histories of Lock, RLock, Semaphore, Event, Condition and Barrier."""

from __future__ import annotations

from time import monotonic, sleep

import xichan
from support.linearizability import check

from .models import FREE, event_step, lock_model, queue_step, semaphore_step, without_uninformative
from .recorder import ACTORS, PATIENCE, Kind, by_key, checks


def act_on_lock(r):
    """Acquire and release. An interpreter that ends may hold the lock."""
    (lock,), rng, held, me = r.objects, r.rng, 0, r.me
    recursive = isinstance(lock, xichan.RLock)
    for _ in range(r.steps):
        match rng.randrange(8):
            case 0:
                r.call(0, "locked", (me, False), lock.locked)
            case 1 | 2 | 3 if held or recursive:
                held -= r.call(0, "release", (me, False), lock.release) is None
            case 4 | 5 if not held or recursive:
                got = r.call(0, "acquire", (me, True), lock.acquire, timeout=PATIENCE)
                assert got is not False, "a call that waits for a lock was forgotten"
                held += got is True
            case 6 if not held or recursive:
                held += r.call(0, "acquire", (me, True), lock.acquire, timeout=0.0002) is True
            case _:
                held += r.call(0, "acquire", (me, False), lock.acquire, False) is True
    while held and not r.leaves:
        held -= r.call(0, "release", (me, False), lock.release) is None
    r.at_end.append((0, "end", (me, False)))


def act_on_semaphore(r):
    (semaphore,), rng, held = r.objects, r.rng, False
    for _ in range(r.steps):
        if held:
            r.call(0, "release", (1, False), semaphore.release)
        match rng.randrange(6):
            case 0:
                held = r.call(0, "value", (), lambda: semaphore.value) < 0
            case 1 | 2:
                held = r.call(0, "acquire", (1, False), semaphore.acquire, False)
            case 3:
                held = r.call(0, "acquire", (1, True), semaphore.acquire, timeout=0.0002)
            case _:
                held = r.call(0, "acquire", (1, True), semaphore.acquire, timeout=PATIENCE)
                assert held, "a call that waits for a semaphore was forgotten"
    if held:
        r.call(0, "release", (1, False), semaphore.release)


def act_on_event(r):
    (event,), rng = r.objects, r.rng
    for _ in range(r.steps):
        match rng.randrange(6):
            case 0:
                r.call(0, "set", (), event.set)
            case 1 | 2:
                r.call(0, "clear", (), event.clear)
            case 3:
                r.call(0, "wait", (), event.wait, rng.choice((0, 0.0002)))
            case _:
                r.call(0, "is_set", (), event.is_set)


def act_on_condition(r):
    """A short queue in a Cell that a Condition guards: two interpreters put, two get."""
    (cell, condition), count = r.objects, max(1, r.steps // 2)

    def put(item):
        with condition:
            assert condition.wait_for(lambda: len(cell.get()) < 3, PATIENCE), "a call that waits was forgotten"
            cell.set((*cell.get(), item))
            condition.notify_all()

    def get():
        with condition:
            assert condition.wait_for(lambda: cell.get() != (), PATIENCE), "a call that waits was forgotten"
            first, *rest = cell.get()
            cell.set(tuple(rest))
            condition.notify_all()
            return first

    for _ in range(count):
        if r.me % 2:
            r.call(0, "get", (), get)
        else:
            item = r.unique()
            r.call(0, "put", (item,), put, item)


def act_on_barrier(r):
    (barrier,) = r.objects
    for i in range(max(1, r.steps // 4)):
        if r.rng.random() < 0.1:
            sleep(0.0002)
        r.call(i, "wait", (), barrier.wait, PATIENCE)


def check_barrier(histories):
    """The calls of each round have different places, and all have begun before one returns."""
    for operations in by_key(histories).values():
        assert sorted(operation.result for operation in operations) == list(range(ACTORS)), operations
        assert max(operation.start for operation in operations) <= min(operation.end for operation in operations)


def act_on_wakes(r):
    """One interpreter changes an object, and all others, which wait for that, confirm it; again and again."""
    cell, table, event, semaphore, condition, confirmed, turns = r.objects
    rounds = max(1, r.steps // 10)
    for i in range(1, rounds + 1):
        version = cell.version
        turns.wait(PATIENCE)
        which = ("Cell", "Map", "Event", "Semaphore", "Condition")[i % 5]
        if r.me != 0:
            match which:
                case "Cell":
                    cell.wait(version, PATIENCE)
                case "Map":
                    table.wait(i, PATIENCE)
                case "Event":
                    assert event.wait(PATIENCE), "a call that waits for an event was forgotten"
                case "Semaphore":
                    assert semaphore.acquire(timeout=PATIENCE), "a call that waits for a semaphore was forgotten"
                case "Condition":
                    with condition:
                        assert condition.wait_for(lambda since=version: cell.version != since, PATIENCE)
            confirmed.add()
            continue
        sleep(r.rng.choice((0, 0, 0.0001, 0.0005)))  # before the others wait, meanwhile, or after
        match which:
            case "Cell":
                cell.set(i)
            case "Map":
                table[i] = i
            case "Event":
                event.set()
            case "Semaphore":
                semaphore.release(ACTORS - 1)
            case "Condition":
                with condition:
                    cell.set(i)
                    condition.notify_all()
        end = monotonic() + PATIENCE
        while confirmed.value < (ACTORS - 1) * i:
            assert monotonic() < end, f"a call that waits was forgotten: {which}"
            sleep(0)
        event.clear()
        table.clear()
        r.call(0, "wake", (), lambda: None)


def objects_that_wake():
    return (
        xichan.Cell(0),
        xichan.Map(),
        xichan.Event(),
        xichan.Semaphore(0),
        xichan.Condition(),
        xichan.AtomicInt(),
        xichan.Barrier(ACTORS),
    )


def check_queue(histories):
    (operations,) = by_key(histories).values()
    assert check(operations, {()}, queue_step) == {()}


KINDS = {
    "Lock": Kind(lambda: (xichan.Lock(),), act_on_lock, checks(FREE, lock_model(False), without_uninformative)),
    "RLock": Kind(lambda: (xichan.RLock(),), act_on_lock, checks(FREE, lock_model(True), without_uninformative)),
    "Semaphore": Kind(
        lambda: (xichan.Semaphore(2),), act_on_semaphore, checks(2, semaphore_step, without_uninformative), False
    ),
    "Event": Kind(lambda: (xichan.Event(),), act_on_event, checks(False, event_step)),
    "Condition": Kind(lambda: (xichan.Cell(()), xichan.Condition()), act_on_condition, check_queue, False),
    "Barrier": Kind(lambda: (xichan.Barrier(ACTORS),), act_on_barrier, check_barrier, False),
    "wakes": Kind(objects_that_wake, act_on_wakes, lambda histories: None, False),
}
