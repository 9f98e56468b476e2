"""Histories of processes that share remote channels, and the rules that they are checked against.

Each process appends lines to a file of its own, one write per line, so that what it did before it was killed is known:

    send P N            producer P is about to send its value N
    ok P N              the send returned
    failed P N ERROR    the send raised
    got P N DELIVERIES  a consumer received the value, for the n-th time as the server counts
    done P N            the lease ended without an error, or there was none
    dead P N            the value was found among the dead letters
"""

import os
from collections import Counter, defaultdict
from typing import NamedTuple


class History:
    """The file of one process."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(self, *words):
        os.write(self.file, (" ".join(map(str, words)) + "\n").encode())


class Found(NamedTuple):
    """What a run did, in numbers."""

    accepted: int
    uncertain: int  # sends that raised or were cut short, and may have been accepted
    failed: int
    received: int
    redelivered: int
    dead: int
    new_twice: int  # of those redelivered: announced as new, by a server that had lost their acknowledgment

    def __str__(self):
        return ", ".join(f"{value} {name}" for name, value in self._asdict().items())


def read(folder):
    """Return the events of each file: lists of (kind, (producer, number), rest)."""
    events = {}
    for file in sorted(folder.glob("*.history")):
        lines = file.read_bytes().decode().split("\n")
        words = [line.split(" ", 3) for line in lines[:-1]]  # the last line is incomplete if it has no end
        events[file.stem] = [(kind, (producer, int(number)), rest) for kind, producer, number, *rest in words]
    return events


def check(folder, in_order=False, forgets=False):
    """Check the histories in a folder; return what they contain.

    1. Every accepted value was received, or is a dead letter.
    2. Every received value was sent.
    3. A value that was received again was announced as a redelivery; except with `forgets`, if servers were killed: the
       last acknowledgments before that are not on their disks.
    4. No consumer received a value again after it had acknowledged it.
    5. With `in_order`, the one consumer received the values of each producer that were delivered once in the order in
       which they were sent.
    """
    events = read(folder)
    of_kind = defaultdict(list)
    for name, found in events.items():
        for kind, value, rest in found:
            of_kind[kind].append((name, value, rest))
    sent, accepted, failed, received, dead = (
        Counter(value for _, value, _ in of_kind[kind]) for kind in ("send", "ok", "failed", "got", "dead")
    )
    uncertain = set(sent) - set(accepted)
    assert max(sent.values(), default=1) == 1, "a producer numbered two values alike"
    lost = set(accepted) - set(received) - set(dead)
    assert not lost, f"rule 1: {len(lost)} values lost: {sorted(lost)[:5]}"
    invented = (set(received) | set(dead)) - set(sent)
    assert not invented, f"rule 2: {sorted(invented)[:5]}"
    firsts = Counter(value for _, value, (deliveries,) in of_kind["got"] if int(deliveries) == 1)
    duplicates = [value for value, number in firsts.items() if number > 1]
    assert forgets or not duplicates, f"rule 3: {len(duplicates)} values received twice as new: {duplicates[:5]}"
    for name, found in events.items():
        done = set()
        for kind, value, _ in found:
            assert kind != "got" or value not in done, f"rule 4: {name} received {value} again"
            if kind == "done":
                done.add(value)
    if in_order:
        check_order(events)
    again = sum(received.values()) - len(received)
    return Found(len(accepted), len(uncertain), len(failed), len(received), again, len(dead), len(duplicates))


def check_order(events):
    """Check rule 5 for the values that were delivered once: the others had to be sent again."""
    consumers = [name for name, found in events.items() if any(kind == "got" for kind, _, _ in found)]
    assert len(consumers) <= 1, f"rule 5 needs one consumer, got {consumers}"
    last = {}
    for name in consumers:
        for kind, (producer, number), rest in events[name]:
            if kind == "got" and int(rest[0]) == 1:
                assert number > last.get(producer, -1), f"rule 5: {producer} {number} after {last[producer]}"
                last[producer] = number
