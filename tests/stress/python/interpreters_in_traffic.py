"""Interpreters are made, take part in traffic, and end in the middle of it; nothing is lost or doubled.

A producer and a consumer in this interpreter share two channels with guests. A guest either sends a few items and ends
with them still queued, or takes a few and reports them.
"""

from collections import Counter

from common import checked, progress, rng, settle, size
from support import Call, alive, interpreter

import xichan

TEXT = "text that needs a block"


def produce(tx, sent):
    try:
        while True:
            tx.send(("home", len(sent), TEXT))
            sent.append(("home", len(sent)))
    except xichan.ChannelClosed:
        pass


def consume(rx, received):
    for name, i, _ in rx:
        received.append((name, i))


def guest(number, tx, rx, results):
    """One interpreter's life: the items it sent and those it received."""
    with interpreter() as interp:
        count = rng.randrange(1, 60)
        if number % 2:
            interp.prepare_main(tx=tx)
            interp.exec(f"copies = [tx.clone() for _ in range(3)]\nfor i in range({count}): tx.send(({number}, i, {TEXT!r}))")
            return [(number, i) for i in range(count)], []
        interp.prepare_main(rx=rx, results=results)
        interp.exec(f"copies = [rx.clone()]\nresults.send(tuple(rx.recv()[:2] for _ in range({count})))")
        return [], None


def main():
    rounds = size(500)
    before = alive()
    tx, rx = xichan.channel(16)
    results, answers = xichan.channel(rounds)
    sent, received = [], []
    producer, consumer = Call(produce, tx.clone(), sent), Call(consume, rx.clone(), received)
    for number in range(rounds):
        guests = [Call(guest, 2 * number + k, tx, rx, results) for k in (0, 1)]
        for call in guests:
            more_sent, more_received = call.result()
            sent.extend(more_sent)
            received.extend(checked(answers, [consumer]) if more_received is None else more_received)
        progress()
    tx.shutdown()
    producer.result()
    consumer.result()
    assert Counter(sent) == Counter(received), (Counter(sent) - Counter(received), Counter(received) - Counter(sent))
    print(f"interpreters_in_traffic: {2 * rounds} interpreters, {len(sent)} items")
    del tx, rx, results, answers, producer, consumer, guests, call
    settle(before)


if __name__ == "__main__":
    main()
