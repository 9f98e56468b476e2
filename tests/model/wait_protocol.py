"""The waiting protocol of a channel, searched exhaustively.

The protocol. A bounded ring hands out slots in strict order. A push *claims* the tail slot, then *publishes* it; a
pop *claims* the head slot, then *releases* it. A poll never waits for a claimed slot: it answers NOT_READY (Empty or
Full). Beside the ring stand two wait lists, NOT_EMPTY (receivers) and NOT_FULL (senders): a count that anybody may
read, a lock, and a FIFO of nodes, one per waiting call, whose word is WAITING, NOTIFIED or CANCELLED. A call polls;
if that fails it adds its node, polls again, parks on its word, removes its node, and polls once more if it was
notified. A node that somebody else unlinked with NOTIFIED gave its call a *wake token*. Whoever finishes a push (or
pop) then wakes one receiver (or sender) if the count is not 0. Beyond that:

  (a) a token holder that succeeds wakes the next waiter of its side, if a poll would not say NOT_READY now
  (b) a token holder that leaves on CLOSED, or without a poll since it got the token, wakes the next waiter
  (c) closing marks the tail, then wakes everybody

The search. A thread is a generator that yields one atomic operation of `Memory` at a time and is sent its result;
between two operations any other thread may run (sequential consistency). A critical section of a list's lock is one
operation. Every reachable state is visited. Time-outs and interrupts may end any park, up to a budget; they never
count as progress, so that a waiter which only its time-out would save is reported as lost.

The properties.
  P1  no lost wake-up: when no thread can step, no parked call has a ring that is ready for it, a closed channel or
      a closed handle
  P2  accepted = received + discarded + queued, each once and in ring order: nobody touches a slot claimed by another
  P3  a call that does not return OK has taken nothing, one that does has taken one
  P4  once the receiving side has ended and no thread can step, nothing is queued
  P5  a list's count is its number of nodes; no node is linked after its call returned

The classes below state the protocol as it must be; test_wait_protocol.py takes its rules away one at a time.
"""

import dataclasses
import operator
from collections import deque

SEND, RECV = NOT_FULL, NOT_EMPTY = 0, 1  # the calls of a side wait on the list of the same number
NAMES = "send", "recv"
OK, NOT_READY, CLOSED, HANDLE_CLOSED, WOKEN, TIMEOUT, INTERRUPTED = (
    "OK",
    "NOT_READY",
    "CLOSED",
    "HANDLE_CLOSED",
    "WOKEN",
    "TIMEOUT",
    "INTERRUPTED",
)
IDLE, WAITING, NOTIFIED, CANCELLED = "IDLE", "WAITING", "NOTIFIED", "CANCELLED"


@dataclasses.dataclass(frozen=True)
class Config:
    """A thread is (side, calls, leaves), ("shutdown", discards) or ("close", the thread whose handle it closes)."""

    name: str
    capacity: int
    threads: tuple
    queued: int = 0  # messages in the ring at the start
    early: tuple = ()  # how parks may end by themselves, in this order: TIMEOUT or INTERRUPTED


class Violation(Exception):
    """A property does not hold."""


def require(condition, message):
    if not condition:
        raise Violation(message)


def put(items, index, value):
    return (*items[:index], value, *items[index + 1 :])


class Memory:
    """What the threads share, all of it immutable values.

    Slot i is free for position p when its stamp is 2p, published when it is 2p + 1. `taken` counts what a thread
    has claimed and not yet returned; it, `accepted`, `received` and `discarded` serve the properties alone."""

    FIELDS = (
        "head",
        "tail",
        "mark",
        "stamps",
        "lists",
        "counts",
        "words",
        "discard",
        "ends",
        "handle_flag",
        "handle_refs",
        "early",
        "taken",
        "accepted",
        "received",
        "discarded",
        "locals",
    )

    def __init__(self, config, local_states):
        threads = config.threads
        self.capacity = config.capacity
        self.shared_handle = next((spec[1] for spec in threads if spec[0] == "close"), None)
        self.head = self.received = self.discarded = 0
        self.tail = self.accepted = config.queued
        self.mark = self.discard = self.handle_flag = False
        self.stamps = tuple(2 * slot + (slot < config.queued) for slot in range(config.capacity))
        self.lists, self.counts = ((), ()), (0, 0)
        self.words, self.taken, self.locals = (IDLE,) * len(threads), (0,) * len(threads), tuple(local_states)
        self.ends = tuple(sum(spec[0] == side for spec in threads) for side in (SEND, RECV))
        self.handle_refs, self.early = 2, config.early

    def save(self, fields=operator.attrgetter(*FIELDS)):
        return fields(self)

    def load(self, state):
        self.__dict__.update(zip(self.FIELDS, state))

    def set_list(self, which, nodes, count):
        self.lists, self.counts = put(self.lists, which, nodes), put(self.counts, which, count)

    def unlink(self, which, node, word):
        self.set_list(which, tuple(n for n in self.lists[which] if n != node), self.counts[which] - 1)
        self.words = put(self.words, node, word)

    def is_ready_at(self, side, position):
        return self.stamps[position % self.capacity] == 2 * position + side

    def poll_status(self, side):
        if side == SEND and self.mark:
            return CLOSED
        if self.is_ready_at(side, self.head if side == RECV else self.tail):
            return OK
        return CLOSED if self.mark and self.head == self.tail else NOT_READY

    # The operations of thread `me`, each one atomic step. They return True if they have no better answer, and None
    # if the thread cannot take this step now.

    def claim(self, me, side, discarding):
        status = self.poll_status(side)
        if status != OK:
            return status, None
        if discarding:
            self.discarded += 1
        else:
            self.taken = put(self.taken, me, self.taken[me] + 1)
        if side == SEND:
            self.tail += 1
            return OK, self.tail - 1
        self.head += 1
        return OK, self.head - 1

    def finish(self, me, side, position):
        """Publish, or release, the slot claimed for position."""
        require(self.is_ready_at(side, position), "P2: a claimed slot was touched by another")
        stamp = 2 * (position + self.capacity) if side == RECV else 2 * position + 1
        self.stamps = put(self.stamps, position % self.capacity, stamp)
        return True

    def ready(self, me, side):
        return self.poll_status(side) != NOT_READY

    def count(self, me, which):
        """Not 0 either when publishers must drain: that is a bit in the same word."""
        return self.counts[which] > 0 or (which == NOT_EMPTY and self.discard)

    def wake_one(self, me, which):
        """True if the caller must drain."""
        if self.lists[which]:
            self.unlink(which, self.lists[which][0], NOTIFIED)
        return which == NOT_EMPTY and self.discard

    def wake_all(self, me, which):
        while self.lists[which]:
            self.unlink(which, self.lists[which][0], NOTIFIED)
        return True

    def add(self, me, which):
        self.set_list(which, (*self.lists[which], me), self.counts[which] + 1)
        self.words = put(self.words, me, WAITING)
        return True

    def park(self, me):
        return None if self.words[me] == WAITING else WOKEN

    def remove(self, me, which):
        """IDLE: the node was still linked; NOTIFIED: the call holds a token; CANCELLED: its handle was closed."""
        if me in self.lists[which]:
            self.unlink(which, me, IDLE)
        word, self.words = self.words[me], put(self.words, me, IDLE)
        return word

    def handle_closed(self, me):
        return self.handle_flag and me == self.shared_handle

    def cancel(self, me, which, handle):
        if handle in self.lists[which]:
            self.unlink(which, handle, CANCELLED)
        return True

    def drop_end(self, me, side, handle):
        """True: that was the last end of its side. A handle being closed lives until its call and the close end."""
        if self.shared_handle == (me if handle is None else handle):
            self.handle_refs -= 1
            if self.handle_refs:
                return False
        self.ends = put(self.ends, side, self.ends[side] - 1)
        return self.ends[side] == 0

    def set(self, me, field):
        setattr(self, field, True)
        return True

    def returned(self, me, side, status):
        require(self.taken[me] == (status == OK), f"P3: {NAMES[side]} returns {status}, taken: {self.taken[me]}")
        require(me not in self.lists[side], f"P5: {NAMES[side]} returns {status}, its node is linked")
        self.taken = put(self.taken, me, 0)
        self.accepted += side == SEND and status == OK
        self.received += side == RECV and status == OK
        return True

    def is_private(self, me, name):
        """Nobody else sees or changes what this operation is about: it belongs to the step before it."""
        return name == "returned" or (name == "handle_closed" and me != self.shared_handle)

    # What must hold in every state, and when no thread can step (each has ended or is parked).

    def check(self):
        require(self.counts == tuple(map(len, self.lists)), "P5: a count is not its number of nodes")

    def check_at_rest(self):
        for side in (SEND, RECV):
            for me in self.lists[side]:
                parked = f"P1: thread {me} is parked in {NAMES[side]}, "
                require(not self.mark, parked + "the channel is closed")
                require(not self.handle_flag or me != self.shared_handle, parked + "its handle is closed")
                require(self.poll_status(side) != OK, parked + "the ring is ready")
        require(self.accepted == self.tail, "P2: accepted is not what entered the ring")
        require(self.received + self.discarded == self.head, "P2: received + discarded is not what left the ring")
        require(self.head == self.tail or not self.discard, "P4: queued after the end of the receiving side")


class Protocol:
    """The threads. A generator's state is its place and its locals, so nothing else may be alive at a yield: no loop
    iterator, no half-evaluated expression."""

    def thread(self, spec, config):
        if spec[0] == "shutdown":
            return self.close_channel(discards=spec[1])
        if spec[0] == "close":
            return self.close_handle(handle=spec[1], side=config.threads[spec[1]][0])
        return self.worker(*spec)

    def worker(self, side, calls, leaves):
        status = None
        while calls and status not in (CLOSED, HANDLE_CLOSED):
            calls -= 1
            status = yield from self.call(side)
            yield "returned", side, status
        if leaves:
            yield from self.drop_end(side)

    def call(self, side):
        """A blocking send or recv."""
        status = yield from self.poll(side)
        yield from self.settle(side, status, token=None)
        while status == NOT_READY:
            status = yield from self.wait(side)
        return status

    def poll(self, side):
        status, position = yield from self.claim(side)
        if status == OK:
            yield "finish", side, position
        return status

    def claim(self, side, discarding=False):
        return (yield "claim", side, discarding)

    def wait(self, side):
        """NOT_READY: wait again."""
        yield "add", side
        status = yield from self.poll(side)
        if status == NOT_READY and (yield ("handle_closed",)):
            status = HANDLE_CLOSED
        if status == NOT_READY:
            return (yield from self.park(side))
        word = yield "remove", side
        yield from self.settle(side, status, token="second poll" if word == NOTIFIED else None)
        return status

    def park(self, side):
        ended = yield ("park",)
        word = yield "remove", side
        if word == CANCELLED:
            return HANDLE_CLOSED
        if word != NOTIFIED:
            return NOT_READY if ended == WOKEN else ended
        status = INTERRUPTED
        if ended != INTERRUPTED:
            status = yield from self.poll(side)
        if status == NOT_READY and ended == TIMEOUT:
            status = TIMEOUT
        yield from self.settle(side, status, token="woken")
        return status

    def settle(self, side, status, token):
        """What a call owes to the other waiters. token: where it was found, or None."""
        if status == OK:
            yield from self.notify_one(1 - side)
            if token:
                yield from self.rule_a(side)
        elif token and status in (CLOSED, HANDLE_CLOSED, INTERRUPTED):
            yield from self.notify_one(side)  # rule (b)

    def rule_a(self, side):
        if (yield "count", side) and (yield from self.ready(side)):
            yield "wake_one", side

    def ready(self, side):
        return (yield "ready", side)

    def notify_one(self, which):
        if (yield "count", which):
            must_drain = yield "wake_one", which
            if must_drain:
                yield from self.drain()

    def notify_all(self, which):
        if (yield "count", which):
            yield "wake_all", which

    def drain(self):
        status = OK
        while status == OK:
            status, position = yield from self.claim(RECV, discarding=True)
            if status == OK:
                yield "finish", RECV, position

    def close_channel(self, discards):
        """The last end of a side is gone, or shutdown()."""
        yield "set", "mark"
        if discards:
            yield "set", "discard"
            yield from self.drain()
        yield from self.notify_all(NOT_EMPTY)
        yield from self.notify_all(NOT_FULL)

    def close_handle(self, handle, side):
        """close() of a handle that another thread may be blocked on."""
        yield "set", "handle_flag"
        yield "cancel", side, handle
        yield from self.drop_end(side, handle)

    def drop_end(self, side, handle=None):
        if (yield "drop_end", side, handle):
            yield from self.close_channel(discards=side == RECV)


class LocalStates:
    """The threads' own states as small numbers. A generator cannot be copied: each state keeps the results that led
    to it, and what comes next is found once, by replay."""

    def __init__(self, config, protocol):
        self.config, self.protocol = config, protocol
        self.numbers, self.origins, self.operations, self.moves = {}, [], [], {}

    def next(self, local, result):
        if (local, result) not in self.moves:
            spec, results = self.origins[local]
            self.moves[local, result] = self.reach(spec, (*results, result))
        return self.moves[local, result]

    def reach(self, spec, results=()):
        generator = self.protocol().thread(spec, self.config)
        key = ()
        try:
            operation = next(generator)
            for result in results:
                operation = generator.send(result)
            inner = generator
        except StopIteration:
            operation = inner = None
        while inner is not None:
            own = {name: value for name, value in inner.gi_frame.f_locals.items() if name != "self"}
            key += (inner.gi_code, inner.gi_frame.f_lasti, *own.items())
            inner = inner.gi_yieldfrom
        if key not in self.numbers:
            self.numbers[key] = len(self.operations)
            self.origins.append((spec, results))
            self.operations.append(operation)
        return self.numbers[key]


@dataclasses.dataclass
class Result:
    states: int
    transitions: int
    violation: str
    trace: tuple  # a shortest way to the violation: "thread operation(arguments) -> result"


def step(memory, local_states, me, early):
    """Takes a step of thread me and returns its result, or None if it cannot be taken."""
    name, *arguments = local_states.operations[memory.locals[me]]
    if early:
        memory.early = memory.early[1:]
    result = first = early or getattr(memory, name)(me, *arguments)
    while result is not None:
        local = local_states.next(memory.locals[me], result)
        memory.locals = put(memory.locals, me, local)
        name, *arguments = local_states.operations[local] or ("ended",)
        result = getattr(memory, name)(me, *arguments) if memory.is_private(me, name) else None
    return first


def search(config, protocol=Protocol, memory=Memory):
    """Visits all states breadth first, or stops at the first violation."""
    local_states = LocalStates(config, protocol)
    memory = memory(config, [local_states.reach(spec) for spec in config.threads])
    origins = {memory.save(): None}
    frontier = deque(origins)
    transitions, violation, last = 0, "", None
    try:
        while frontier:
            state = frontier.popleft()
            memory.load(state)
            memory.check()
            at_rest = True
            for me, operation, early in list(possible_steps(memory, local_states)):
                memory.load(state)
                last = state, me, operation, "violation"
                outcome = step(memory, local_states, me, early)
                if outcome is not None:
                    transitions += 1
                    at_rest = at_rest and early is not None
                    following = memory.save()
                    if following not in origins:
                        origins[following] = state, me, operation, outcome
                        frontier.append(following)
            if at_rest:
                last = origins[state]
                memory.load(state)
                memory.check_at_rest()
    except Violation as error:
        violation = str(error)
    return Result(len(origins), transitions, violation, trace(origins, last) if violation else ())


def possible_steps(memory, local_states):
    for me, local in enumerate(memory.locals):
        operation = local_states.operations[local]
        if operation:
            yield me, operation, None
        if operation and operation[0] == "park":
            yield from ((me, operation, early) for early in memory.early[:1])


def trace(origins, origin):
    lines = []
    while origin:
        state, me, (name, *arguments), outcome = origin
        lines.append(f"{me} {name}({', '.join(map(str, arguments))}) -> {outcome}")
        origin = origins[state]
    return tuple(reversed(lines))
