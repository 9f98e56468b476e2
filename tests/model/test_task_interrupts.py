"""Interrupts of tasks (python_bindings/src/embed/task_board.h): all interleavings.

Threads of the model are generators that yield before each access to shared memory. A step may be disabled: a thread
waits for the lock of the worker's interpreter (the GIL), or in a wait list. The search visits every schedule by
replaying it from the start; two schedules that lead to the same state are visited once.

The worker runs tasks, with code of its own in between. It holds the GIL except between two bytecodes and while it
waits. CPython raises an exception that was set asynchronously between two bytecodes, at the latest one later.
"""

import pytest

IDLE = None


class Failure(Exception):
    """The protocol is violated."""


class World:
    """The board, the slot of the only worker, its interpreter, and what has happened."""

    def __init__(self):
        self.requested = set()
        self.task = IDLE
        self.delivering = False
        self.deliveries = 0  # threads that have been started
        self.gil = None
        self.async_exc = False
        self.interrupted = False  # set by a delivery, removed at the end of the task
        self.interrupts = 0  # the count that waits compare
        self.waiter = None  # a thread in the wait list: "asleep" or "woken"
        self.raised = []  # tasks in which the exception was raised
        self.done = False
        self.asked = set()  # tasks whose interrupt has been requested, while they were not over
        self.over = set()


class Protocol:
    """The rules. A subclass breaks one."""

    def begin(self, world, task):
        yield None
        world.task = task
        yield None
        return self.claim(world, task)

    def claim(self, world, task):
        """Remove a request, under the lock of the board."""
        was_requested = task in world.requested
        world.requested.discard(task)
        return was_requested

    def end(self, world):
        yield None
        world.task = IDLE
        if world.interrupted:
            world.interrupted = False
            world.async_exc = False

    def request(self, world, task):
        yield None
        world.requested.add(task)
        yield None
        return world.task == task

    def interrupt(self, world, task):
        if (yield from self.request(world, task)):
            yield None
            was_delivering, world.delivering = world.delivering, True
            if not was_delivering:
                world.deliveries += 1

    def deliver(self, world, name):
        yield lambda: world.gil is None
        world.gil = name
        yield None
        world.delivering = False
        yield None
        task = world.task
        if task is not IDLE and self.claim(world, task):
            yield from self.raise_in_thread(world)
        yield None
        world.gil = None

    def raise_in_thread(self, world):
        yield None
        world.interrupted = world.async_exc = True
        yield from self.wake(world)

    def wake(self, world):
        yield None
        world.interrupts += 1
        yield None
        if world.waiter == "asleep":
            world.waiter = "woken"

    def must_raise_before_wait(self, world):
        return world.async_exc


def evaluate(world, task):
    """Execute one bytecode boundary of a task, or of the worker's own code if the task is None. Return whether the
    exception was raised."""
    yield None
    seen = world.async_exc  # CPython looks before it lets another thread run
    world.gil = None
    yield lambda: world.gil is None
    world.gil = "worker"
    if not seen:
        return False
    if task is None:
        raise Failure("the exception was raised outside a task")
    world.async_exc = False
    if task in world.raised:
        raise Failure(f"task {task} was interrupted twice")
    if task not in world.asked:
        raise Failure(f"task {task} was interrupted, which no thread has requested")
    world.raised.append(task)
    return True


def wait(protocol, world, task):
    """A call that blocks indefinitely, unless it is interrupted."""
    yield None
    if not protocol.must_raise_before_wait(world):
        seen = world.interrupts
        yield None
        world.gil = None
        while True:
            yield None
            world.waiter = "asleep"
            yield None
            if world.interrupts != seen:
                break
            yield lambda: world.waiter == "woken"
            world.waiter = None
            yield None
            if world.interrupts != seen:
                break
        world.waiter = None
        yield lambda: world.gil is None
        world.gil = "worker"
    if not world.async_exc:
        raise Failure("a wait was interrupted without an exception")
    world.async_exc = False
    if task in world.raised or task not in world.asked:
        raise Failure(f"task {task} was interrupted twice, or without a request")
    world.raised.append(task)
    return True


def compute(protocol, world, task):
    """Two bytecodes."""
    for _ in range(2):
        if (yield from evaluate(world, task)):
            return True
    return False


def catch(protocol, world, task):
    """Two bytecodes; goes on after the exception."""
    for _ in range(3):
        yield from evaluate(world, task)
    return False


def compute_and_wait(protocol, world, task):
    return (yield from evaluate(world, task)) or (yield from wait(protocol, world, task))


def worker(protocol, world, bodies):
    yield lambda: world.gil is None
    world.gil = "worker"
    for task, body in enumerate(bodies, 1):
        yield from evaluate(world, None)
        if (yield from protocol.begin(world, task)):
            if task in world.raised:
                raise Failure(f"task {task} was interrupted twice")
            world.raised.append(task)
        else:
            yield from body(protocol, world, task)
        yield from protocol.end(world)
        world.over.add(task)
        if world.async_exc:
            raise Failure(f"an exception is left after task {task}")
        yield from evaluate(world, None)
    world.done = True
    world.gil = None


def interrupter(protocol, world, task):
    if task not in world.over:
        world.asked.add(task)
        yield from protocol.interrupt(world, task)


def delivery(protocol, world, number):
    yield lambda: world.deliveries >= number or world.done
    if world.deliveries >= number:
        yield from protocol.deliver(world, f"delivery {number}")


def search(protocol, bodies, interrupts):
    """Visit every schedule. Raises Failure. Returns the number of states."""
    seen = set()
    pending = [()]
    while pending:
        schedule = pending.pop()
        world = World()
        threads = {"worker": worker(protocol, world, bodies)}
        for number, task in enumerate(interrupts, 1):
            threads[f"interrupter {number}"] = interrupter(protocol, world, task)
            threads[f"delivery {number}"] = delivery(protocol, world, number)
        conditions = {}
        for name in list(threads):
            advance(threads, conditions, name)
        for name in schedule:
            advance(threads, conditions, name)
        places = tuple((name, place(threads[name])) for name in conditions)
        state = (places, repr(sorted((key, repr(value)) for key, value in vars(world).items())))
        if state in seen:
            continue
        seen.add(state)
        enabled = [name for name, condition in conditions.items() if condition is None or condition()]
        if conditions and not enabled:
            raise Failure(f"{sorted(conditions)} wait indefinitely after {schedule}")
        pending += [(*schedule, name) for name in enabled]
    return len(seen)


def advance(threads, conditions, name):
    try:
        conditions[name] = next(threads[name])
    except StopIteration:
        conditions.pop(name, None)


def place(generator):
    """Return the lines and local values at which a chain of generators stands."""
    found = []
    while generator is not None and generator.gi_frame is not None:
        names = ("task", "seen", "was_delivering", "_", "number")
        values = {name: generator.gi_frame.f_locals.get(name) for name in names}
        found.append((generator.gi_frame.f_lasti, repr(values)))
        generator = generator.gi_yieldfrom
    return tuple(found)


class LooksBeforeItBegins(Protocol):
    def begin(self, world, task):
        yield None
        claimed = self.claim(world, task)
        yield None
        world.task = task
        return claimed


class LooksBeforeItRequests(Protocol):
    def request(self, world, task):
        yield None
        runs = world.task == task
        yield None
        world.requested.add(task)
        return runs


class DeliversWithoutTheRequest(Protocol):
    def deliver(self, world, name):
        yield lambda: world.gil is None
        world.gil = name
        world.delivering = False
        yield from self.raise_in_thread(world)
        world.gil = None


class DeliversWithoutTheLock(Protocol):
    def deliver(self, world, name):
        yield None
        world.delivering = False
        task = world.task
        if task is not IDLE and self.claim(world, task):
            yield from self.raise_in_thread(world)


class KeepsTheException(Protocol):
    def end(self, world):
        yield None
        world.task = IDLE
        world.interrupted = False


class LooksBeforeItClearsTheFlag(Protocol):
    def deliver(self, world, name):
        yield lambda: world.gil is None
        world.gil = name
        yield None
        task = world.task
        claimed = task is not IDLE and self.claim(world, task)
        yield None
        world.delivering = False
        if claimed:
            yield from self.raise_in_thread(world)
        yield None
        world.gil = None


class WakesNoWait(Protocol):
    def wake(self, world):
        yield None
        world.interrupts += 1


class WakesBeforeItCounts(Protocol):
    def wake(self, world):
        yield None
        if world.waiter == "asleep":
            world.waiter = "woken"
        yield None
        world.interrupts += 1


class WaitsWithTheException(Protocol):
    def must_raise_before_wait(self, world):
        return False


PROGRAMS = {
    "a task and the next one": ((compute, compute), (1,)),
    "both tasks": ((compute, compute), (1, 2)),
    "one task twice": ((compute, compute), (1, 1)),
    "a task that catches": ((catch, compute), (1, 1)),
    "a wait": ((compute, wait), (2,)),
    "a computation and a wait": ((compute_and_wait,), (1,)),
    "a wait after a task": ((compute, wait), (1, 2)),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_interrupt_is_raised_once_in_its_task(program):
    bodies, interrupts = PROGRAMS[program]
    if len(set(interrupts)) == len(interrupts):
        assert search(Protocol(), bodies, interrupts) > 100
    else:  # a pool requests each task once; two requests that meet may be delivered one after the other
        assert search(Once(), bodies, interrupts) > 100


class Once(Protocol):
    """As a pool does: the second request for a task has no effect."""

    def interrupt(self, world, task):
        yield None
        if not hasattr(world, "once"):
            world.once = set()
        if task not in world.once:
            world.once.add(task)
            yield from super().interrupt(world, task)


@pytest.mark.parametrize(
    "mutant, program",
    [
        (LooksBeforeItBegins, "a wait"),
        (LooksBeforeItRequests, "a wait"),
        (DeliversWithoutTheRequest, "both tasks"),
        (DeliversWithoutTheLock, "a task and the next one"),
        (KeepsTheException, "a task and the next one"),
        (LooksBeforeItClearsTheFlag, "a wait after a task"),
        (WakesNoWait, "a wait"),
        (WakesBeforeItCounts, "a wait"),
        (WaitsWithTheException, "a computation and a wait"),
    ],
)
def test_each_rule_of_interrupts_is_necessary(mutant, program):
    with pytest.raises(Failure):
        search(mutant(), *PROGRAMS[program])
