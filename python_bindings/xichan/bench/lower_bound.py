"""What no channel can do without, measured in the same run: the floor under each scenario.

    call          a method of C that does nothing, called as send() and recv() are
    create:...    making the object that a receiver gets, its bytes copied with it
    copy:N        copying N bytes to where they are sent from
    ring          a cell from thread to thread through the ring alone, in C++
    ring trip     there and back through two rings, spinning
    wake trip     two threads that wake each other by futex, there and back

A sender cannot do with less than a call and a copy, a receiver not with less than a call and the making; the two work
at the same time. So one way the floor is the larger of both, or the ring; for a round trip they add up. The parts are
without the loop that they were timed in; each floor has one turn of the loop in it, as has what is measured.
"""

import time
import timeit

from xichan.bench import values

LOOP = "loop"  # a turn of an empty one: what is timed in a loop is less by so much
SMALLEST_COPY = 1024  # a copy of less is within the making's error

# For each payload how one like it is made from another that is there: the least that makes a new object. (Of None and
# bool there is but one of each.)
MAKING = {
    "int": "x + 1",
    "float": "x + 1.0",
    "str12": "x[1:]",
    "str16": "x[1:]",
    "bytes64": "x[1:]",
    "record": "(x[0] + 1, x[1][1:], x[2] + 1.0, True, x[4][1:], (x[5][0][1:], (1, x[5][1][1] + 1.0, None)))",
    "ints1000": "tuple(map(increase, x))",
    "str64k": "x[1:]",
    "bytes1m": "x[1:]",
}


def parts(payloads):
    """The parts to measure for some payloads: {name: function(seconds) -> seconds for each}."""
    from xichan.bench import _lower_bound

    found = {
        LOOP: _timed("pass"),
        "call": _timed("f(x)", f=_lower_bound.noop, x=1),
        "ring": _counted(_lower_bound.ring),
        "ring trip": _counted(_lower_bound.ring_round_trip),
        "wake trip": _counted(_lower_bound.wake_up),
    }
    for payload in payloads:
        value, size = values.make(payload), values.size(payload)
        making = MAKING.get(payload) or ("x[1:]" if payload.startswith("bytes:") else None)
        if making and size <= 16 << 20:
            found[f"create:{payload}"] = _timed(making, x=value, increase=(1).__add__)
        if size >= SMALLEST_COPY:
            found[f"copy:{size}"] = _timed("to[:] = x", x=memoryview(bytes(size)), to=memoryview(bytearray(size)))
    return found


def _timed(statement, **names):
    """Times a statement, with the loop around it."""

    def measure(seconds):
        timer = timeit.Timer(statement, globals=names)
        n = 1
        while (elapsed := timer.timeit(n)) < seconds / 4:
            n = max(n + 1, int(n * min(8, seconds / 2 / max(elapsed, 1e-9))))
        return elapsed / n

    return measure


def _counted(function):
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


def loop(floor):
    """Seconds that a turn of the loop takes, which everything that is measured has in it."""
    return min(lower_bound.get(LOOP, [0.0]))


def bests(floor):
    """The best of each part, in seconds, without the loop that was timed with it."""
    in_loop = {name for name in floor if name == "call" or name.startswith(("create:", "copy:"))}
    return {
        name: max(min(rounds) - (loop(floor) if name in in_loop else 0.0), 0.0)
        for name, rounds in floor.items()
        if name != LOOP
    }


def below(scenario, floor):
    """The floor of a scenario in seconds for each message, from the best rounds; None if there is none to speak of."""
    best = bests(floor)
    if "call" not in best or scenario.unit not in ("rate", "time") or scenario.kind in ("pool", "read", "select"):
        return None
    call, turn = best["call"], loop(floor)
    shared = scenario.options.get("shared")
    create = 0.0 if shared else best.get(f"create:{scenario.payload}", 0.0)
    copy = 0.0 if shared else best.get(f"copy:{values.size(scenario.payload)}", 0.0)
    if scenario.kind == "traffic":
        calls = (call + turn) / scenario.options.get("batch", 1)
        sending, receiving = calls + copy, calls + create
        return max(sending / scenario.senders, receiving / scenario.receivers, best["ring"])
    if scenario.kind == "single_thread":
        return turn + 2 * call + create + copy
    if scenario.kind == "round_trip":
        crossing = best["wake trip"] if scenario.options["gap"] else best["ring trip"]
        return turn + crossing + 4 * call + 2 * create
    return None
