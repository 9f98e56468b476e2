"""When a Sender that closes ends a remote channel (xichan/nats/_sender.py, _registry.py): all interleavings.

The model: a server with the leases and the registrations of some Senders, which close, crash, or stay. Once or twice,
the server is away for so long that all leases expire; Senders renew theirs afterwards. Receivers end the channel when
no lease is left although every Sender that lives has had the time to renew its own.

A violation is a channel that is ended while a Sender is open that was open when the last look at the others began; or,
without crashes and outages, a channel that goes on after its last Sender is closed until Receivers notice it.
"""

import dataclasses
from collections import deque

import pytest

OPEN, RELEASED, LEFT, ALONE = "open", "released", "left", "alone"
UNLEASED, CLOSED, CRASHED = "unleased", "closed", "crashed"


@dataclasses.dataclass(frozen=True)
class Sender:
    state: str = OPEN
    leased: bool = True
    registered: bool = True
    stays: bool = False  # it never closes
    crashes: bool = False  # it may
    witnesses: tuple = ()  # Senders that were open when this one began to look at the others

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


@dataclasses.dataclass(frozen=True)
class World:
    senders: tuple
    outages: int = 0  # that may still happen
    sealed: bool = False

    def sender(self, number, **changes):
        changed = self.senders[number].but(**changes)
        return dataclasses.replace(self, senders=(*self.senders[:number], changed, *self.senders[number + 1 :]))

    def those(self, state):
        return tuple(number for number, sender in enumerate(self.senders) if sender.state == state)


class Closing:
    """The protocol. A subclass breaks one rule."""

    watches = True

    def sees_others(self, world):
        return any(sender.registered for sender in world.senders)

    def sees_leases(self, world):
        return any(sender.leased for sender in world.senders)

    def may_be_ended_by_receivers(self, world):
        late = any(sender.state == OPEN and not sender.leased for sender in world.senders)
        return not self.sees_leases(world) and not late

    def seal(self, world, witnesses):
        open_ = set(witnesses) & set(world.those(OPEN))
        assert world.sealed or not open_, f"the channel ends for Senders {open_}: {world}"
        return dataclasses.replace(world, sealed=True)

    def steps(self, world):
        """Yield every state that one step leads to."""
        if world.outages:
            senders = tuple(sender.but(leased=False) for sender in world.senders)
            yield dataclasses.replace(world, outages=world.outages - 1, senders=senders)
        if self.watches and not world.sealed and self.may_be_ended_by_receivers(world):
            yield self.seal(world, world.those(OPEN))
        for number, sender in enumerate(world.senders):
            yield from self.sender_steps(world, number, sender)

    def sender_steps(self, world, number, sender):
        if sender.state == OPEN:
            if not sender.leased:
                yield world.sender(number, leased=True)
            if not sender.stays:
                yield world.sender(number, state=RELEASED, leased=False)
            if sender.crashes:
                yield world.sender(number, state=CRASHED)
        elif sender.state == CRASHED and sender.leased:
            yield world.sender(number, leased=False)  # it expires
        elif sender.state == RELEASED:
            yield world.sender(number, state=LEFT, registered=False)
        elif sender.state == LEFT:
            state = CLOSED if self.sees_others(world) else ALONE
            yield world.sender(number, state=state, witnesses=world.those(OPEN))
        elif sender.state == ALONE:
            yield world.sender(number, state=CLOSED if self.sees_leases(world) else UNLEASED)
        elif sender.state == UNLEASED:
            yield self.seal(world, sender.witnesses).sender(number, state=CLOSED)


def search(closing, senders, outages=0):
    """Visit every state. Returns their number, or raises AssertionError."""
    start = World(senders, outages)
    seen, pending = {start}, deque([start])
    while pending:
        world = pending.popleft()
        following = list(closing.steps(world))
        gone = all(sender.state in (CLOSED, CRASHED) for sender in world.senders)
        assert following or world.sealed or not gone, f"the channel goes on without a Sender: {world}"
        for state in following:
            if state not in seen:
                seen.add(state)
                pending.append(state)
    return len(seen)


CLOSES, STAYS, MAY_CRASH = Sender(), Sender(stays=True), Sender(stays=True, crashes=True)

CONFIGURATIONS = {
    "one closes, one stays": ((CLOSES, STAYS), 2),
    "two close, one stays": ((CLOSES, CLOSES, STAYS), 2),
    "three close": ((CLOSES, CLOSES, CLOSES), 1),
    "two close, one may crash": ((CLOSES, CLOSES, MAY_CRASH), 1),
    "one closes, one may crash, one stays": ((CLOSES, MAY_CRASH, STAYS), 2),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_channel_ends_with_its_last_sender_and_not_before(configuration):
    senders, outages = configuration
    assert search(Closing(), senders, outages) > 20


class WithoutReceivers(Closing):
    watches = False


@pytest.mark.parametrize("number", [1, 2, 3])
def test_last_sender_that_closes_ends_the_channel_itself(number):
    assert search(WithoutReceivers(), (CLOSES,) * number) > 5


class LeasesOnly(Closing):
    """What is not leased is taken to be gone, also after an outage."""

    def sees_others(self, world):
        return self.sees_leases(world)


class HastyReceivers(Closing):
    def may_be_ended_by_receivers(self, world):
        return not self.sees_leases(world)


class NoReceivers(WithoutReceivers):
    """A Sender that crashed stays registered for good."""


class NoRegistrationIsRemoved(WithoutReceivers):
    def sees_others(self, world):
        return len(world.senders) > 1


MUTANTS = [
    (LeasesOnly, "one closes, one stays", "the channel ends"),
    (HastyReceivers, "one closes, one stays", "the channel ends"),
    (NoReceivers, "two close, one may crash", "goes on"),
    (NoRegistrationIsRemoved, "three close", "goes on"),
]


@pytest.mark.parametrize("mutant, name, message", MUTANTS, ids=[mutant.__name__ for mutant, _, _ in MUTANTS])
def test_each_rule_is_necessary(mutant, name, message):
    senders, outages = CONFIGURATIONS[name]
    with pytest.raises(AssertionError, match=message):
        search(mutant(), senders, outages)
