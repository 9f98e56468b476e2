"""Searches the waiting protocol as it must be, and with each of its rules taken away.

Run by pytest, or alone: `python3 test_wait_protocol.py` prints how much was searched and how each mutant dies;
with the name of a mutant it prints a shortest way to the failure.
"""

import dis
import inspect
import sys
import time

from wait_configs import CONFIGS
from wait_memory import Memory
from wait_mutants import MUTANTS, NoRuleAAfterSecondPoll, NoRuleAWhenWoken, NoRuleBOnClosed
from wait_protocol import Protocol
from wait_search import search
from wait_variants import VARIANTS, SpinningAndBlind, SpinningMemory


def run(name, kind=Protocol, memory=None):
    """Searches a configuration with a mutant or variant of Protocol or Memory."""
    if issubclass(kind, Memory):
        return search(CONFIGS[name], memory=kind)
    return search(CONFIGS[name], kind, memory or getattr(kind, "memory", Memory))


def require_holds(name, kind=Protocol, memory=None):
    result = run(name, kind, memory)
    assert not result.violation, "\n".join([f"{kind.__name__} in {name}: {result.violation}", *result.trace])
    return result


def test_protocol_holds():
    for name in CONFIGS:
        require_holds(name)


def test_every_mutant_dies():
    for kind in MUTANTS.values():
        for name in kind.killed_by:
            assert run(name, kind).violation, f"{kind.__name__} survives in {name}"


def test_variants_hold():
    for kind in VARIANTS.values():
        for name in kind.holds_in:
            require_holds(name, kind)


def test_a_spinning_ring_needs_fewer_rules():
    for name in "2x2 c2", "2x2 c2, full", "1x2 c1, shutdown", "1x2 c1, shutdown now":
        require_holds(name, NoRuleAWhenWoken, SpinningMemory)
        require_holds(name, NoRuleBOnClosed, SpinningMemory)
        require_holds(name, SpinningAndBlind)
    assert run("1x2 c1", NoRuleAAfterSecondPoll, SpinningMemory).violation


def test_generators_keep_no_hidden_iterator():
    for kind in Protocol, *MUTANTS.values(), *VARIANTS.values():
        for function in vars(kind).values():
            if inspect.isgeneratorfunction(function):
                assert all(line.opname != "FOR_ITER" for line in dis.get_instructions(function)), function


def print_all():
    total = [0, 0]
    print(f"{'configuration':42}{'states':>9}{'transitions':>13}{'seconds':>9}")
    for label, name, kind in [
        *((name, name, Protocol) for name in CONFIGS),
        *((f"{name}: {variant.__name__}", name, variant) for variant in VARIANTS.values() for name in variant.holds_in),
    ]:
        start = time.perf_counter()
        result = require_holds(name, kind)
        total = [total[0] + result.states, total[1] + result.transitions]
        print(f"{label:42}{result.states:9}{result.transitions:13}{time.perf_counter() - start:9.1f}", flush=True)
    print(f"{'together':42}{total[0]:9}{total[1]:13}\n")
    for kind in MUTANTS.values():
        for name in kind.killed_by:
            result = run(name, kind)
            print(
                f"{kind.__name__:29}{name:26}{result.states:7} states, {len(result.trace):2} steps, "
                f"{result.violation or 'SURVIVES'}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        mutant = MUTANTS[sys.argv[1]]
        failure = run(mutant.killed_by[0], mutant)
        print(mutant.killed_by[0], *failure.trace, failure.violation, sep="\n")
    else:
        print_all()
