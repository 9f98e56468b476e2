"""The targets, and whether a run reaches them."""

from typing import NamedTuple

from xichan.bench import lower_bound, results

STDLIB = "interpreters-queue"
STATE_CALLS = (  # scenario, title, nanoseconds at most
    ("state/atomic_add", "AtomicInt.add(1), without the loop", 60),
    ("state/cell_get", "Cell.get() of an int, without the loop", 100),
    ("state/map_get_int", "Map.get() of an int, int key, without the loop", 150),
    ("state/map_get_str", "Map.get() of an int, str key, without the loop", 150),
)


class Row(NamedTuple):
    title: str
    shown: str  # the value reached
    required: str
    verdict: str  # "reached", "NOT reached", or why it is unknown


class Target(NamedTuple):
    """A ratio of best values: `contender` against `baseline` in `scenario`, at least (or `at_most`) `required`."""

    title: str
    scenario: str
    required: float
    contender: str = "xichan"
    baseline: str = STDLIB
    base_scenario: str | None = None  # the scenario of the baseline, if it differs
    at_most: bool = False  # the ratio is contender to baseline, and `required` is its upper bound


def targets(version):
    """Yield the targets for a Python version, such as (3, 14)."""
    small, medium = (18, 12) if version < (3, 15) else (12, 8)
    for payload in ("none", "bool", "int", "float", "str12"):
        yield Target(f"one way: {payload}", f"one-way/{payload}", small)
    for payload in ("none", "bool", "int", "float", "str12"):
        required = 1 if payload == "str12" else 1.2
        yield Target(
            f"one way: {payload}, vs. SimpleQueue (threads)", f"one-way/{payload}", required, baseline="simple-queue"
        )
    for payload in ("str16", "bytes64"):
        yield Target(f"one way: {payload}", f"one-way/{payload}", medium)
    yield Target("one way: the record", "one-way/record", 11)
    for name, copied, viewed in (
        ("64k", 1.4, 10), ("64k-fresh", 2, 3.5), ("1m", 1, 40), ("1m-fresh", 2, 3), ("16m", 1.2, 1000),
        ("16m-fresh", 1.3, 2.5),
    ):  # fmt: skip
        yield Target(f"large: {name}", f"large/{name}", copied)
        yield Target(f"large: {name}, copy=False", f"large/{name}", viewed, "xichan-views")
    yield Target("large: 1 MiB Shared, copy=False", "large/1m-shared", 200, "xichan-views")
    for payload in ("list1000", "dict20", "dicts100", "dataclass"):
        yield Target(f"values: {payload}", f"values/{payload}", 10)
        yield Target(f"values: {payload}, vs. pickle by hand", f"values/{payload}", 2, baseline="xichan-pickle")
    yield Target("1,000,000-element tuple, copy=False, vs. recv()", "read/tuple", 50, "xichan-views", "xichan")
    yield Target(
        "round trip, parked, vs. multiprocessing.SimpleQueue", "round-trip/parked", 1, baseline="mp-simple-queue"
    )
    yield Target(
        "batches of 1000 ints, vs. single calls", "batch/ints", 3, baseline="xichan", base_scenario="one-way/int"
    )
    for n in (2, 4):
        yield Target(
            f"{n} x {n} interpreters, vs. 1 x 1", f"n-by-n/{n}", 2, "xichan", "xichan", "n-by-n/1", at_most=True
        )
    yield Target("pool: map of tiny tasks", "pool/map", 25, "xichan-pool", "interpreter-pool")
    yield Target("pool: submit and result", "pool/submit", 8, "xichan-pool", "interpreter-pool")
    yield Target(
        "pool: a new worker, vs. interpreters.create() alone",
        "pool/new-worker", 2, "xichan-pool", "interpreters-create", at_most=True,
    )  # fmt: skip
    yield Target(
        "Map, 4 interpreters, 95 % reads, vs. a dict behind a lock", "mixed-95/4", 3, "xichan-state", "dict-lock"
    )


def rows(run):
    """Return a row for each target of a run."""
    version = tuple(map(int, run["environment"]["python"].split(".")[:2]))
    found = [_row(run, target) for target in targets(version)]
    found.append(_trip(run, "round-trip/busy", "round trip, busy, vs. the bare ring's", "ring trip", 2))
    found.append(_trip(run, "round-trip/parked", "round trip, parked, vs. a bare futex trip", "rested trip", 1.3))
    found.append(_calls(run))
    found += [_state_call(run, *call) for call in STATE_CALLS]
    found.append(_idle(run))
    found.append(_pool_time(run, "pool/first-task", "pool: the first task, with standby=1", 1, min))
    found.append(_pool_time(run, "interrupt/idle-p99", "interrupt of a Python loop, p99, the slowest round", 20, max))
    found.append(Row("C++: channel vs. bare ring", "", "mpmc 1.5x, spsc 2.5x", "see ./dev bench layers"))
    return found


def _row(run, target):
    mine = results.best(run, target.scenario, target.contender)
    base = results.best(run, target.base_scenario or target.scenario, target.baseline)
    required = f"{'at most' if target.at_most else 'at least'} {target.required:g}x"
    if not mine or base is None:
        return Row(target.title, "", required, "not measured")
    ratio = mine / base if target.at_most else base / mine
    reached = ratio <= target.required if target.at_most else ratio >= target.required
    return Row(target.title, results.times(ratio), required, _verdict(reached))


def _trip(run, scenario, title, part, most):
    required = f"at most {most:g}x"
    mine = results.best(run, scenario, "xichan")
    bare = lower_bound.bests(run["lower_bound"]).get(part)
    if not mine or not bare:
        return Row(title, "", required, "not measured")
    return Row(title, results.times(mine / bare), required, _verdict(mine / bare <= most))


def _calls(run):
    title, required = "send + recv of an int in one thread, vs. two no-op calls", "at most 2.5x"
    mine = results.best(run, "single-thread/int", "xichan")
    call = lower_bound.bests(run["lower_bound"]).get("call")
    if not mine or not call:
        return Row(title, "", required, "not measured")
    ratio = (mine - lower_bound.loop(run["lower_bound"])) / (2 * call)  # both without the loop
    return Row(title, results.times(ratio), required, _verdict(ratio <= 2.5))


def _state_call(run, scenario, title, most):
    required = f"at most {most} ns"
    mine = results.best(run, scenario, "xichan-state")
    if not mine:
        return Row(title, "", required, "not measured")
    nanoseconds = (mine - lower_bound.loop(run["lower_bound"])) * 1e9
    return Row(title, f"{nanoseconds:.0f} ns", required, _verdict(nanoseconds <= most))


def _idle(run):
    title, required = "1000 blocked receivers: CPU time", "0 %"
    share = results.best(run, "idle/1000", "xichan")
    if share is None:
        return Row(title, "", required, "not measured")
    return Row(title, f"{share * 100:.2f} %", required, _verdict(share < 0.005))


def _pool_time(run, scenario, title, most, choose):
    required = f"at most {most} ms"
    record = run["scenarios"].get(scenario, {})
    values = record.get("results", {}).get("xichan-pool")
    if not values:
        return Row(title, "", required, "not measured")
    milliseconds = choose(values) * 1e3
    return Row(title, f"{milliseconds:.2f} ms", required, _verdict(milliseconds <= most))


def _verdict(reached):
    return "reached" if reached else "NOT reached"
