"""What the threads of wait_protocol.py share, the operations on it, and the properties that must hold."""

import dataclasses
import operator

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

    # The operations of thread `me`, each one atomic step. They return True if they have no better result, and None
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

    def drop_endpoint(self, me, side, handle):
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
        """Return True if no other thread sees or changes the subject of this operation: it joins the step before it."""
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
