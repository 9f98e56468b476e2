"""Short runs of the stress programs in tests/stress/python, which say what they do."""

from pathlib import Path

import pytest
from support import run_python

PROGRAMS = Path(__file__).resolve().parents[1] / "stress" / "python"

SIZES = {
    "close_races": 1000,
    "time_outs": 20_000,
    "round_trips": 20_000,
    "interpreters_in_traffic": 30,
    "senders_die": 60,
    "select_traffic": 20_000,
    "ctrl_c": 5,
    "cancelled": 400,
    "forks": 20,
    "dying_inside": 30,
    "chains": 100_000,
    "soak": 40_000,
    "ids": 50_000,
    "exits": 2,
}


@pytest.mark.parametrize("program", SIZES)
def test_short_run(program):
    done = run_python(PROGRAMS / f"{program}.py", SIZES[program], timeout=240)
    print(done.stdout)
    assert done.stdout.startswith(f"{program}: ")


def test_every_program_is_run():
    assert {path.stem for path in PROGRAMS.glob("*.py")} == {*SIZES, "common"}
