"""Traffic through every flavor: threads, two interpreters, and sends that race the close of the channel."""

import random
import threading
import time
from collections import Counter

import pytest
from support import FLAVORS, PATIENCE, Call, execute, interpreter

import xichan

TEXT = "text that needs a block"


def over(flavors):
    return pytest.mark.parametrize("options", flavors.values(), ids=flavors)


@pytest.mark.parametrize("threads", [1, 4])
@over(FLAVORS)
def test_threads_receive_each_value_once_and_in_order(options, threads):
    if threads > 1 and options.get("flavor") == "spsc":
        pytest.skip("for one thread on each side")
    each = 4000 // threads
    tx, rx = xichan.channel(**options)
    start = threading.Barrier(2 * threads)

    def produce(name):
        end = tx if threads == 1 else tx.clone()
        start.wait()
        for i in range(each):
            end.send((name, i, TEXT) if i % 2 else (name, i))

    def consume():
        start.wait()
        return [value[:2] for value in rx]

    takers = [Call(consume) for _ in range(threads)]
    givers = [Call(produce, name) for name in range(threads)]
    for giver in givers:
        giver.result(100)
    tx.close()
    taken = [taker.result(100) for taker in takers]
    assert Counter(item for items in taken for item in items) == Counter(
        (name, i) for name in range(threads) for i in range(each)
    )
    for items in taken:
        for name in range(threads):
            order = [i for other, i in items if other == name]
            assert order == sorted(order)
    found = rx.stats()
    assert (found.sent, found.received, found.depth) == (threads * each, threads * each, 0)


@over(FLAVORS)
def test_interpreters_receive_each_value_once_and_in_order(options):
    pytest.importorskip("concurrent.interpreters")
    number = 20_000
    tx, rx = xichan.channel(**options)
    with interpreter(tx=tx) as interp:
        tx.close()
        sender = execute(interp, f"with tx:\n for i in range({number}): tx.send((i, '{TEXT}') if i % 3 else i)")
        for i, value in enumerate(rx):
            assert value == ((i, TEXT) if i % 3 else i)
        sender.result()
    assert i == number - 1 and rx.stats().received == number


RACE = """
import xichan
for tx in jobs:
    sent = 0
    try:
        while True:
            tx.send("text that needs a block")
            sent += 1
    except xichan.ChannelClosed:
        replies.send(sent)
    assert jobs.recv() == "nothing else runs"
    found = tx.stats()
    replies.send((found.sent, found.received, found.depth))
    tx.close()
"""


@over(FLAVORS)
def test_5000_sends_racing_the_last_receiver_lose_nothing(options):
    """accepted = received + discarded, counted by the callers and by the channel."""
    pytest.importorskip("concurrent.interpreters")
    rng = random.Random(3)
    jobs, inner_jobs = xichan.channel(1)
    inner_replies, replies = xichan.channel(1)
    totals = Counter()
    with interpreter(jobs=inner_jobs, replies=inner_replies) as interp:
        inner_jobs.close()
        inner_replies.close()
        worker = execute(interp, RACE)
        for i in range(5000):
            tx, rx = xichan.channel(**options)
            jobs.send(tx)
            tx.close()
            received = 0
            if rng.random() < 0.9:
                rx.recv(PATIENCE)
                received = 1
            until = time.perf_counter() + rng.random() * 2e-5
            while time.perf_counter() < until:
                pass
            way = ("close", "shutdown", "immediate")[i % 3]
            if way == "close":
                rx.close()
            else:
                rx.shutdown(immediate=way == "immediate")
                received += len(list(rx)) if way == "shutdown" else 0
            accepted = replies.recv(PATIENCE)
            jobs.send("nothing else runs")
            assert replies.recv(PATIENCE) == (accepted, received, 0)
            assert accepted == received if way == "shutdown" else accepted >= received
            totals.update(accepted=accepted, received=received)
        jobs.close()
        worker.result()
    assert totals["accepted"] >= totals["received"] >= 4000
