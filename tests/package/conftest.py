"""Fixtures of the package tests: the build tools of ./dev, and an installed xichan."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import embedding as embeddings  # noqa: E402

from tools import bootstrap, console, venv  # noqa: E402
from tools.build import require_toolchain  # noqa: E402

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
BUILD = console.BUILD / "package"
PATIENCE = 900  # seconds, for compilations on a busy machine


def run(*command, expect=0, env=None, cwd=None):
    """Run a program and return its output."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        timeout=PATIENCE,
    )
    assert done.returncode == expect, f"exit status {done.returncode} of {command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def toolchain():
    return require_toolchain()


@pytest.fixture(scope="session")
def build(toolchain):
    """Build a CMake project in its own folder below build/package and return the folder."""

    def build(source, name, **settings):
        folder = BUILD / f"{name}-{VERSION}"
        options = [*toolchain.options, *(f"-D{key}={value}" for key, value in settings.items())]
        shutil.rmtree(folder, ignore_errors=True)
        run(toolchain.cmake, "-S", source, "-B", folder, *options)
        run(toolchain.cmake, "--build", folder)
        return folder

    return build


@pytest.fixture(scope="session")
def installed(toolchain):
    """Install library, headers and CMake package and return the prefix."""
    prefix = BUILD / f"prefix-{VERSION}"
    shutil.rmtree(prefix, ignore_errors=True)
    folder = console.BUILD / f"py{VERSION}"
    run(toolchain.cmake, "--install", folder, "--component", "core", "--prefix", prefix)
    return prefix


@pytest.fixture(scope="session")
def wheel_file(toolchain, pip):
    """The path of a wheel, built as `pip wheel .` does. Its CMake build is kept, so that only the first takes long."""
    environment = {
        "CMAKE_EXECUTABLE": str(toolchain.cmake),
        "CXXFLAGS": "-O0",  # compile fast
        "SKBUILD_BUILD_DIR": str(BUILD / f"wheel-{VERSION}"),
    }
    out = BUILD / "dist"
    for old in out.glob("*.whl"):
        old.unlink()
    with needs_index():
        run(*pip, "wheel", "--no-deps", "--wheel-dir", out, ROOT, env=environment)
    (file,) = out.glob("*.whl")
    return file


@contextlib.contextmanager
def needs_index():
    """Skip the test if pip reaches no package index to get the build backend from."""
    try:
        yield
    except AssertionError as error:
        if "No matching distribution found for scikit-build-core" in str(error):
            pytest.skip("scikit-build-core is not available")
        raise


@pytest.fixture(scope="session")
def embedding():
    """How to build and run programs that embed this Python with xichan importable."""
    found = embeddings.find(VERSION, venv.site_packages(VERSION))
    if found is None:
        pytest.skip("this Python has no shared library to embed")
    return found


@pytest.fixture(scope="session")
def pip():
    """The command of a pip that works for this interpreter, which has none of its own."""
    return [bootstrap.require(), "-m", "pip", "--python", sys.executable]
