"""Reasons to doubt the figures of a run: load, too few CPUs, rounds that differ."""

import statistics

from xichan.bench import results, scenarios

LOAD = 0.25  # of other programs, for each CPU
SPREAD = 0.5  # the median of all spreads


def doubts(run):
    """Yield a sentence for each condition under which the figures mean little."""
    about = run["environment"]
    cpus, load = about["cpus"], about["load_before"]
    if cpus < 2:
        yield "1 CPU: senders and receivers took turns instead of running in parallel. Run it on 2 CPUs or more."
    if load > LOAD * cpus:
        yield (
            f"The load was {load:.1f} on {cpus} CPUs before the run: other programs competed for them. Run it again "
            f"with a load below {LOAD * cpus:g}."
        )
    spreads = [
        results.summary(rounds).spread
        for record in run["scenarios"].values()
        for name, rounds in record["results"].items()
        if results.is_ours(run, name) and len(rounds) > 1
    ]
    if spreads and statistics.median(spreads) > SPREAD:
        yield (
            f"The rounds differ: half of the spreads of xichan are above {statistics.median(spreads):.0%}. The machine "
            "was busy, or changed its speed."
        )


def is_crowded(run, scenario):
    """Return whether the workers of a scenario, by its name, outnumber the CPUs."""
    known = scenarios.ALL.get(scenario)
    if known is None or known.workload not in ("traffic", "mixed"):
        return False
    workers = known.senders + (known.receivers if known.workload == "traffic" else 0)
    return workers > run["environment"]["cpus"]
