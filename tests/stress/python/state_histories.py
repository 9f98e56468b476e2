"""Histories of shared objects, which four interpreters use at the same time, are linearizable.

The argument is the number of operations. `--seconds S` runs for that time instead, `--seed N` begins with this seed,
and `--only TEXT` takes the kinds of history whose name contains it. Interpreters end in the middle of a history, with
what they hold, and others go on in their place. Entries expire, are evicted, and are so many that tables are replaced.
support/histories has what the interpreters do, and the models; support/linearizability.py the checker.
"""

import gc
import os
import random
import sys
import time
import traceback

from common import HERE, assert_released, feed_watchdog, size
from support import Call, alive, interpreter
from support.histories import ACTORS, KINDS

import xichan

RUN = f"import sys; sys.path[:0] = [{HERE!r}]; from common import TESTS; from support.histories import record"
STEPS = 2000  # of an interpreter in one history


class Place:
    """One of the interpreters, or those that follow each other in its place."""

    def __init__(self, me):
        self.me = me
        self.tx, self.rx = xichan.channel(None)
        self.enter()

    def enter(self):
        feed_watchdog()
        self.context = interpreter(results=self.tx)
        self.interp = self.context.__enter__()
        self.interp.exec(RUN)

    def leave(self):
        self.context.__exit__(None, None, None)

    def part(self, kind, objects, begin, seed, steps, leaves):
        self.interp.prepare_main(objects=objects, begin=begin)
        self.interp.exec(
            "begin.wait(20) if begin is not None else None\n"
            f"results.send(record({kind!r}, objects, {self.me}, {seed}, {steps}, {leaves}))\n"
            "del objects, begin"
        )
        return self.rx.recv_nowait()

    def run(self, kind, objects, begin, rng):
        """Return the history of this place."""
        if not KINDS[kind].may_leave or rng.random() < 0.8:
            history, _ = self.part(kind, objects, begin, rng.getrandbits(30), STEPS, False)
            return history
        steps = rng.randrange(STEPS)
        history, at_end = self.part(kind, objects, begin, rng.getrandbits(30), steps, True)
        start = time.monotonic_ns()
        self.leave()
        end = time.monotonic_ns()
        history += [(key, start, end, name, args, None) for key, name, args in at_end]
        self.enter()
        more, _ = self.part(kind, objects, None, rng.getrandbits(30), STEPS - steps, False)
        return history + more


def run_history(kind, seed, places):
    """Record and check one history. Return the number of its operations and of the interpreters that ended."""
    rng = random.Random(seed)
    objects, begin = KINDS[kind].make(), xichan.Barrier(ACTORS)
    calls = [Call(place.run, kind, objects, begin, random.Random(rng.getrandbits(30))) for place in places]
    histories = [call.result(50) for call in calls]
    feed_watchdog()
    KINDS[kind].check(histories)
    return sum(map(len, histories))


def option(name):
    """Remove an option and its value from the command line; return the value or None."""
    if name not in sys.argv:
        return None
    at = sys.argv.index(name)
    value = sys.argv[at + 1]
    del sys.argv[at : at + 2]
    return value


def main():
    seconds, seed, only = option("--seconds"), option("--seed"), option("--only") or ""
    number = size()
    end = None if seconds is None else time.monotonic() + float(seconds)
    first = random.SystemRandom().getrandbits(40) if seed is None else int(seed)
    print(f"state_histories: first seed {first}", flush=True)
    before = alive()
    places = [Place(me) for me in range(ACTORS)]
    kinds = [kind for kind in KINDS if only in kind]
    done, spent, histories = dict.fromkeys(kinds, 0), dict.fromkeys(kinds, 0.0), 0
    while time.monotonic() < end if end is not None else sum(done.values()) < number or histories < len(kinds):
        kind = kinds[histories % len(kinds)]
        feed_watchdog()
        start = time.monotonic()
        try:
            done[kind] += run_history(kind, first + histories, places)
        except BaseException:
            traceback.print_exc()
            seed = first + histories
            print(f"failed: state_histories.py --only '{kind}' --seed {seed}", file=sys.stderr, flush=True)
            os._exit(1)  # the other interpreters may run or wait
        spent[kind] += time.monotonic() - start
        histories += 1
        if histories % len(kinds) == 0:
            print(f"    {sum(done.values())} operations in {histories} histories", flush=True)
    for place in places:
        place.leave()
    del place, places
    gc.collect()
    assert_released(before)
    for kind, count in done.items():
        print(f"    {kind}: {count} operations in {spent[kind]:.1f} s")
    print(f"state_histories: {sum(done.values())} operations in {histories} histories are linearizable")


if __name__ == "__main__":
    main()
