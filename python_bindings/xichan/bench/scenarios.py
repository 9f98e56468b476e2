"""The scenarios: a workload and its parameters, run by each contender. Each scenario is one table of a report."""

import dataclasses
import fnmatch

from xichan.bench import state_roles

ONE_WAY = {
    "none": "None",
    "bool": "bool",
    "int": "int",
    "float": "float",
    "str12": "str of 12 characters",
    "str16": "str of 16 characters",
    "bytes64": "64 bytes",
    "record": "a record of 6 fields, nested",
    "ints1000": "tuple of 1000 ints",
}
SIZES = {f"{n}{unit}": n << shift for unit, shift in (("b", 0), ("k", 10), ("m", 20)) for n in (1, 4, 16, 64, 256)}
SIZES = {name: n for name, n in SIZES.items() if 16 <= n <= 16 << 20}
LARGE_SIZES = {"64k": "64 KiB", "1m": "1 MiB", "16m": "16 MiB"}
LARGE = 32 << 10  # from this size on channels are bounded in bytes and scenarios include views
CONTAINERS = {
    "list1000": "list of 1000 ints",
    "dict20": "dict of 20 str keys",
    "dicts100": "list of 100 dicts of 20 keys",
    "json10": "ten JSON documents",
    "dataclass": "dataclass of 6 fields",
    "dbrow": "row with datetime and Decimal",
    "fetchall": "30,000 rows of a database",
}
LOOKUPS = {  # payload: (title, expression)
    "dict100k": ("one key of a dict of 100,000", "value['key 77777']"),
    "record1m": ("one field of a record of 1 MB", "value.title"),
    "list100k": ("one row of a list of 100,000", "value[77777]"),
}
STATE = ("xichan-state", "dict-lock")
GROUPS_BY_WORKLOAD = {
    "pool": "pool",
    "start": "pool",
    "interrupt": "pool",
    "state_call": "state",
    "mixed": "state",
}  # of contenders; the others have channels
NAMED_ONLY = ("growth", "mixed")  # groups that begin so run only when they are named
QUEUES = ("xichan", "xichan-unbounded", "interpreters-queue", "interpchannels", "simple-queue")
GROWING = ("xichan", "xichan-views", "interpreters-queue", "simple-queue", "mp-simple-queue", "mp-pipe")


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str  # group/what
    title: str
    workload: str  # the module in workloads/
    unit: str = "rate"  # "rate" and "time": seconds, shown as messages/s or microseconds; "bytes"; "cpu"
    payload: str = "int"
    senders: int = 1
    receivers: int = 1
    options: dict = dataclasses.field(default_factory=dict)  # of the workload
    variants: tuple = ()  # contender variants that take part: "flavor", "views", "bare"
    only: tuple = ()  # names of contenders; empty: all that support it
    baseline: str = "interpreters-queue"  # the contender that ratios refer to
    rounds: int | None = None  # at most, where more rounds add nothing
    quick: bool = False
    fresh: bool = False  # each round runs in a new process

    @property
    def group(self):
        return self.name.partition("/")[0]

    def takes(self, contender):
        """Return whether a contender takes part. Whether it supports the scenario shows only when it runs."""
        if self.only and contender.name not in self.only and not contender.name.endswith(".py"):
            return False
        group = contender.group if contender.group in GROUPS_BY_WORKLOAD.values() else None
        return group == GROUPS_BY_WORKLOAD.get(self.workload) and (
            contender.variant is None or contender.variant in self.variants
        )


def _one_way():
    quick = ("int", "str16", "record")
    for payload, title in ONE_WAY.items():
        variants = ("flavor",) if payload in ("int", "bytes64") else ()
        if payload == "ints1000":
            variants += ("views",)
        yield Scenario(
            f"one-way/{payload}",
            f"one way: {title}",
            "traffic",
            payload=payload,
            variants=variants,
            quick=payload in quick,
        )


def _large():
    for size, title in LARGE_SIZES.items():
        for name, what, options in (
            (size, "the same object", {}),
            (f"{size}-fresh", "a fresh object per message", {"fresh": True}),
            (f"{size}-shared", "one Shared", {"shared": True}),
        ):
            yield Scenario(
                f"large/{name}",
                f"one way: {title} of bytes, {what}",
                "traffic",
                payload=f"bytes:{SIZES[size]}",
                variants=("views",),
                options=options,
                quick=name == "1m",
            )


def _values():
    for payload, title in CONTAINERS.items():
        yield Scenario(
            f"values/{payload}",
            f"values: {title}, one way",
            "traffic",
            payload=payload,
            variants=("pickle",),
            only=("xichan", "xichan-pickle", "interpreters-queue", "mp-queue", "mp-pipe"),
            quick=payload == "dict20",
        )
    yield Scenario(
        "values/numpy8m",
        "values: numpy array of 8 MB, one way",
        "traffic",
        payload="numpy8m",
        variants=("pickle", "threads"),
        only=("xichan-threads", "xichan-pickle-threads", "mp-queue", "mp-pipe"),
        baseline="mp-pipe",
    )
    for payload, (title, expression) in LOOKUPS.items():
        yield Scenario(
            f"lookup/{payload}",
            f"{title}, of a received value",
            "lookup",
            unit="time",
            payload=payload,
            variants=("views",),
            only=("xichan", "xichan-views"),
            baseline="xichan",
            options={"expression": expression},
        )


def _latency():
    for name, title, gap in (("busy", "busy", 0), ("parked", "parked (5 ms idle before each)", 0.005)):
        yield Scenario(
            f"round-trip/{name}",
            f"round trip of an int: {title}",
            "round_trip",
            unit="time",
            options={"gap": gap},
            variants=("flavor",),
            quick=True,
        )


def _crowds():
    yield Scenario(
        "batch/ints",
        "one way: int, in batches of 1000",
        "traffic",
        options={"batch": 1000},
        variants=("flavor",),
        quick=True,
    )
    for name, shape in (("fan-in", "{} senders, 1 receiver"), ("fan-out", "1 sender, {} receivers")):
        for n in (1, 2, 4, 8):
            counts = (n, 1) if name == "fan-in" else (1, n)
            title = f"{name}: int, {shape.format(n)}".replace("1 senders", "1 sender").replace(
                "1 receivers", "1 receiver"
            )
            yield Scenario(
                f"{name}/{n}", title, "traffic", senders=counts[0], receivers=counts[1], variants=("flavor",)
            )
    for n in (1, 2, 4):
        yield Scenario(
            f"n-by-n/{n}",
            f"int, {n} x {n} interpreters",
            "traffic",
            senders=n,
            receivers=n,
            variants=("flavor",),
            quick=n == 2,
        )
    yield Scenario(
        "select/8", "int, the receiver selects over 8 channels", "select", options={"channels": 8}, baseline="mp-pipe"
    )


def _pools():
    for what, title in (("map", "map of tiny tasks"), ("submit", "submit a tiny task and wait for its result")):
        yield Scenario(
            f"pool/{what}",
            f"pool of 2: {title}",
            "pool",
            unit="rate" if what == "map" else "time",
            options={"what": what},
            baseline="interpreter-pool",
            quick=True,
        )
    for name, title, warm in (
        ("new-worker", "the first task of a new pool, for which a worker starts", False),
        ("first-task", "the first task of a pool that has prepared for it (standby=1)", True),
    ):
        yield Scenario(
            f"pool/{name}",
            f"pool of 1: {title}",
            "start",
            unit="time",
            options={"warm": warm},
            variants=("bare",),
            baseline="interpreter-pool",
        )
    for percentile in (50, 99):
        for name, title, busy in (("idle", "", 0), ("busy", ", two other workers compute", 2)):
            yield Scenario(
                f"interrupt/{name}-p{percentile}",
                f"interrupt of a Python loop in a worker, {percentile} % within{title}",
                "interrupt",
                unit="time",
                options={"percentile": percentile, "busy": busy},
                only=("xichan-pool",),
                baseline="xichan-pool",
            )


def _rest():
    yield Scenario(
        "single-thread/int",
        "send + recv of an int in one thread",
        "single_thread",
        unit="time",
        variants=("flavor",),
        quick=True,
    )
    yield Scenario(
        "read/tuple",
        "recv of a tuple of 1,000,000 ints, reading 10 of them",
        "read",
        unit="time",
        payload="ints1000000",
        variants=("views",),
        only=("xichan", "xichan-views", "interpreters-queue"),
        baseline="xichan",
    )
    for payload, title in (("int", "int"), ("bytes64", "64 bytes"), ("record", "a record")):
        yield Scenario(
            f"memory/{payload}",
            f"memory per queued message: {title}",
            "memory",
            unit="bytes",
            payload=payload,
            variants=("flavor",),
            only=QUEUES,
            rounds=3,
            fresh=True,
        )
    yield Scenario(
        "idle/1000",
        "CPU time of 1000 blocked receivers",
        "idle",
        unit="cpu",
        options={"receivers": 1000},
        only=("xichan", "interpreters-queue", "simple-queue"),
        rounds=3,
    )


def _state():
    for name, title, statement, key in (
        ("atomic_add", "AtomicInt.add(1)", "add", int),
        ("cell_get", "Cell.get() of an int", "get", int),
        ("map_get_int", "Map.get() of an int, int key", "look", int),
        ("map_get_str", "Map.get() of an int, str key of 7 characters", "look", "key {:03}".format),
    ):
        yield Scenario(
            f"state/{name}",
            f"state, one worker: {title}",
            "state_call",
            unit="time",
            only=(*STATE, "manager-dict", "sqlite-memory") if name == "map_get_int" else STATE,
            baseline="dict-lock",
            options={"statement": statement, "key": key},
        )
    for reads in (95, 50):
        for n in (1, 2, 4, 8):
            yield Scenario(
                f"mixed-{reads}/{n}",
                f"a table of 1,000 ints, {reads} % reads: {n} worker{'s' * (n > 1)}",
                "mixed",
                senders=n,
                options={"reads": reads * state_roles.GROUP // 100},
                baseline="dict-lock",
            )


def _growth():
    for label, n in SIZES.items():
        yield Scenario(
            f"growth/{label}",
            f"growth: bytes of {label.upper()}, one way",
            "traffic",
            payload=f"bytes:{n}",
            variants=("views",) if n >= LARGE else (),
            only=GROWING,
        )
    for label, n in SIZES.items():
        yield Scenario(
            f"growth-memory/{label}",
            f"growth: memory per queued bytes of {label.upper()}",
            "memory",
            unit="bytes",
            payload=f"bytes:{n}",
            only=("xichan", "interpreters-queue", "simple-queue"),
            rounds=3,
            fresh=True,
        )
    for n in (1, 2, 4, 8):
        yield Scenario(
            f"growth-crowd/{n}",
            f"growth: memory per queued 64 bytes, filled by {n} interpreter{'s' * (n > 1)}",
            "memory",
            unit="bytes",
            payload="bytes64",
            senders=n,
            only=("xichan", "interpreters-queue", "simple-queue"),
            rounds=3,
            fresh=True,
        )


ALL = {
    scenario.name: scenario
    for part in (_one_way, _large, _values, _latency, _crowds, _pools, _rest, _state, _growth)
    for scenario in part()
}


def choose(patterns, quick=False):
    """Return the scenarios that match patterns of `group` or `group/what`; without patterns all but `NAMED_ONLY`.

    `quick` limits the default to the quick ones. Raises LookupError for a pattern without a match.
    """
    if not patterns:
        return [one for one in ALL.values() if not one.group.startswith(NAMED_ONLY) and (one.quick or not quick)]
    chosen = []
    for pattern in patterns:
        found = [one for one in ALL.values() if any(fnmatch.fnmatch(text, pattern) for text in (one.name, one.group))]
        if not found:
            raise LookupError(f"no scenario matches {pattern!r}; --list shows the scenarios")
        chosen += [one for one in found if one not in chosen]
    return chosen
