"""Interrupts at random moments: each task ends by its result or by Interrupted, none is hit twice or by another's.

The tasks compute, wait in channels, sleep, hold locks, catch the exception, and fail. Prints the median and the 99th
percentile of the time from the interrupt to the error, of tasks that compute.
"""

import time
from concurrent.futures import CancelledError

from common import feed_watchdog, rng, size

import xichan

KINDS = ("compute", "receive", "select", "send", "sleep", "lock", "catch", "fail", "short")


def work(kind, n, events, rx, full):
    import threading
    import time

    import xichan

    def loop(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass

    events.send((n, "began"))
    try:
        if kind == "compute":
            loop(0.02)
        elif kind == "receive":
            rx.recv(0.02)
        elif kind == "select":
            xichan.select([rx, (full, 1)], 0.02)
        elif kind == "send":
            full.send("text that needs a block" * 9, 0.02)
        elif kind == "sleep":
            for _ in range(20):
                time.sleep(0.001)
        elif kind == "lock":
            lock = threading.Lock()
            end = time.monotonic() + 0.02
            while time.monotonic() < end:
                with lock:
                    pass
        elif kind == "fail":
            loop(0.005)
            raise ValueError(n)
    except xichan.ChannelTimeout:
        pass
    except xichan.Interrupted:
        events.send((n, "hit"))
        if kind != "catch":
            raise
    if kind == "catch":
        try:
            loop(0.02)
        except xichan.Interrupted:
            events.send((n, "hit"))
    return n


def main():
    total = size()
    events_tx, events = xichan.channel(None)
    _keep, idle = xichan.channel()
    full, _filled = xichan.channel(1)
    full.send(0)
    outcomes = {"result": 0, "interrupted": 0, "cancelled": 0, "failed": 0}
    delays = []
    done = 0
    with xichan.InterpreterPoolExecutor(2) as pool:
        while done < total:
            feed_watchdog()
            kinds = [rng.choice(KINDS) for _ in range(4)]
            futures = [pool.submit(work, kind, i, events_tx, idle, full) for i, kind in enumerate(kinds)]
            chosen = {rng.randrange(4) for _ in range(3)}
            for i in chosen:
                time.sleep(rng.choice((0, 0, 0.001, 0.005, 0.015)) * rng.random())
                for _ in range(rng.choice((1, 1, 2))):
                    futures[i].interrupt()
                if kinds[i] == "compute" and futures[i].running_for:
                    begun = time.monotonic()
                    if isinstance(futures[i].exception(30), xichan.Interrupted):
                        delays.append(time.monotonic() - begun)
                done += 1
            for i, future in enumerate(futures):
                try:
                    assert future.result(30) == i
                    outcomes["result"] += 1
                except xichan.TaskInterrupted:
                    assert i in chosen, "a task was interrupted that should not be"
                    outcomes["interrupted"] += 1
                except CancelledError:
                    assert i in chosen
                    outcomes["cancelled"] += 1
                except ValueError as error:
                    assert kinds[i] == "fail" and str(error) == str(i), error
                    outcomes["failed"] += 1
            seen = events.drain()
            assert len(seen) == len(set(seen)), f"a task was interrupted twice: {seen}"
            assert all(event == "began" or i in chosen for i, event in seen), seen
        scheduler = pool._scheduler
        assert scheduler.board.running() == {} and not scheduler.in_flight
    delays.sort()
    middle, most = (delays[len(delays) // 2], delays[len(delays) * 99 // 100]) if delays else (0, 0)
    print(f"interrupts: {done}, {outcomes}; error after {middle * 1e3:.1f} ms, p99 {most * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
