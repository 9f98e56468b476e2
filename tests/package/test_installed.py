"""The installed C++ package: CMake, pkg-config, symbols and headers."""

import collections
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
    """Return the symbols that a library exports, demangled, as a set per version node."""
    nodes = collections.defaultdict(set)
    for line in run("nm", "-D", "--defined-only", "--demangle", "--with-symbol-versions", library).splitlines():
        _, kind, symbol = line.split(" ", 2)
        name, _, node = symbol.partition("@@")
        if kind != "A":  # GNU ld also defines a symbol for each node
            nodes[node].add(name)
    return nodes


def test_cmake_package_builds_consumer(build, installed):
    folder = build(HERE / "consumer", "consumer", CMAKE_PREFIX_PATH=installed, XICHAN_WANTED="0.1")
    assert run(folder / "consumer").split() == [xichan.__version__] * 2


def test_cmake_package_rejects_other_version(toolchain, installed, tmp_path):
    options = [f"-DCMAKE_PREFIX_PATH={installed}", "-DXICHAN_WANTED=99.0", *toolchain.options]
    output = run(toolchain.cmake, "-S", HERE / "consumer", "-B", tmp_path, *options, expect=1)
    assert re.search(r"compatible\s+with\s+requested\s+version", output)


def test_plugin_may_be_unloaded_while_threads_of_the_library_run(build, installed):
    folder = build(HERE / "plugin", "plugin", CMAKE_PREFIX_PATH=installed)
    assert run(folder / "host", folder / "libplugin.so").strip() == "alive"


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")
def test_pkg_config_builds_consumer(installed, tmp_path):
    folder = next(installed.rglob("xichan.pc")).parent
    environment = {"PKG_CONFIG_PATH": str(folder)}
    assert run("pkg-config", "--modversion", "xichan", env=environment).strip() == xichan.__version__
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "xichan", env=environment))
    libraries = run("pkg-config", "--variable=libdir", "xichan", env=environment).strip()
    source = tmp_path / "main.cpp"
    source.write_text("#include <xichan/version.h>\n#include <cstdio>\nint main() { std::puts(xichan::version()); }\n")
    run("c++", source, *flags, f"-Wl,-rpath,{libraries}", "-o", tmp_path / "main")
    assert run(tmp_path / "main").strip() == xichan.__version__


def test_soname_and_rpath(installed):
    library = next(installed.rglob("libxichan.so"))
    assert os.path.basename(library.resolve()) == f"libxichan.so.{xichan.__version__}"
    assert "Library soname: [libxichan.so.0]" in run("readelf", "-d", library)
    module = next(PACKAGE.glob("_core.*.so"))
    dynamic = run("readelf", "-d", module)
    assert "Shared library: [libxichan.so.0]" in dynamic
    assert re.search(r"R(UN)?PATH.*\[\$ORIGIN\]", dynamic)
    assert (PACKAGE / "libxichan.so.0").is_file()


def test_library_exports_listed_public_symbols(installed):
    """If the ABI grows on purpose, add the new symbols to public_symbols.txt."""
    nodes = exported(next(installed.rglob("libxichan.so")))
    assert sorted(nodes) == ["XICHAN_0.1", "XICHAN_0.1_PRIVATE"]
    public = nodes["XICHAN_0.1"]
    print(f"{len(public)} public symbols, {len(nodes['XICHAN_0.1_PRIVATE'])} private ones")
    assert sorted(public) == (HERE / "public_symbols.txt").read_text().splitlines()


def test_private_node_exports_internal_symbols_only(installed):
    nodes = exported(next(installed.rglob("libxichan.so")))
    internal = re.compile(r"((vtable|typeinfo|typeinfo name) for )?xichan::internal::")
    assert nodes["XICHAN_0.1_PRIVATE"]
    assert [name for name in nodes["XICHAN_0.1_PRIVATE"] if not internal.match(name)] == []


def test_module_exports_its_init_function_only():
    (module,) = PACKAGE.glob("_core.*.so")
    (names,) = exported(module).values()
    assert [name for name in names if not name.startswith(("PyInit_", "PyModExport_"))] == []


def test_installed_headers_match_sources(installed):
    def tree(folder):
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.h")}

    headers = tree(ROOT / "include")
    assert tree(installed / "include") == headers
    assert tree(PACKAGE / "include") == headers


def test_module_prints_paths():
    output = subprocess.run(
        [sys.executable, "-m", "xichan", "--cmakedir", "--version", "--includedir", "--libdir"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    version, include, library, cmake = output
    assert version == xichan.__version__
    assert (Path(include) / "xichan" / "xichan.h").is_file()
    assert (Path(library) / "libxichan.so.0").is_file()
    assert (Path(cmake) / "xichan-config.cmake").is_file()


def test_embedding_page_program_runs(tmp_path):
    """A compiler and a wheel are enough."""
    page = (ROOT / "docs" / "how-to" / "embedding.md").read_text()
    (source,) = re.findall(r"^```cpp\n(.*?)^```$", page, re.M | re.S)
    (tmp_path / "main.cpp").write_text(source)
    where = run(sys.executable, "-m", "xichan", "--includedir", "--libdir").splitlines()
    flags = ["-std=c++20", f"-I{where[0]}", f"-L{where[1]}", "-l:libxichan.so.0", f"-Wl,-rpath,{where[1]}", "-pthread"]
    run("c++", "-Wall", "-Wextra", "-Werror", tmp_path / "main.cpp", *flags, "-o", tmp_path / "main")
    assert run(tmp_path / "main").splitlines() == [f"{i} AAPL {187.25 + i}" for i in range(3)]
