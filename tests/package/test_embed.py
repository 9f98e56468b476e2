"""Programs that embed Python: guards, conversions, one core for all, and the C++ examples."""

from pathlib import Path

import pytest
from conftest import ROOT, run

import xichan

HERE = Path(__file__).parent
pytestmark = pytest.mark.timeout(900)  # compiles, perhaps on a busy machine

CMAKE = Path(xichan.__file__).parent / "cmake"


@pytest.fixture(scope="module")
def programs(build, installed, embedding):
    # The program links to another file than the library beside the module.
    return build(HERE / "embed", "embed", CMAKE_PREFIX_PATH=installed, **embedding.settings)


@pytest.fixture(scope="module")
def examples(build, embedding):
    # As a user of the wheel builds them.
    return build(ROOT / "docs" / "examples" / "cpp", "examples", xichan_DIR=CMAKE, **embedding.settings)


def test_guards_attach_and_convert(programs, embedding):
    assert run(programs / "guard", env=embedding.environment) == "done\n"


def test_program_and_module_share_one_core(programs, installed, embedding):
    (library,) = run(programs / "same_core", env=embedding.environment).splitlines()
    assert Path(library).is_relative_to(installed)


def test_state_is_shared_by_cpp_and_python(programs, embedding):
    assert run(programs / "same_state", env=embedding.environment) == "done\n"


def test_python_can_be_initialized_twice(programs, embedding):
    assert run(programs / "twice", env=embedding.environment) == "done\n"


def test_lent_objects_outlive_python(programs, embedding):
    assert run(programs / "lent", env=embedding.environment) == "done\n"


def test_simulation_example_runs(examples, embedding):
    output = run(examples / "simulation", 20_000, env=embedding.environment)
    assert output.count("events sent") == 2 and "two Python interpreters" in output
    assert "the bare ring" in output and "WRONG" not in output and "arena: 0 blocks" in output


def test_plugins_example_runs(examples, embedding):
    output = run(examples / "plugins", ROOT / "docs" / "examples" / "cpp" / "plugins", 6, env=embedding.environment)
    assert "everything was released" in output and "after cycle 6" in output


def test_shared_state_example_runs(examples, embedding):
    output = run(examples / "shared_state", 2, 1000, env=embedding.environment)
    assert output.splitlines()[-1] == "3000 requests counted by C++ and 2 interpreters"


def test_coroutines_example_runs(examples):
    assert run(examples / "coroutines", 1000) == "the squares from 1 to 1000 add up to 333833500\n"
