"""The waiting protocol of a channel, searched exhaustively.

The protocol. A bounded ring hands out slots in strict order. A push *claims* the tail slot, then *publishes* it; a
pop *claims* the head slot, then *releases* it. A poll never waits for a claimed slot: it returns NOT_READY (Empty or
Full). Beside the ring stand two wait lists, NOT_EMPTY (receivers) and NOT_FULL (senders): a count that any thread may
read, a lock, and a FIFO of nodes, one per waiting call, whose word is WAITING, NOTIFIED or CANCELLED. A call polls;
if that fails it adds its node, polls again, parks on its word, removes its node, and polls once more if it was
notified. A node that another call unlinked with NOTIFIED gave its call a *wake token*. A call that finishes a push
(or pop) then wakes one receiver (or sender) if the count is not 0. Beyond that:

  (a) a token holder that succeeds wakes the next waiter of its side, if a poll would not say NOT_READY now
  (b) a token holder that leaves on CLOSED, or without a poll since it got the token, wakes the next waiter
  (c) closing marks the tail, then wakes all waiters

The search. A thread is a generator that yields one atomic operation of `Memory` at a time and is sent its result;
between two operations any other thread may run (sequential consistency). A critical section of a list's lock is one
operation. Every reachable state is visited. Timeouts and interrupts may end any park, up to a budget; they never
count as progress, so that a waiter which only its timeout would save is reported as lost.

The properties.
  P1  no lost wake-up: when no thread can step, no parked call has a ring that is ready for it, a closed channel or
      a closed handle
  P2  accepted = received + discarded + queued, each once and in ring order: no call touches a slot claimed by another
  P3  a call that does not return OK has taken nothing, one that does has taken one
  P4  once the receiving side has ended and no thread can step, nothing is queued
  P5  a list's count is its number of nodes; no node is linked after its call returned

`Memory` (wait_memory.py) and `Protocol` state the protocol as it must be, wait_search.py visits all that it can do, and
wait_mutants.py takes its rules away one at a time.
"""

from wait_memory import (
    CANCELLED,
    CLOSED,
    HANDLE_CLOSED,
    INTERRUPTED,
    NOT_EMPTY,
    NOT_FULL,
    NOT_READY,
    NOTIFIED,
    OK,
    RECV,
    TIMEOUT,
    WOKEN,
)


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
            yield from self.drop_endpoint(side)

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
        yield from self.drop_endpoint(side, handle)

    def drop_endpoint(self, side, handle=None):
        if (yield "drop_endpoint", side, handle):
            yield from self.close_channel(discards=side == RECV)
