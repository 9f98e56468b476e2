"""The gate through which threads return into an interpreter (src/sync/return_gate.h): all interleavings.

Threads of the model are generators that yield before each access to shared memory. A step may be disabled: a thread
waits for the lock of the interpreter (the GIL), in a futex, or for the end of another thread. The search visits every
schedule by replaying it from the start; two schedules that lead to the same state are visited once.

CPython is part of the model: a thread that is attaching when the interpreter is freed crashes the process. A thread
that CPython detaches by force, in the middle of Python code, is not: the gate cannot know of it.
"""

import pytest

CLOSED, ENDED, COUNT = 1 << 31, 1 << 30, (1 << 30) - 1


class Failure(Exception):
    """The protocol is violated."""


class World:
    """The gate's word, the GIL, and the state of the interpreter."""

    def __init__(self):
        self.word = 0
        self.closed_by = None
        self.gil = "end"  # which thread holds it; the one that ends the interpreter does at first
        self.sleeping = set()  # threads in the futex
        self.attaching = set()
        self.done = set()
        self.freed = False

    def wake_all(self):
        self.sleeping.clear()


# A yield names the condition under which the thread continues; None: at any time.


def futex_wait(world, name, expected):
    yield None
    if world.word == expected:
        world.sleeping.add(name)
        yield lambda: name not in world.sleeping


class Gate:
    """The protocol. A subclass breaks one rule."""

    def enter(self, world, name):
        yield None
        word = world.word
        while True:
            if word & ENDED:
                return False
            if word & CLOSED and world.closed_by != name:
                yield from futex_wait(world, name, word)
                yield None
                word = world.word
                continue
            yield None
            if world.word == word:
                world.word += 1
                return True
            word = world.word

    def leave(self, world):
        yield None
        before = world.word
        world.word -= 1
        if before == CLOSED | 1:
            yield None
            world.wake_all()

    def close(self, world, name):
        yield None
        world.closed_by = name
        yield None
        world.word |= CLOSED
        yield None
        word = world.word
        while word & COUNT:
            yield from futex_wait(world, name, word)
            yield None
            word = world.word

    def open(self, world):
        yield None
        world.word &= ~CLOSED
        yield None
        world.wake_all()

    def end(self, world):
        yield None
        world.word |= CLOSED | ENDED
        yield None
        world.wake_all()

    def detach(self, world):
        yield None
        world.gil = None


def attach(world, name):
    yield None
    if world.freed:
        raise Failure("a thread attaches to an interpreter that was freed")
    world.attaching.add(name)
    yield lambda: world.gil is None
    world.gil = name
    world.attaching.remove(name)


def visitor(gate, world, name, rounds):
    """Comes back from a wait at any time, runs a little Python code, and waits again."""
    for _ in range(rounds):
        if not (yield from gate.enter(world, name)):
            break
        yield from attach(world, name)
        yield from gate.leave(world)
        yield None
        world.gil = None
    world.done.add(name)


def end_interpreter(gate, world, name, joined=()):
    """As CPython: join threads, call `atexit`, free the interpreter. joined: threads that `atexit` functions start."""
    yield from gate.detach(world)
    yield from gate.close(world, name)
    yield from attach(world, name)
    if joined:
        yield from gate.open(world)
        yield None
        world.gil = None
        yield lambda: world.done.issuperset(joined)
        yield from attach(world, name)
        yield from gate.detach(world)
        yield from gate.close(world, name)
        yield from attach(world, name)
    yield from gate.end(world)
    yield None
    if world.attaching:
        raise Failure("the interpreter is freed while a thread attaches to it")
    world.freed = True
    world.gil = None
    world.done.add(name)


def search(gate, joined=()):
    """Visit every schedule of two visitors and the end. Raises Failure. Returns the number of states."""
    seen = set()
    pending = [()]
    while pending:
        schedule = pending.pop()
        world = World()
        threads = {
            "a": visitor(gate, world, "a", 2),
            "b": visitor(gate, world, "b", 1),
            "end": end_interpreter(gate, world, "end", joined),
        }
        conditions = {name: next(thread) for name, thread in threads.items()}
        for name in schedule:
            try:
                conditions[name] = next(threads[name])
            except StopIteration:
                del conditions[name]
        places = tuple((name, place(threads[name])) for name in conditions)
        state = (places, *map(repr, (world.word, world.closed_by, world.gil, sorted(world.sleeping), world.freed)))
        if state in seen:
            continue
        seen.add(state)
        enabled = [name for name, condition in conditions.items() if condition is None or condition()]
        if conditions and not enabled:
            raise Failure(f"{sorted(conditions)} wait indefinitely after {schedule}")
        pending += [(*schedule, name) for name in enabled]
    return len(seen)


def place(generator):
    """Return the lines and local values at which a chain of generators stands."""
    found = []
    while generator is not None and generator.gi_frame is not None:
        values = {name: generator.gi_frame.f_locals.get(name) for name in ("word", "before", "expected", "_")}
        found.append((generator.gi_frame.f_lasti, repr(values)))
        generator = generator.gi_yieldfrom
    return tuple(found)


class CheckWithoutCount(Gate):
    """Threads only look whether the interpreter has ended."""

    def enter(self, world, name):
        yield None
        return not world.word & ENDED

    def leave(self, world):
        yield None

    def close(self, world, name):
        yield None


class CheckBeforeCount(Gate):
    def enter(self, world, name):
        while True:
            yield None
            word = world.word
            if word & ENDED:
                return False
            if not word & CLOSED or world.closed_by == name:
                yield None
                world.word += 1
                return True
            yield from futex_wait(world, name, word)


class CloseHoldsTheLock(Gate):
    def detach(self, world):
        yield None
        world.gil = "end"

    def close(self, world, name):
        yield from super().close(world, name)
        world.gil = None


class LeaveWakesNoThread(Gate):
    def leave(self, world):
        yield None
        world.word -= 1


class EndWakesNoThread(Gate):
    def end(self, world):
        yield None
        world.word |= CLOSED | ENDED


class GateStaysClosed(Gate):
    def open(self, world):
        yield None


@pytest.mark.parametrize("joined", [(), ("a",)], ids=["", "a thread is joined after the gate was closed"])
def test_no_thread_attaches_while_the_interpreter_is_freed(joined):
    assert search(Gate(), joined) > 500


@pytest.mark.parametrize(
    "mutant, joined",
    [(CheckWithoutCount, ()), (CheckBeforeCount, ()), (CloseHoldsTheLock, ()), (LeaveWakesNoThread, ()),
     (EndWakesNoThread, ()), (GateStaysClosed, ("a",))],
)  # fmt: skip
def test_each_rule_of_the_gate_is_necessary(mutant, joined):
    with pytest.raises(Failure):
        search(mutant(), joined)
