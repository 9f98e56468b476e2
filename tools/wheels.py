"""./dev wheel: builds an sdist, and from it a wheel for each CPython version that auditwheel has tagged."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path

from . import bootstrap, build, cpython
from .console import BUILD, ROOT, DevError, make_folder, output, run, step

DIST = BUILD / "dist"
WORK = BUILD / "wheels"  # the unpacked sdist, and the wheels before auditwheel


def commit() -> str:
    """Return the commit of the checkout, with "+changes" if tracked files differ; "" outside of git."""
    found = output(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"])
    changes = output(["git", "-C", ROOT, "status", "--porcelain", "-uno"])
    return "" if not found else found + ("+changes" if changes else "")


def environment() -> dict:
    """Return the environment of the builds: the programs of the tools environment come first."""
    toolchain = build.require_toolchain()
    path = os.pathsep.join([os.fspath(bootstrap.require().parent), os.environ.get("PATH", "")])
    variables = {"CMAKE_EXECUTABLE": os.fspath(toolchain.cmake), "CMAKE_BUILD_PARALLEL_LEVEL": str(build.jobs())}
    return {**variables, **os.environ, "PATH": path}


def sdist() -> Path:
    """Build the sdist into DIST and return its path."""
    for old in DIST.glob("*.tar.gz"):
        old.unlink()
    command = [bootstrap.require(), "-m", "build", "--sdist", "--outdir", make_folder(DIST), ROOT]
    run(command, "sdist", say="building the sdist", env=environment())
    (file,) = DIST.glob("*.tar.gz")
    return file


def unpack(file: Path) -> Path:
    """Unpack the sdist; return its folder. Its path is always the same, so that a compiler cache finds the files."""
    shutil.rmtree(WORK / "source", ignore_errors=True)
    with tarfile.open(file) as archive:
        archive.extractall(WORK / "source", filter="data")
    (folder,) = (WORK / "source").iterdir()
    return folder


def wheel(source: Path, version: str) -> Path:
    """Build the wheel for a CPython version from an unpacked sdist; return its path."""
    out = make_folder(WORK / version)
    for old in out.glob("*.whl"):
        old.unlink()
    command = [bootstrap.require(), "-m", "pip", "--python", cpython.get(version), "wheel", "-v", "--no-deps"]
    # libnats and OpenSSL of this machine would raise the tag of the wheel: xichan.nats is built from source only.
    command += ["--config-settings", "cmake.define.XICHAN_NATS=OFF"]
    command += ["--config-settings", f"cmake.define.XICHAN_COMMIT={commit()}", "--wheel-dir", out, source]
    run(command, f"wheel-{version}", say=f"building the wheel for {cpython.title(version)}", env=environment())
    (file,) = out.glob("*.whl")
    return file


def repair(file: Path) -> Path:
    """Give a wheel the lowest tag that its symbols allow, in DIST; return its path."""
    tag = file.name.split("-")[2]
    for old in DIST.glob(f"*-{tag}-*.whl"):
        old.unlink()
    auditwheel = [bootstrap.tool("auditwheel"), "repair", "--plat", "auto", "--wheel-dir", DIST, file]
    run(auditwheel, f"auditwheel-{tag}", env=environment())
    (repaired,) = DIST.glob(f"*-{tag}-*.whl")
    return repaired


def show(file: Path) -> str:
    """Return what `auditwheel show` prints about a wheel, as one paragraph."""
    printed = output([bootstrap.tool("auditwheel"), "show", file], env=environment(), timeout=120)
    if printed is None:
        raise DevError(f"auditwheel cannot read {file}")
    return re.sub(r"\s+", " ", printed)


def require(versions=()) -> list:
    """Build the sdist and the wheels for `versions`, by default all; return the paths."""
    bootstrap.pip_install(bootstrap.require(), bootstrap.group("wheel"), "wheel-tools", "installing auditwheel")
    files = [sdist()]
    source = unpack(files[0])
    for version in versions or cpython.FIRST:
        files.append(repair(wheel(source, version)))
    return files


def main(versions) -> int:
    """Build, and print the size of each file and the tag of each wheel."""
    files = require(versions)
    step(f"the files are in {DIST}")
    for file in files:
        print(f"{file.name}  {file.stat().st_size / 1e6:.2f} MB")
        if file.suffix == ".whl":
            print(f"    {show(file)}")
    return 0
