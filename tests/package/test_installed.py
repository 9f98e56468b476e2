"""The installed C++ package: found by CMake and pkg-config, with nothing in it but xichan's own."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, run

import xichan

HERE = Path(__file__).parent
PACKAGE = Path(xichan.__file__).parent


def exported(library):
    """The names that a library exports, demangled."""
    listing = run("nm", "-D", "--defined-only", "--demangle", library)
    return [line.split(" ", 2)[2] for line in listing.splitlines()]


def test_cmake(build, installed):
    folder = build(HERE / "consumer", "consumer", CMAKE_PREFIX_PATH=installed, XICHAN_WANTED="0.1")
    assert run(folder / "consumer").split() == [xichan.__version__] * 2


def test_another_version_is_refused(toolchain, installed, tmp_path):
    options = [f"-DCMAKE_PREFIX_PATH={installed}", "-DXICHAN_WANTED=99.0", *toolchain.options]
    said = run(toolchain.cmake, "-S", HERE / "consumer", "-B", tmp_path, *options, expect=1)
    assert re.search(r"compatible\s+with\s+requested\s+version", said)


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not here")
def test_pkg_config(installed, tmp_path):
    folder = next(installed.rglob("xichan.pc")).parent
    environment = {"PKG_CONFIG_PATH": str(folder)}
    assert run("pkg-config", "--modversion", "xichan", env=environment).strip() == xichan.__version__
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "xichan", env=environment))
    libraries = run("pkg-config", "--variable=libdir", "xichan", env=environment).strip()
    source = tmp_path / "main.cpp"
    source.write_text("#include <xichan/version.h>\n#include <cstdio>\nint main() { std::puts(xichan::version()); }\n")
    run("c++", source, *flags, f"-Wl,-rpath,{libraries}", "-o", tmp_path / "main")
    assert run(tmp_path / "main").strip() == xichan.__version__


def test_soname(installed):
    library = next(installed.rglob("libxichan.so"))
    assert os.path.basename(library.resolve()) == f"libxichan.so.{xichan.__version__}"
    assert "Library soname: [libxichan.so.0]" in run("readelf", "-d", library)
    module = next(PACKAGE.glob("_core.*.so"))
    dynamic = run("readelf", "-d", module)
    assert "Shared library: [libxichan.so.0]" in dynamic
    assert re.search(r"R(UN)?PATH.*\[\$ORIGIN\]", dynamic)
    assert (PACKAGE / "libxichan.so.0").is_file()


def test_nothing_but_xichan_is_exported(installed):
    names = exported(next(installed.rglob("libxichan.so")))
    assert len(names) > 100
    own = re.compile(r"((vtable|typeinfo|typeinfo name) for )?xichan::")
    assert [name for name in names if not own.match(name)] == []
    (module,) = PACKAGE.glob("_core.*.so")
    assert [name for name in exported(module) if not name.startswith(("PyInit_", "PyModExport_"))] == []


def test_headers_are_the_same_in_both(installed):
    def tree(folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.h")}

    headers = tree(ROOT / "include")
    assert tree(installed / "include") == headers
    assert tree(PACKAGE / "include") == headers


def test_the_package_tells_where_things_are():
    answer = subprocess.run(
        [sys.executable, "-m", "xichan", "--cmakedir", "--version", "--includedir", "--libdir"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    version, include, library, cmake = answer
    assert version == xichan.__version__
    assert (Path(include) / "xichan" / "xichan.h").is_file()
    assert (Path(library) / "libxichan.so.0").is_file()
    assert (Path(cmake) / "xichan-config.cmake").is_file()


def test_the_program_in_the_docs(tmp_path):
    """Also: a compiler and a wheel are enough."""
    page = (ROOT / "docs" / "embedding.md").read_text()
    (source,) = re.findall(r"^```cpp\n(.*?)^```$", page, re.M | re.S)
    (tmp_path / "main.cpp").write_text(source)
    where = run(sys.executable, "-m", "xichan", "--includedir", "--libdir").splitlines()
    flags = ["-std=c++20", f"-I{where[0]}", f"-L{where[1]}", "-l:libxichan.so.0", f"-Wl,-rpath,{where[1]}", "-pthread"]
    run("c++", "-Wall", "-Wextra", "-Werror", tmp_path / "main.cpp", *flags, "-o", tmp_path / "main")
    assert run(tmp_path / "main").splitlines() == [f"{i} AAPL {187.25 + i}" for i in range(3)]
