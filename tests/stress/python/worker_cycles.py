"""xichan.Workers start and stop, and fail at each stage, n times: memory, descriptors, threads, interpreters are back.

The stages: the import of a module, `preload`, the `__init__` of a class, before ready, after ready, in `finally`; all
workers together; the last of several restarts; stop, and an exception in the block, while workers start; an interrupt.
Prints the growth of the resident memory, which may be that of a few hundred objects per interpreter, and not more.
"""

import logging
import os
import threading
from concurrent import interpreters

from common import assert_released, feed_watchdog, rng, size
from support import alive, wait_until
from support import cycle_targets as targets

import xichan
from xichan.pool import attempts

PATIENCE = 50  # seconds, before the watchdog
ROUND = 12  # cycles in which each way comes once
MOST_GROWTH = 6 << 10  # bytes per cycle after the first rounds, which load modules and fill caches
SLACK = 16 << 20  # bytes: of the arenas of malloc, one for each of several threads; MALLOC_ARENA_MAX=1: nothing grows


def expect(error, target, *args, number=1, **options):
    """Start workers that have to fail."""
    try:
        with xichan.Workers(number, target, *args, **options) as workers:
            workers.ready(PATIENCE)
            workers.join(PATIENCE)
    except error as failure:
        found = failure
    else:
        raise AssertionError(f"{target} did not fail")
    if isinstance(found, ExceptionGroup):
        assert len(found.exceptions) == number, found


def stop(target=targets.serve, number=2, **options):
    """Start workers, and stop them."""
    with xichan.Workers(number, target, **options) as workers:
        workers.ready(PATIENCE)
        workers.stop()


def stop_while_starting():
    with xichan.Workers(2, targets.serve) as workers:
        workers.stop()


def leave_while_starting():
    try:
        with xichan.Workers(2, targets.serve):
            raise KeyError
    except KeyError:
        pass


def interrupt():
    with xichan.Workers(1, targets.spin) as workers:
        workers.ready(PATIENCE)
        workers.stop()
        workers.interrupt(0)


WAYS = (
    stop,
    lambda: stop(targets.serve_in_a_loop, standby=1),
    lambda: expect(ModuleNotFoundError, targets.fail_at_import),
    lambda: expect(xichan.BrokenWorker, targets.serve, preload=["no_such_module"]),
    lambda: expect(ValueError, targets.FailsToStart),
    lambda: expect(ValueError, targets.fail_before_ready),
    lambda: expect(ValueError, targets.fail_after_ready),
    lambda: expect(ValueError, targets.fail_in_finally),
    lambda: expect((ValueError, ExceptionGroup), targets.fail_before_ready, number=3, on_error="continue"),
    lambda: expect(ValueError, targets.fail_before_ready, restart=2, standby=rng.randrange(2)),
    lambda: rng.choice((stop_while_starting, leave_while_starting))(),
    interrupt,
)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def resident():
    """Return the bytes of memory that the process has resident."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main():
    number = size()
    assert len(WAYS) == ROUND
    logging.disable(logging.WARNING)  # of restarts
    attempts.FIRST_PAUSE = 0.001
    begun = max(ROUND, min(number // 4, 10 * ROUND))
    before = memory = None
    for cycle in range(number):
        feed_watchdog()
        if cycle == begun:
            wait_until(lambda: threading.active_count() == 1)
            before, memory = (alive(), descriptors()), resident()
        WAYS[cycle % ROUND]()
        wait_until(lambda: threading.active_count() == 1)
        assert len(interpreters.list_all()) == 1
    assert_released(before[0])
    assert descriptors() == before[1], (descriptors(), before[1])
    growth = resident() - memory
    assert growth < SLACK + MOST_GROWTH * (number - begun), growth
    print(f"worker_cycles: {number}, resident memory grew by {growth / 1024 / (number - begun):.1f} KiB per cycle")


if __name__ == "__main__":
    main()
