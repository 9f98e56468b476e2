"""Wheels are installed into empty environments, and the sdist into one without a compiler.

By default one wheel, which the other tests of the package use too. With XICHAN_DIST the files of that folder:
`./dev test wheels` sets it to what `./dev wheel` has built.
"""

import email
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, VERSION, needs_index, run

from tools import bootstrap, cpython, wheels

DIST = os.environ.get("XICHAN_DIST")
FILES = sorted(Path(DIST).iterdir()) if DIST else []
released = pytest.mark.skipif(not DIST, reason="needs ./dev wheel; run by ./dev test wheels")

pytestmark = [
    pytest.mark.skipif(VERSION != "3.14", reason="one version is enough"),
    pytest.mark.timeout(900),  # compiles everything, perhaps on a busy machine
]


def only(suffix):
    return [pytest.param(file, id=file.name) for file in FILES if file.name.endswith(suffix)]


@pytest.fixture(params=only(".whl") if DIST else [pytest.param(None, id="built")])
def wheel(request):
    return request.param or request.getfixturevalue("wheel_file")


@pytest.fixture
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.fixture
def empty(wheel, tmp_path):
    """An environment of the wheel's Python with nothing in it, and what runs a command there without any program."""
    digits = re.search(r"-cp3(\d+)-", wheel.name)[1]
    return make_empty(cpython.get(f"3.{digits}"), tmp_path)


def make_empty(interpreter, folder):
    run(interpreter, "-m", "venv", "--without-pip", folder / "venv")
    (folder / "bin").mkdir()
    return folder / "venv" / "bin" / "python", {"PATH": str(folder / "bin"), "HOME": str(folder)}


def execute(command, environment, cwd, expect=0):
    done = subprocess.run(
        [*map(str, command)], env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == expect, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_wheel_runs_in_an_empty_environment_without_compilers(wheel, empty, tmp_path):
    python, environment = empty
    pip = [bootstrap.require(), "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel]
    execute(pip, environment, tmp_path)
    program = shutil.copy(ROOT / "tests" / "package" / "first_program.py", tmp_path)
    lines = execute([python, "-W", "error", program], environment, tmp_path).splitlines()
    assert lines[0] == str([(n, 2 ** (40 * n)) for n in range(5)])
    assert lines[1:] == ([] if "-cp313-" in wheel.name else ["[0, 1, 4, 9, 16]"])
    checked = execute([python, "-m", "xichan"], environment, tmp_path)
    assert len(re.findall("^  ok  ", checked, re.M)) == 4
    assert re.search(r"\(commit [0-9a-f]{12}", checked) or not (ROOT / ".git").exists()
    if DIST:
        remote(wheel, python, environment, tmp_path)
    bench = execute([python, "-m", "xichan.bench"], environment, tmp_path, expect=1)
    assert "pip install 'xichan[bench]'" in bench


def remote(wheel, python, environment, folder):
    """Check that a wheel contains libnats with what it needs, and the licenses, unless it lacks xichan.nats."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    if not [name for name in names if name.startswith("xichan/_nats.")]:
        lacks = execute([python, "-m", "xichan.nats"], environment, folder, expect=1)
        assert "xichan.nats needs the module xichan._nats" in lacks
        return
    for library in ("libnats", "libprotobuf", "libssl", "libcrypto"):
        assert [name for name in names if name.startswith(f"xichan.libs/{library}")]
        assert [name for name in names if name.endswith(f".dist-info/licenses/{library}/copyright")]
    tried = execute([python, "-m", "xichan.nats", "nats://127.0.0.1:9"], environment, folder, expect=1)
    assert "nats://127.0.0.1:9" in tried and "needs the module" not in tried


def test_metadata_has_what_a_package_index_shows(metadata):
    version = re.search(r'#define XICHAN_VERSION "(.+)"', (ROOT / "include/xichan/version.h").read_text())[1]
    assert metadata["Version"] == version
    assert metadata["License-Expression"] == "MIT" and metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.13" and not [
        line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line
    ]
    labels = {url.partition(",")[0] for url in metadata.get_all("Project-URL")}
    assert labels == {"Documentation", "Source", "Issues", "Changelog"}
    classifiers = metadata.get_all("Classifier")
    for version in cpython.FIRST:
        assert f"Programming Language :: Python :: {version}" in classifiers
    assert metadata["Description-Content-Type"] == "text/markdown" and "xichan" in metadata.get_payload()


def test_source_without_a_compiler_names_what_is_missing(pip, toolchain, tmp_path):
    source = next((file for file in FILES if file.name.endswith(".tar.gz")), ROOT)
    # CMake looks for compilers in the folders of the system too, whatever PATH is.
    environment = {**os.environ, "CXX": "no-such-compiler", "CMAKE_EXECUTABLE": str(toolchain.cmake)}
    environment["SKBUILD_BUILD_DIR"] = str(tmp_path / "build")
    command = [*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, source]
    with needs_index():
        output = execute(command, environment, tmp_path, expect=1)
    text = re.sub(r"\s+", " ", output)
    assert "no C++ compiler found xichan is built from source and needs a C++20 compiler: g++ 12 or newer" in text
    assert "Debian and Ubuntu: apt-get install g++" in text
    assert "pip install --only-binary :all: xichan" in text


def test_cmake_rejects_an_old_compiler(toolchain, tmp_path):
    """A compiler that reports version 11."""
    old = tmp_path / "old-g++"
    old.write_text(f'#!/bin/sh\nexec {shutil.which("c++")} -U__GNUC__ -D__GNUC__=11 "$@"\n')
    old.chmod(0o755)
    command = [toolchain.cmake, "-S", ROOT, "-B", tmp_path / "build", *toolchain.options[:3]]
    output = run(*command, f"-DCMAKE_CXX_COMPILER={old}", expect=1)
    assert "the compiler is too old" in output and "g++ 12 or newer" in output


@released
@pytest.mark.parametrize("file", only(".whl"))
def test_auditwheel_confirms_the_tag(file):
    (tag,) = re.findall(r"-(manylinux_\d+_\d+_\w+|musllinux_\d+_\d+_\w+)\.whl$", file.name)
    assert f'is consistent with the following platform tag: "{tag}"' in wheels.show(file)


@released
def test_dist_has_a_wheel_for_each_version():
    tags = {re.search(r"-cp3(\d+)-", file.name)[1] for file in FILES if file.suffix == ".whl"}
    assert tags == {version.partition(".")[2] for version in cpython.FIRST}


@released
@pytest.mark.parametrize("file", only(".tar.gz"))
def test_sdist_contains_sources_only(file):
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "CMakeLists.txt", "PKG-INFO"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert tops.isdisjoint({"build", "dist", ".git", ".github", ".ci", ".hypothesis"})
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc", ".whl"))]
