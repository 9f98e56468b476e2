"""The lower bound of each scenario: the time of the parts that every channel needs, measured in the same run.

    call          a C method that does nothing, called in the same way as send() and recv()
    create:...    creating the received object, including the copy of its bytes
    copy:N        copying N bytes into the buffer they are sent from
    ring          passing a cell between two C++ threads through the bare ring
    ring trip     a round trip through two rings, spinning
    rested trip   a round trip between two threads that wake each other by futex, each after a rest; the median

A sender needs at least a call and a copy, a receiver a call and a new object; both work concurrently. The lower bound
one way is therefore the maximum of the two and the ring; the lower bound of a round trip is the sum. The parts exclude
the loop that timed them. Each lower bound includes one iteration of the loop, as the measured values do.
"""

import time
import timeit

from xichan.bench import values

LOOP = "loop"  # one iteration of an empty loop: subtracted from what is timed in a loop
SMALLEST_COPY = 1024  # a smaller copy is within the error of create

# For each payload the cheapest expression that creates a similar object from an existing one. None and bool are
# singletons.
CREATE = {
    "int": "x + 1",
    "float": "x + 1.0",
    "str12": "x[1:]",
    "str16": "x[1:]",
    "bytes64": "x[1:]",
    "record": "(x[0] + 1, x[1][1:], x[2] + 1.0, True, x[4][1:], (x[5][0][1:], (1, x[5][1][1] + 1.0, None)))",
    "ints1000": "tuple(map(increase, x))",
}


def parts(chosen):
    """Return the parts to measure for some scenarios: {name: function(seconds) that returns seconds per repetition}."""
    from xichan.bench import _lower_bound

    found = {
        LOOP: _timed("pass"),
        "call": _timed("f(x)", f=_lower_bound.noop, x=1),
        "ring": _counted(_lower_bound.ring),
        "ring trip": _counted(_lower_bound.ring_round_trip),
    }
    for gap in {one.options["gap"] for one in chosen if one.options.get("gap")}:
        found["rested trip"] = _rested(_lower_bound.rested_trip, gap)
    for payload in dict.fromkeys(one.payload for one in chosen):
        size = values.size(payload)
        create = CREATE.get(payload) or ("x[1:]" if payload.startswith("bytes:") else None)
        if create and size <= 16 << 20:
            found[f"create:{payload}"] = _timed(create, x=values.make(payload), increase=(1).__add__)
        if create and size >= SMALLEST_COPY:
            found[f"copy:{size}"] = _timed("to[:] = x", x=memoryview(bytes(size)), to=memoryview(bytearray(size)))
    return found


def _timed(statement, **names):
    """Return a function that times a statement, loop included."""

    def measure(seconds):
        timer = timeit.Timer(statement, globals=names)
        n = 1
        while (elapsed := timer.timeit(n)) < seconds / 4:
            n = max(n + 1, int(n * min(8, seconds / 2 / max(elapsed, 1e-9))))
        return elapsed / n

    return measure


def _counted(function):
    """Return a function that times a function of a repetition count."""

    def measure(seconds):
        n = 100
        while True:
            start = time.perf_counter()
            each = function(n)
            elapsed = time.perf_counter() - start
            if elapsed > seconds / 4:
                return each
            n = int(n * min(16, max(2, seconds / 2 / elapsed)))

    return measure


def _rested(function, gap):
    """Return a function that times a function of a repetition count and of the seconds of rest before each."""
    return lambda seconds: function(max(3, int(seconds / gap)), gap)


def loop(measured):
    """Return the seconds per loop iteration, which every measured value includes."""
    return min(measured.get(LOOP, [0.0]))


def bests(measured):
    """Return the best of each part in seconds, without the loop that timed it."""
    in_loop = {name for name in measured if name == "call" or name.startswith(("create:", "copy:"))}
    return {
        name: max(min(rounds) - (loop(measured) if name in in_loop else 0.0), 0.0)
        for name, rounds in measured.items()
        if name != LOOP
    }


def of_scenario(scenario, measured):
    """Return the lower bound of a scenario in seconds per message, from the best rounds; None if none is defined."""
    best = bests(measured)
    without = ("pool", "read", "select", "mixed")
    if "call" not in best or scenario.unit not in ("rate", "time") or scenario.workload in without:
        return None
    call, iteration = best["call"], loop(measured)
    shared = scenario.options.get("shared")
    create = 0.0 if shared else best.get(f"create:{scenario.payload}", 0.0)
    copy = 0.0 if shared else best.get(f"copy:{values.size(scenario.payload)}", 0.0)
    if scenario.options.get("fresh"):
        copy += create
    if scenario.workload == "traffic":
        calls = (call + iteration) / scenario.options.get("batch", 1)
        sending, receiving = calls + copy, calls + create
        return max(sending / scenario.senders, receiving / scenario.receivers, best["ring"])
    if scenario.workload == "single_thread":
        return iteration + 2 * call + create + copy
    if scenario.workload == "state_call":
        return iteration + call + create
    if scenario.workload == "round_trip":
        crossing = best["rested trip"] if scenario.options["gap"] else best["ring trip"]
        return iteration + crossing + 4 * call + 2 * create
    return None
