"""How calls that wait for free space in a remote channel are woken (src/nats/room.h): all interleavings.

The model: a server with a full channel, processes whose threads want to send one value each, and a receiver that
acknowledges values one after the other. Messages between a process and the server keep their order; the receiver's
report of free space overtakes nothing that it must follow. There is no timer: the one that the program has only covers
lost messages. A violation is a state in which nothing can happen any more, a thread waits, and the channel has room.
"""

import dataclasses
from collections import deque

import pytest

START, SENT, REFUSED, WAITING, RETRYING = "start", "sent", "refused", "waiting", "retrying"
DONE, GONE = "done", "gone"


@dataclasses.dataclass(frozen=True)
class Process:
    threads: tuple = ()
    can_give_up: tuple = ()  # numbers of threads whose timeout may expire
    waiters: int = 0
    tokens: int = 0
    subscribed: bool = False  # as the process sees it
    at_server: bool = False  # as the server sees it
    to_server: tuple = ()
    from_server: tuple = ()

    def thread(self, number, state):
        return self.but(threads=(*self.threads[:number], state, *self.threads[number + 1 :]))

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass(frozen=True)
class World:
    processes: tuple
    free: int = 0
    to_acknowledge: int = 1  # values that the receiver still acknowledges
    unconfirmed: int = 0  # acknowledgments that the server has processed
    unprocessed: int = 0  # acknowledgments on their way

    def process(self, number, changed):
        processes = (*self.processes[:number], changed, *self.processes[number + 1 :])
        return dataclasses.replace(self, processes=processes)


class Room:
    """The protocol. A subclass breaks one rule."""

    def give(self, process, count):
        return process.but(tokens=min(process.tokens + count, max(process.waiters, process.tokens)))

    def begin_wait(self, process):
        process = process.but(waiters=process.waiters + 1)
        return self.give(process, 1) if process.subscribed else process

    def end_wait(self, process):
        return self.give(process.but(waiters=process.waiters - 1), 1)

    def subscribe(self, process):
        """The thread of the connection subscribes, and then has all waiters try."""
        process = process.but(subscribed=True, to_server=(*process.to_server, "subscribe"))
        return self.give(process, process.waiters)

    def report(self, world):
        """The receiver reports a value once the server has confirmed that it is removed."""
        if world.unconfirmed:
            yield self.publish(dataclasses.replace(world, unconfirmed=world.unconfirmed - 1))

    def acknowledge(self, world):
        if world.to_acknowledge:
            yield dataclasses.replace(world, to_acknowledge=world.to_acknowledge - 1, unprocessed=world.unprocessed + 1)

    def publish(self, world):
        for number, process in enumerate(world.processes):
            if process.at_server:
                world = world.process(number, process.but(from_server=(*process.from_server, "room")))
        return world

    def steps(self, world):
        """Yield every state that one step leads to."""
        yield from self.acknowledge(world)
        yield from self.report(world)
        if world.unprocessed:
            yield dataclasses.replace(
                world, unprocessed=world.unprocessed - 1, unconfirmed=world.unconfirmed + 1, free=world.free + 1
            )
        for number, process in enumerate(world.processes):
            for changed in self.process_steps(process):
                yield world.process(number, changed)
            if process.to_server:
                yield self.serve(world, number, process.to_server[0], process.but(to_server=process.to_server[1:]))

    def serve(self, world, number, message, process):
        if message == "subscribe":
            return world.process(number, process.but(at_server=True))
        reply = ("stored" if world.free else "full", message)
        world = dataclasses.replace(world, free=world.free - bool(world.free))
        return world.process(number, process.but(from_server=(*process.from_server, reply)))

    def process_steps(self, process):
        if process.waiters and not process.subscribed:
            yield self.subscribe(process)
        if process.from_server:
            yield self.receive(process.but(from_server=process.from_server[1:]), process.from_server[0])
        for number, state in enumerate(process.threads):
            send = process.but(to_server=(*process.to_server, number))
            if state == START:
                yield send.thread(number, SENT)
            elif state == REFUSED:
                yield self.begin_wait(process.thread(number, WAITING))
            elif state == WAITING:
                if process.tokens:
                    yield send.but(tokens=process.tokens - 1).thread(number, RETRYING)
                if number in process.can_give_up:
                    yield self.end_wait(process).thread(number, GONE)

    def receive(self, process, message):
        if message == "room":
            return self.give(process, 1)
        outcome, number = message
        first = process.threads[number] == SENT
        if outcome == "full":
            return process.thread(number, REFUSED if first else WAITING)
        process = process.thread(number, DONE)
        return process if first else self.end_wait(process)


def search(room, *processes, acknowledged=1):
    """Visit every state. Returns their number, or raises AssertionError."""
    start = World(processes, to_acknowledge=acknowledged)
    seen, pending = {start}, deque([start])
    while pending:
        world = pending.popleft()
        following = list(room.steps(world))
        waiting = sum(process.threads.count(WAITING) for process in world.processes)
        assert following or not (waiting and world.free), f"{waiting} threads wait although there is room: {world}"
        for state in following:
            if state not in seen:
                seen.add(state)
                pending.append(state)
    return len(seen)


def process(threads, can_give_up=()):
    return Process((START,) * threads, can_give_up)


CONFIGURATIONS = {
    "one thread": ([process(1)], 1),
    "two threads, one place": ([process(2)], 1),
    "two threads, two places": ([process(2)], 2),
    "a thread gives up": ([process(2, (0,))], 1),
    "two processes": ([process(1), process(1)], 2),
    "two processes, a thread gives up": ([process(2, (0,)), process(1)], 1),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_no_call_waits_while_there_is_room(configuration):
    processes, acknowledged = configuration
    assert search(Room(), *processes, acknowledged=acknowledged) > 20


class NoTokenAtFirst(Room):
    def begin_wait(self, process):
        return process.but(waiters=process.waiters + 1)

    def subscribe(self, process):
        return process.but(subscribed=True, to_server=(*process.to_server, "subscribe"))


class NoTokenForLaterWaiters(Room):
    def begin_wait(self, process):
        return process.but(waiters=process.waiters + 1)


class TokenBeforeSubscription(Room):
    def begin_wait(self, process):
        return self.give(process.but(waiters=process.waiters + 1), 1)

    def subscribe(self, process):
        return process.but(subscribed=True, to_server=(*process.to_server, "subscribe"))


class ReportBeforeConfirmation(Room):
    def acknowledge(self, world):
        for changed in super().acknowledge(world):
            yield self.publish(changed)

    def report(self, world):
        if world.unconfirmed:
            yield dataclasses.replace(world, unconfirmed=world.unconfirmed - 1)


class TokensOnlyForIdleRoom(Room):
    def give(self, process, count):
        return process if process.tokens else super().give(process, min(count, 1))

    def end_wait(self, process):
        return process.but(waiters=process.waiters - 1)


class WaiterTakesTokenAlong(Room):
    """A thread that gives up takes a token with it."""

    def process_steps(self, process):
        yield from super().process_steps(process)
        for number in process.can_give_up:
            if process.threads[number] == WAITING and process.tokens:
                ended = process.but(waiters=process.waiters - 1, tokens=process.tokens - 1)
                yield ended.thread(number, GONE)


MUTANTS = [
    (NoTokenAtFirst, "one thread"),
    (NoTokenForLaterWaiters, "two threads, two places"),
    (TokenBeforeSubscription, "one thread"),
    (ReportBeforeConfirmation, "one thread"),
    (TokensOnlyForIdleRoom, "two threads, two places"),
    (WaiterTakesTokenAlong, "a thread gives up"),
]


@pytest.mark.parametrize("mutant, name", MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_each_rule_is_necessary(mutant, name):
    processes, acknowledged = CONFIGURATIONS[name]
    with pytest.raises(AssertionError, match="there is room"):
        search(mutant(), *processes, acknowledged=acknowledged)
