"""Short runs of the stress programs in tests/stress/python."""

import runpy
from pathlib import Path

import pytest
from support import run_python

PROGRAMS = Path(__file__).resolve().parents[2] / "stress" / "python"
SIZES = runpy.run_path(str(PROGRAMS / "sizes.py"))["SIZES"]


@pytest.mark.parametrize("program", SIZES)
def test_short_run(program):
    done = run_python(PROGRAMS / f"{program}.py", SIZES[program].short, timeout=240)
    print(done.stdout)
    assert done.stdout.startswith(f"{program}: ")


def test_sizes_lists_every_program():
    assert {path.stem for path in PROGRAMS.glob("*.py")} == {*SIZES, "common", "sizes"}
