"""Close races with send and receive, in threads and in interpreters: accepted = received + discarded.

In each round two senders and two receivers use a new channel, which ends in one of these ways:

  last sender       the senders finish one after the other; all items sent are received
  last receiver     the receivers close after some items; queued items are discarded
  shutdown          all accepted items are received
  immediate         queued items are discarded
  own handle        (threads only) handles are closed while calls use them
"""

import contextlib
import queue
import time

from common import HERE, assert_released, feed_watchdog, receive_result, rng, size
from support import Call, alive, interpreter

import xichan

TEXT = "text that needs a block"
WAYS = ["last sender", "last receiver", "shutdown", "immediate", "own handle"]


def work(jobs, results):
    """Run jobs: send or receive through an endpoint until the limit, or until the channel is closed."""
    for name, end, limit in jobs:
        done = []
        try:
            with end:
                if type(end) is xichan.Sender:
                    for i in range(limit):
                        end.send((name, i, TEXT))
                        done.append((name, i))
                else:
                    while len(done) < limit:
                        done.append(end.recv()[:2])
        except xichan.ChannelClosed:
            pass
        results.send((name, tuple(done)))
        del end


class Thread:
    """A worker that shares the handle."""

    def __init__(self, results, stack):
        self.jobs = queue.SimpleQueue()
        self.call = Call(work, iter(self.jobs.get, None), results)

    def submit(self, name, end, limit):
        self.jobs.put((name, end, limit))

    def stop(self):
        self.jobs.put(None)
        self.call.result()


class Interpreter:
    """A worker in its own interpreter, which receives a copy of the handle."""

    def __init__(self, results, stack):
        self.jobs, jobs = xichan.channel(1)
        interp = stack.enter_context(interpreter(jobs=jobs, results=results))
        jobs.close()
        source = f"import sys; sys.path[:0] = {[HERE]!r}\nimport close_races\nclose_races.work(jobs, results)"
        self.call = Call(interp.exec, source)

    def submit(self, name, end, limit):
        with end:
            self.jobs.send((name, end, limit))

    def stop(self):
        self.jobs.close()
        self.call.result()


def one_round(way, workers, reports):
    tx, rx = xichan.channel(rng.choice((1, 2, 3, 8, 64)))
    mine = (tx if rng.random() < 0.5 else rx).clone()
    handles = []
    for i, worker in enumerate(workers):
        sends = i < 2
        few = way == ("last sender" if sends else "last receiver")
        handles.append((tx if sends else rx).clone())
        worker.submit(i, handles[-1], rng.randrange(60) if few else 10**9)
    tx.close()
    rx.close()
    if not way.startswith("last"):
        until = time.perf_counter() + rng.random() * 0.0005
        while time.perf_counter() < until:
            pass
    if way == "own handle":
        for end in rng.sample(handles, 4):
            end.close()
    elif not way.startswith("last"):
        mine.shutdown(immediate=way == "immediate")
    mine.close()
    handles.clear()

    done = dict(receive_result(reports, [worker.call for worker in workers]) for _ in workers)
    accepted = {item for name in (0, 1) for item in done[name]}
    received = [item for name in (2, 3) for item in done[name]]
    assert len(set(received)) == len(received), "received twice"
    assert accepted >= set(received), f"{way}: received but not accepted: {set(received) - accepted}"
    if way in ("last sender", "shutdown"):
        assert accepted == set(received), f"{way}: lost {accepted - set(received)}"
    for name in (2, 3):
        for sender in (0, 1):
            order = [i for source, i in done[name] if source == sender]
            assert order == sorted(order), "out of order"
    return len(accepted), len(received)


def main():
    rounds = size()
    accepted = received = 0
    for kind, ways in ((Thread, WAYS), (Interpreter, WAYS[:-1])):
        before = alive()
        results, reports = xichan.channel(8)
        with contextlib.ExitStack() as stack:
            workers = [kind(results, stack) for _ in range(4)]
            for i in range(rounds):
                sent, taken = one_round(ways[i % len(ways)], workers, reports)
                accepted, received = accepted + sent, received + taken
                if i % 100 == 0:
                    feed_watchdog()
            for worker in workers:
                worker.stop()
        del worker, workers, results, reports
        assert_released(before)
    print(f"close_races: 2 x {rounds} rounds, {accepted} accepted, {received} received")


if __name__ == "__main__":
    main()
