"""The headline of a run: xichan beside what a program would use instead, for the jobs that most programs have."""

from typing import NamedTuple

from xichan.bench import report_bars, results

QUEUES = ("xichan", "interpreters-queue", "mp-simple-queue", "simple-queue")
POOLS = ("xichan-pool", "interpreter-pool", "process-pool")
STDLIB = {"interpreters-queue", "interpreter-pool"}  # what the sentences compare with

JOBS = (  # scenario, its title here, the contenders
    ("one-way/int", "an int, one way", QUEUES),
    ("one-way/record", "a record of 6 fields, one way", QUEUES),
    ("values/dict20", "a dict of 20 keys, one way", QUEUES),
    ("large/1m", "1 MiB of bytes, one way", QUEUES),
    ("round-trip/busy", "an int, there and back", QUEUES),
    ("pool/map", "map of tiny tasks in a pool", POOLS),
    ("pool/submit", "submit one tiny task, wait for its result", POOLS),
)
AXIS = ("operations per second", "longer is better")


class Statement(NamedTuple):
    title: str
    best: str
    ratio: str
    other: str


def jobs(run):
    """Yield (record, title, contenders with results) for each job that xichan and another contender ran."""
    for scenario, title, contenders in JOBS:
        record = run["scenarios"].get(scenario)
        names = [name for name in contenders if record and name in record["results"]]
        if len(names) > 1 and results.is_ours(run, names[0]):
            yield record, title, names


def chart(run):
    """Return the chart of all jobs on one axis, as operations per second; None if the run has none of them."""
    found = [
        (record, title, {name: report_bars.amounts(record["results"][name], "rate") for name in names})
        for record, title, names in jobs(run)
    ]
    values = [value for _, _, pairs in found for pair in pairs.values() for value in pair]
    if not values:
        return None
    axis = report_bars.Axis(values, *AXIS)
    groups = [
        (title, [report_bars.bar(run, record, name, pair, axis, "rate") for name, pair in pairs.items()])
        for record, title, pairs in found
    ]
    return report_bars.Chart(axis, groups)


def statements(run):
    """Yield a Statement for each job: the best of xichan, and its ratio to the standard library's counterpart."""
    for record, title, names in jobs(run):
        other = next((name for name in names if name in STDLIB), None)
        if other is not None:
            mine, base = min(record["results"][names[0]]), min(record["results"][other])
            best, ratio = results.amount(mine, record["unit"]), results.times(base / mine)
            yield Statement(title, best, ratio, run["contenders"][other]["title"])
