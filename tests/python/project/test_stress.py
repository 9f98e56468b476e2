"""Short runs of the stress programs in tests/stress/python."""

import runpy
from pathlib import Path

import pytest
from support import run_python
from support.nats_server import unavailable

PROGRAMS = Path(__file__).resolve().parents[2] / "stress" / "python"
SIZES = runpy.run_path(str(PROGRAMS / "sizes.py"))["SIZES"]


REMOTE = pytest.mark.skipif(bool(unavailable()), reason=unavailable())


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=REMOTE if name.startswith("remote_") else ()) for name in SIZES]
)
def test_short_run(program):
    done = run_python(PROGRAMS / f"{program}.py", SIZES[program].short, timeout=240)
    print(done.stdout)
    assert done.stdout.startswith(f"{program}: ")


def test_sizes_lists_every_program():
    assert {path.stem for path in PROGRAMS.glob("*.py")} == {*SIZES, "common", "sizes"}
