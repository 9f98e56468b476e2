"""Runs channel_life.pml in SPIN: the protocol holds in each configuration, searched in full, and each mutant fails.

`./dev test model` brings a SPIN; by itself this file takes the one that is on PATH. With XICHAN_STRESS in the
environment, as `./dev soak` sets it, the largest configuration (LARGEST) is searched in full as well.

    python3 test_channel_life.py     the table of what was searched, and how each mutant dies
"""

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

MODEL = Path(__file__).resolve().with_name("channel_life.pml")
LIMIT = 280  # seconds for one search

# Two interpreters, two handles in each, capacity 2; see the head of the model for the switches.
CONFIGS = {
    "waiting": "CALLS=1",
    "handles closed and interpreters ended": "CALLS=1 CALLS_1=0 CLOSER",
    "shutdown": "CALLS=1 QUEUED ONLY_NOWAIT SHUTDOWN",
    "registry": "CALLS=0 QUEUED REGISTRY",
}

LARGEST = "registry"  # takes as long as the others together; by default only its mutants are searched

# What is wrong, the configuration that shows it, and how.
MUTANTS = {
    "FREE_BEFORE_REMOVE": ("registry", "!(freed)"),
    "PIN_FROM_ZERO": ("registry", "assertion violated"),
    "ADD_FROM_ZERO": ("registry", "assertion violated"),
    "NO_GENERATION": ("registry", "(registered==1)"),
    "NO_ATTENTION": ("shutdown", "assertion violated"),
    "DISCARD_BEFORE_ATTENTION": ("shutdown", "assertion violated"),
    "NO_WAKE": ("waiting", "invalid end state"),
    "WAKE_BEFORE_CLOSE": ("waiting", "invalid end state"),
    "NO_SECOND_LOOK": ("waiting", "invalid end state"),
    "CLOSE_WITHOUT_CANCEL": ("handles closed and interpreters ended", "asleep"),
    "RELEASE_TWICE": ("handles closed and interpreters ended", "assertion violated"),
    "NO_PIN": ("handles closed and interpreters ended", "!(freed)"),
}

# What can be left out: by the time the last pin goes, closers and publishers have discarded everything. The code keeps
# it: it costs nothing.
NEEDLESS = {"NO_LAST_DISCARD": "registry"}


class Result(NamedTuple):
    """What a search found."""

    error: str  # what failed, or ""
    states: int
    seconds: float
    steps: int  # on the way to the error


@functools.cache
def programs():
    """Return (spin, a C compiler), or the reason why one is missing."""
    spin = os.environ.get("XICHAN_SPIN") or shutil.which("spin")
    if not spin:
        return os.environ.get("XICHAN_NO_SPIN") or "spin is not on PATH (Debian: spin)"
    compiler = next(filter(shutil.which, ("gcc", "clang", "cc")), None)
    return (spin, compiler) if compiler else "SPIN needs a C compiler, and none was found"


def search(switches, optimize="-O1"):
    """Search the model with these switches: in full, or until something fails.

    For a search that fails early, compiling with `optimize` takes longer than the search saves by it.
    """
    spin, compiler = programs()
    with tempfile.TemporaryDirectory() as folder:

        def run(*command, **options):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, **options)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            return done.stdout

        run(spin, "-a", *(f"-D{switch}" for switch in switches.split()), MODEL)
        run(compiler, optimize, "-w", "-DSAFETY", "-o", "pan", "pan.c")
        text = run("./pan", "-m100000", "-w24")
    assert "max search depth too small" not in text, text
    found = re.search(r"^pan:1: (.*?) \(at depth", text, re.M)
    seconds = re.search(r"elapsed time ([\d.]+)", text)
    return Result(
        found.group(1) if found else "",
        int(re.search(r"(\d+) states, stored", text).group(1)),
        float(seconds.group(1)) if seconds else 0.0,
        int(re.search(r"depth reached (\d+)", text).group(1)),
    )


@pytest.fixture(autouse=True)
def spin_at_hand():
    if isinstance(programs(), str):
        pytest.skip(programs())


def skip_if_largest(name):
    if name == LARGEST and "XICHAN_STRESS" not in os.environ:
        pytest.skip(f"{name}: searched in full with XICHAN_STRESS=1, and by ./dev soak")


@pytest.mark.parametrize("name", CONFIGS)
def test_protocol_holds(name):
    skip_if_largest(name)
    result = search(CONFIGS[name])
    print(f"{name}: {result.states} states")
    assert not result.error, result


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_dies(mutant):
    name, how = MUTANTS[mutant]
    result = search(f"{CONFIGS[name]} M_{mutant}", "-O0")
    assert how in result.error, f"{mutant} survives: {result}"


@pytest.mark.parametrize("name", NEEDLESS)
def test_what_can_be_left_out(name):
    skip_if_largest(NEEDLESS[name])
    result = search(f"{CONFIGS[NEEDLESS[name]]} M_{name}")
    assert not result.error, result


def test_every_mutant_is_tried():
    assert set(re.findall(r"\bM_(\w+)", MODEL.read_text())) == {*MUTANTS, *NEEDLESS}


def print_all():
    for name, switches in CONFIGS.items():
        result = search(switches)
        print(f"{name:40}{result.states:10} states{result.seconds:7.1f} s  {result.error or 'holds'}", flush=True)
    for mutant, (name, _) in MUTANTS.items():
        result = search(f"{CONFIGS[name]} M_{mutant}", "-O0")
        print(f"{mutant:26}{name:40}{result.states:9} states  {result.error or 'SURVIVES'}", flush=True)


if __name__ == "__main__":
    print_all()
