"""The content of a wheel, and a C++ program built against what it installs."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import BUILD, VERSION, run

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.skipif(VERSION != "3.14", reason="one version is enough"),
    pytest.mark.timeout(900),  # compiles everything, perhaps on a busy machine
]


@pytest.fixture(scope="module")
def wheel(wheel_file):
    """The wheel, unpacked."""
    folder = BUILD / f"unpacked-{VERSION}"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(wheel_file) as archive:
        archive.extractall(folder)
        return folder, archive.namelist()


def test_wheel_contains_library_headers_and_cmake_package(wheel):
    _, names = wheel
    top = {name.split("/")[0] for name in names}
    assert "xichan" in top and all(name == "xichan" or name.endswith(".dist-info") for name in top)
    for name in ("libxichan.so.0", "__main__.py", "py.typed", "include/xichan/python.h", "cmake/xichan-config.cmake"):
        assert f"xichan/{name}" in names
    libraries = sorted(name.split("/")[-1].split(".")[0] for name in names if name.endswith(".so") or ".so." in name)
    assert [name for name in libraries if name != "_nats"] == ["_core", "_lower_bound", "libxichan"]


def test_consumer_builds_against_wheel(wheel, build):
    folder, _ = wheel
    environment = {"PYTHONPATH": str(folder)}
    where = run(sys.executable, "-m", "xichan", "--cmakedir", env=environment).strip()
    assert where == str(folder / "xichan" / "cmake")
    built = build(HERE / "consumer", "wheel-consumer", xichan_DIR=where, XICHAN_WANTED="0.1")
    version = run(sys.executable, "-m", "xichan", "--version", env=environment).split()
    assert run(built / "consumer").split() == version * 2
