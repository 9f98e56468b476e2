"""Searches the waiting protocol as it must be, and with each of its rules taken away.

Run by pytest, or alone: `python3 test_wait_protocol.py` prints how much was searched and how each mutant dies;
with the name of a mutant it prints a shortest way to the failure.
"""

import dis
import inspect
import sys
import time

from wait_protocol import (
    CLOSED,
    HANDLE_CLOSED,
    IDLE,
    INTERRUPTED,
    NOT_EMPTY,
    NOT_FULL,
    NOT_READY,
    NOTIFIED,
    OK,
    RECV,
    SEND,
    TIMEOUT,
    Config,
    Memory,
    Protocol,
    require,
    search,
)


def sends(calls=1, leaves=False):
    return SEND, calls, leaves


def recvs(calls=1, leaves=False):
    return RECV, calls, leaves


SHUTDOWN, SHUTDOWN_NOW = ("shutdown", False), ("shutdown", True)
# Named by senders x receivers and capacity; a thread makes one call unless said otherwise.
CONFIGS = {
    config.name: config
    for config in [
        Config("2x1 c1", 1, (sends(2), sends(2), recvs(2))),
        Config("1x2 c1", 1, (sends(2), recvs(), recvs())),
        Config("1x2 c2", 2, (sends(2), recvs(), recvs())),
        Config("2x2 c1", 1, (sends(), sends(), recvs(), recvs())),
        Config("2x2 c2", 2, (sends(), sends(), recvs(), recvs())),
        Config("2x1 c1, full", 1, (sends(), sends(), recvs(2)), queued=1),
        Config("2x2 c2, full", 2, (sends(), sends(), recvs(), recvs()), queued=2),
        Config("2x2 c1, 3 messages", 1, (sends(2), sends(), recvs(2), recvs())),
        Config("2x2 c2, 3 messages", 2, (sends(2), sends(), recvs(2), recvs())),
        Config("2x3 c3, 3 messages", 3, (sends(2), sends(), recvs(), recvs(), recvs())),
        Config("2x2 c1, time-outs", 1, (sends(), sends(), recvs(), recvs()), early=(TIMEOUT, TIMEOUT)),
        Config("2x2 c2, time-outs", 2, (sends(2), sends(), recvs(), recvs()), early=(TIMEOUT, TIMEOUT)),
        Config("2x2 c1, interrupts", 1, (sends(), sends(), recvs(), recvs()), early=(INTERRUPTED, TIMEOUT)),
        Config("1x2 c1, senders leave", 1, (sends(2, True), recvs(2), recvs(2))),
        Config("2x2 c1, senders leave", 1, (sends(1, True), sends(1, True), recvs(2), recvs())),
        Config("2x1 c1, receiver leaves", 1, (sends(2), sends(), recvs(1, True))),
        Config("2x1 c2, receiver leaves", 2, (sends(2), sends(2), recvs(1, True))),
        Config("2x2 c1, receivers leave", 1, (sends(), sends(), recvs(1, True), recvs(1, True))),
        Config("2x2 c1, all leave", 1, (sends(1, True), sends(1, True), recvs(1, True), recvs(1, True))),
        Config("1x2 c1, shutdown", 1, (sends(), recvs(), recvs(), SHUTDOWN)),
        Config("1x3 c1, shutdown", 1, (sends(), recvs(), recvs(), recvs(), SHUTDOWN)),
        Config("2x2 c1, shutdown", 1, (sends(), sends(), recvs(), recvs(), SHUTDOWN)),
        Config("1x2 c1, shutdown now", 1, (sends(), recvs(), recvs(), SHUTDOWN_NOW)),
        Config("2x1 c2, shutdown now", 2, (sends(), sends(), recvs(), SHUTDOWN_NOW)),
        Config("1x1 c1, leave and shutdown now", 1, (sends(2, True), recvs(1, True), SHUTDOWN_NOW)),
        Config("1x2 c1, receiver closed", 1, (sends(), recvs(1, True), recvs(1, True), ("close", 1))),
        Config("2x2 c2, receiver closed", 2, (sends(), sends(), recvs(1, True), recvs(1, True), ("close", 2))),
        Config("2x1 c1, last receiver closed", 1, (sends(), sends(), recvs(1, True), ("close", 2))),
        Config("2x1 c1, sender closed", 1, (sends(1, True), sends(2, True), recvs(2), ("close", 0))),
    ]
}


# Mutants: the protocol with one rule taken away. Each must fail in every configuration of `killed_by`.


class Forgetful(Protocol):
    """A token is forgotten where `forgets` says so."""

    def settle(self, side, status, token):
        return super().settle(side, status, None if self.forgets(side, status, token) else token)


class NoRuleAForReceivers(Forgetful):
    killed_by = "1x2 c1", "2x2 c2"

    def forgets(self, side, status, token):
        return status == OK and side == RECV


class NoRuleAForSenders(Forgetful):
    killed_by = "2x1 c1, full", "2x2 c2, full"

    def forgets(self, side, status, token):
        return status == OK and side == SEND


class NoRuleAAfterSecondPoll(Forgetful):
    killed_by = "1x2 c1", "2x1 c1, full"

    def forgets(self, side, status, token):
        return status == OK and token == "second poll"


class NoRuleAWhenWoken(Forgetful):
    killed_by = "2x2 c2", "2x2 c2, full"

    def forgets(self, side, status, token):
        return status == OK and token == "woken"


class RuleABlindToClosed(Memory):
    killed_by = "1x2 c1, shutdown", "1x2 c1, shutdown now"

    def ready(self, me, side):
        return self.poll_status(side) == OK


class MemoryReadInParts(Memory):
    def read_position(self, me, side):
        return self.head if side == RECV else self.tail

    def ready_at(self, me, side, position):
        return self.is_ready_at(side, position) or self.poll_status(side) == CLOSED


class RuleAMissesThatTheRingMoved(Protocol):
    killed_by = ("2x3 c3, 3 messages",)
    memory = MemoryReadInParts

    def ready(self, side):
        position = yield "read_position", side
        return (yield "ready_at", side, position)


class PollMissesThatTheRingMoved(Protocol):
    killed_by = ("2x2 c2",)
    memory = MemoryReadInParts

    def claim(self, side, discarding=False):
        position = yield "read_position", side
        if not (yield "ready_at", side, position):
            return NOT_READY, None
        return (yield "claim", side, discarding)


class NoRuleB(Forgetful):
    killed_by = "2x2 c1, interrupts", "1x2 c1, receiver closed"

    def forgets(self, side, status, token):
        return status != OK


class NoRuleBOnClosed(Forgetful):
    killed_by = ("1x3 c1, shutdown",)

    def forgets(self, side, status, token):
        return status == CLOSED


class NoRuleBOnHandleClosed(Forgetful):
    killed_by = "1x2 c1, receiver closed", "2x1 c1, sender closed"

    def forgets(self, side, status, token):
        return status == HANDLE_CLOSED


class NoRuleBOnInterrupt(Forgetful):
    killed_by = ("2x2 c1, interrupts",)

    def forgets(self, side, status, token):
        return status == INTERRUPTED


class NoTokenCheck(Memory):
    killed_by = "1x2 c1", "2x2 c1, time-outs"

    def remove(self, me, which):
        word = super().remove(me, which)
        return IDLE if word == NOTIFIED else word


class NoSecondPoll(Protocol):
    killed_by = "2x1 c1", "1x2 c2"

    def wait(self, side):
        yield "add", side
        return (yield from self.park(side))


class CountReadBeforePublish(Protocol):
    killed_by = "2x1 c1", "1x2 c2"

    def poll(self, side):
        status, position = yield from self.claim(side)
        if status == OK:
            yield from self.notify_one(1 - side)
            yield "finish", side, position
        return status

    def settle(self, side, status, token):
        if status != OK:
            yield from super().settle(side, status, token)
        elif token:
            yield from self.rule_a(side)


class NodeStaysLinked(Memory):
    killed_by = ("2x2 c1, time-outs",)

    def remove(self, me, which):
        return IDLE if me in self.lists[which] else super().remove(me, which)


class TakenButTimedOut(Protocol):
    killed_by = ("2x1 c1",)

    def wait(self, side):
        status = yield from super().wait(side)
        return TIMEOUT if status == OK else status


class PushBeforeRelease(Memory):
    """A push goes by head, not by the slot's stamp."""

    killed_by = ("2x1 c1",)

    def poll_status(self, side):
        if side == SEND and not self.mark and self.tail - self.head < self.capacity:
            return OK
        return super().poll_status(side)


class FullHidesClosed(Memory):
    killed_by = ("2x1 c1, receiver leaves",)

    def poll_status(self, side):
        if side == SEND and not self.is_ready_at(SEND, self.tail):
            return NOT_READY
        return super().poll_status(side)


class CloseWakesNoReceivers(Memory):
    killed_by = ("1x2 c1, senders leave",)

    def wake_all(self, me, which):
        return which == NOT_EMPTY or super().wake_all(me, which)


class CloseWakesNoSenders(Memory):
    killed_by = ("2x1 c1, receiver leaves",)

    def wake_all(self, me, which):
        return which == NOT_FULL or super().wake_all(me, which)


class CloseWakesBeforeTheMark(Protocol):
    killed_by = ("1x2 c1, senders leave",)

    def close_channel(self, discards):
        yield from self.notify_all(NOT_EMPTY)
        yield from self.notify_all(NOT_FULL)
        yield "set", "mark"


class DrainBeforeDiscard(Protocol):
    killed_by = "2x1 c1, receiver leaves", "2x1 c2, shutdown now"

    def close_channel(self, discards):
        yield "set", "mark"
        if discards:
            yield from self.drain()
            yield "set", "discard"
        yield from self.notify_all(NOT_EMPTY)
        yield from self.notify_all(NOT_FULL)


class NoDrainByPublishers(Memory):
    killed_by = "2x1 c1, receiver leaves", "2x1 c2, shutdown now"

    def wake_one(self, me, which):
        super().wake_one(me, which)
        return False


class CloseHandleWithoutCancel(Memory):
    killed_by = ("1x2 c1, receiver closed",)

    def cancel(self, me, which, handle):
        return True


class CancelBeforeHandleFlag(Protocol):
    killed_by = ("1x2 c1, receiver closed",)

    def close_handle(self, handle, side):
        yield "cancel", side, handle
        yield "set", "handle_flag"
        yield from self.drop_end(side, handle)


class NoLookAtHandleFlag(Memory):
    killed_by = ("1x2 c1, receiver closed",)

    def handle_closed(self, me):
        return False


# Variants that must hold as well, in the configurations of `holds_in`.


class RuleAOnTheFastPath(Protocol):
    """Rule (a) also by calls that hold no token: needless, harmless."""

    holds_in = "1x2 c1", "2x2 c2", "2x2 c2, full", "2x1 c1, receiver leaves", "1x2 c1, receiver closed"

    def settle(self, side, status, token):
        return super().settle(side, status, token or "fast" if status == OK else token)


class RuleBAtTimeout(Protocol):
    """Rule (b) also when the poll after the token said NOT_READY: needless, harmless."""

    holds_in = ("2x2 c1, time-outs",)

    def settle(self, side, status, token):
        yield from super().settle(side, status, token)
        if token and status == TIMEOUT:
            yield from self.notify_one(side)


class SplitMemory(Memory):
    """The ring's loads and compare-and-swaps, each on its own."""

    def read_end(self, me, side):
        return (self.head, False) if side == RECV else (self.tail, self.mark)

    def read_slot(self, me, side, position):
        """0: ready; below: not yet; above: somebody was faster."""
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


MUTANTS = {name: kind for name, kind in list(globals().items()) if hasattr(kind, "killed_by")}
VARIANTS = {name: kind for name, kind in list(globals().items()) if hasattr(kind, "holds_in")}


class SpinningMemory(Memory):
    """Not our ring: a poll waits until a claimed slot is published or released. See README.md."""

    def claim(self, me, side, discarding):
        in_flight = self.head < self.tail if side == RECV else self.tail - self.head < self.capacity
        status, position = super().claim(me, side, discarding)
        return None if status == NOT_READY and in_flight else (status, position)


class SpinningAndBlind(RuleABlindToClosed, SpinningMemory):
    pass


def run(name, kind=Protocol, memory=None):
    """Searches a configuration with a mutant or variant of Protocol or Memory."""
    if issubclass(kind, Memory):
        return search(CONFIGS[name], memory=kind)
    return search(CONFIGS[name], kind, memory or getattr(kind, "memory", Memory))


def require_holds(name, kind=Protocol, memory=None):
    result = run(name, kind, memory)
    assert not result.violation, "\n".join([f"{kind.__name__} in {name}: {result.violation}", *result.trace])
    return result


def test_protocol_holds():
    for name in CONFIGS:
        require_holds(name)


def test_every_mutant_dies():
    for kind in MUTANTS.values():
        for name in kind.killed_by:
            assert run(name, kind).violation, f"{kind.__name__} survives in {name}"


def test_variants_hold():
    for kind in VARIANTS.values():
        for name in kind.holds_in:
            require_holds(name, kind)


def test_a_spinning_ring_needs_fewer_rules():
    for name in "2x2 c2", "2x2 c2, full", "1x2 c1, shutdown", "1x2 c1, shutdown now":
        require_holds(name, NoRuleAWhenWoken, SpinningMemory)
        require_holds(name, NoRuleBOnClosed, SpinningMemory)
        require_holds(name, SpinningAndBlind)
    assert run("1x2 c1", NoRuleAAfterSecondPoll, SpinningMemory).violation


def test_generators_keep_no_hidden_iterator():
    for kind in Protocol, *MUTANTS.values(), *VARIANTS.values():
        for function in vars(kind).values():
            if inspect.isgeneratorfunction(function):
                assert all(line.opname != "FOR_ITER" for line in dis.get_instructions(function)), function


def print_all():
    total = [0, 0]
    print(f"{'configuration':42}{'states':>9}{'transitions':>13}{'seconds':>9}")
    for label, name, kind in [
        *((name, name, Protocol) for name in CONFIGS),
        *((f"{name}: {variant.__name__}", name, variant) for variant in VARIANTS.values() for name in variant.holds_in),
    ]:
        start = time.perf_counter()
        result = require_holds(name, kind)
        total = [total[0] + result.states, total[1] + result.transitions]
        print(f"{label:42}{result.states:9}{result.transitions:13}{time.perf_counter() - start:9.1f}", flush=True)
    print(f"{'together':42}{total[0]:9}{total[1]:13}\n")
    for kind in MUTANTS.values():
        for name in kind.killed_by:
            result = run(name, kind)
            print(
                f"{kind.__name__:29}{name:26}{result.states:7} states, {len(result.trace):2} steps, "
                f"{result.violation or 'SURVIVES'}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        mutant = MUTANTS[sys.argv[1]]
        failure = run(mutant.killed_by[0], mutant)
        print(mutant.killed_by[0], *failure.trace, failure.violation, sep="\n")
    else:
        print_all()
