"""Mutants: the protocol with one rule taken away. Each must fail in every configuration of its `killed_by`."""

from wait_memory import (
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
    Memory,
)
from wait_protocol import Protocol


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
    killed_by = "1x2 c1", "2x2 c1, timeouts"

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
    killed_by = ("2x2 c1, timeouts",)

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
        yield from self.drop_endpoint(side, handle)


class NoLookAtHandleFlag(Memory):
    killed_by = ("1x2 c1, receiver closed",)

    def handle_closed(self, me):
        return False


MUTANTS = {name: kind for name, kind in list(globals().items()) if hasattr(kind, "killed_by")}
