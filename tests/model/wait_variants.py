"""Variants of the protocol that must hold as well, in the configurations of their `holds_in`."""

from wait_memory import CLOSED, NOT_READY, OK, RECV, SEND, TIMEOUT, Memory, require
from wait_mutants import RuleABlindToClosed
from wait_protocol import Protocol


class RuleAOnTheFastPath(Protocol):
    """Rule (a) also by calls that hold no token: needless, harmless."""

    holds_in = "1x2 c1", "2x2 c2", "2x2 c2, full", "2x1 c1, receiver leaves", "1x2 c1, receiver closed"

    def settle(self, side, status, token):
        return super().settle(side, status, token or "fast" if status == OK else token)


class RuleBAtTimeout(Protocol):
    """Rule (b) also when the poll after the token said NOT_READY: needless, harmless."""

    holds_in = ("2x2 c1, timeouts",)

    def settle(self, side, status, token):
        yield from super().settle(side, status, token)
        if token and status == TIMEOUT:
            yield from self.notify_one(side)


class SplitMemory(Memory):
    """The ring's loads and compare-and-swaps, each on its own."""

    def read_end(self, me, side):
        return (self.head, False) if side == RECV else (self.tail, self.mark)

    def read_slot(self, me, side, position):
        """0: ready; below: not yet; above: another call was faster."""
        return self.stamps[position % self.capacity] - (2 * position + side)

    def swap(self, me, side, position, discarding):
        if self.read_end(me, side) != (position, False):
            return False
        require(self.claim(me, side, discarding) == (OK, position), "P2: claimed a slot that was not ready")
        return True


class SplitRing(Protocol):
    """A poll, and rule (a)'s look at the ring, in the steps of the real ring; the mark is a bit of tail's word."""

    holds_in = "1x2 c1", "1x2 c2", "2x2 c2", "2x2 c2, full", "2x1 c1, receiver leaves", "1x2 c1, receiver closed"
    memory = SplitMemory

    def claim(self, side, discarding=False):
        difference, swapped = 1, False
        while difference >= 0 and not swapped:
            position, mark = yield "read_end", side
            if side == SEND and mark:
                return CLOSED, None
            difference = yield "read_slot", side, position
            if difference == 0:
                swapped = yield "swap", side, position, discarding
        if swapped:
            return OK, position
        closed = side == RECV and (yield "read_end", SEND) == (position, True)
        return CLOSED if closed else NOT_READY, None

    def ready(self, side):
        difference = 1
        while difference > 0:
            position, _ = yield "read_end", side
            difference = yield "read_slot", side, position
        return difference == 0 or (side == RECV and (yield "read_end", SEND) == (position, True))


VARIANTS = {name: kind for name, kind in list(globals().items()) if hasattr(kind, "holds_in")}


class SpinningMemory(Memory):
    """Not our ring: a poll waits until a claimed slot is published or released. See README.md."""

    def claim(self, me, side, discarding):
        in_flight = self.head < self.tail if side == RECV else self.tail - self.head < self.capacity
        status, position = super().claim(me, side, discarding)
        return None if status == NOT_READY and in_flight else (status, position)


class SpinningAndBlind(RuleABlindToClosed, SpinningMemory):
    pass
