"""Programs that embed Python: guards, conversions, one core for all, and the C++ examples."""

from pathlib import Path

import pytest
from conftest import ROOT, run

import xichan

HERE = Path(__file__).parent
pytestmark = pytest.mark.timeout(900)  # it compiles, perhaps on a busy machine

CMAKE = Path(xichan.__file__).parent / "cmake"


@pytest.fixture(scope="module")
def programs(build, installed, embedding):
    # The library that the program is linked with is another file than the one beside the module.
    return build(HERE / "embed", "embed", CMAKE_PREFIX_PATH=installed, **embedding.settings)


@pytest.fixture(scope="module")
def examples(build, embedding):
    # As a user of the wheel builds them.
    return build(ROOT / "docs" / "examples" / "cpp", "examples", xichan_DIR=CMAKE, **embedding.settings)


def test_guard(programs, embedding):
    assert run(programs / "guard", env=embedding.environment) == "done\n"


def test_the_program_and_the_module_share_one_core(programs, installed, embedding):
    (library,) = run(programs / "same_core", env=embedding.environment).splitlines()
    assert Path(library).is_relative_to(installed)


def test_simulation(examples, embedding):
    said = run(examples / "simulation", 20_000, env=embedding.environment)
    assert said.count("events sent") == 2 and "two Python interpreters" in said
    assert "the bare ring" in said and "WRONG" not in said and "arena: 0 blocks" in said


def test_plugins(examples, embedding):
    said = run(examples / "plugins", ROOT / "docs" / "examples" / "cpp" / "plugins", 6, env=embedding.environment)
    assert "everything was released" in said and "after cycle 6" in said
