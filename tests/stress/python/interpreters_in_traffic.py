"""Interpreters are created, take part in traffic, and end in the middle of it; no item is lost or duplicated.

A producer and a consumer in this interpreter share a channel with guests. A guest either sends a few items and ends
while they are queued, or receives a few and reports them.
"""

import contextlib
import itertools

from common import assert_released, feed_watchdog, receive_result, rng, size
from support import Call, alive, interpreter

import xichan

TEXT = "text that needs a block"


class Tally:
    """The number of items, and checksums that identify them."""

    def __init__(self):
        self.sums = [0, 0, 0]

    def add(self, items):
        for name, i in items:
            mixed = hash((name, i))
            self.sums = [self.sums[0] + 1, self.sums[1] + mixed, self.sums[2] + mixed * mixed]


def produce(tx, tally):
    with contextlib.suppress(xichan.ChannelClosed):
        for i in itertools.count():
            tx.send((-1, i, TEXT))
            tally.add([(-1, i)])


def consume(rx, tally):
    for *item, _ in rx:
        tally.add([item])


def guest(number, tx, rx, results):
    """Run one guest interpreter; return the number of items it sent."""
    with interpreter() as interp:
        count = rng.randrange(1, 60)
        if number % 2:
            interp.prepare_main(tx=tx)
            interp.exec(f"copies = [tx.clone()]\nfor i in range({count}): tx.send(({number}, i, {TEXT!r}))")
            return count
        interp.prepare_main(rx=rx, results=results)
        interp.exec(f"copies = [rx.clone()]\nresults.send(tuple(rx.recv()[:2] for _ in range({count})))")
        return 0


def main():
    rounds = size()
    before = alive()
    tx, rx = xichan.channel(16)
    results, reports = xichan.channel(1)
    tallies = [Tally() for _ in range(4)]  # sent, received by this interpreter; sent, received by guests
    producer, consumer = Call(produce, tx.clone(), tallies[0]), Call(consume, rx.clone(), tallies[1])
    for number in range(rounds):
        sender, receiver = (Call(guest, 2 * number + k, tx, rx, results) for k in (1, 0))
        tallies[3].add(receive_result(reports, [consumer, producer]))
        tallies[2].add((2 * number + 1, i) for i in range(sender.result()))
        receiver.result()
        feed_watchdog()
    tx.shutdown()
    producer.result()
    consumer.result()
    sent, received = ([sum(pair) for pair in zip(tallies[k].sums, tallies[k + 2].sums, strict=True)] for k in (0, 1))
    assert sent == received, (sent, received)
    del tx, rx, results, reports, producer, consumer, sender, receiver
    assert_released(before)
    print(f"interpreters_in_traffic: {2 * rounds} interpreters, {sent[0]} items")


if __name__ == "__main__":
    main()
