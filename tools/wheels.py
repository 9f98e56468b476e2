"""./dev wheel: builds an sdist, and from it a wheel for each CPython version that auditwheel has tagged.

A wheel contains xichan.nats, with libnats and the OpenSSL of this machine, unless libnats was not found.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from pathlib import Path

from . import bootstrap, build, cpython, nats
from .console import BUILD, ROOT, DevError, make_folder, output, run, step

DIST = BUILD / "dist"
WORK = BUILD / "wheels"  # the unpacked sdist, and the wheels before auditwheel
LIBRARIES = {  # that a wheel with xichan.nats contains, and the packages of Debian that hold their licenses
    "libnats": "libnats3.4",
    "libprotobuf": "libprotobuf-c1",
    "libssl": "libssl3",
    "libcrypto": "libssl3",
}


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
    return {**variables, **os.environ, **nats.environment(), "PATH": path}


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
    """Build a wheel for a CPython version from an unpacked sdist; return its path."""
    out = make_folder(WORK / version)
    for old in out.glob("*.whl"):
        old.unlink()
    command = [bootstrap.require(), "-m", "pip", "--python", cpython.get(version), "wheel", "-v", "--no-deps"]
    command += ["--config-settings", f"cmake.define.XICHAN_COMMIT={commit()}", "--wheel-dir", out, source]
    run(command, f"wheel-{version}", say=f"building the wheel for {cpython.title(version)}", env=environment())
    (file,) = out.glob("*.whl")
    return file


def repair(file: Path) -> Path:
    """Give a wheel the lowest tag that its symbols allow, with the libraries that it needs; return its path."""
    out = file.parent / "repaired"
    shutil.rmtree(out, ignore_errors=True)
    auditwheel = [bootstrap.tool("auditwheel"), "repair", "--plat", "auto", "--wheel-dir", out, file]
    run(auditwheel, f"auditwheel-{file.parent.name}", env=environment())
    (repaired,) = out.glob("*.whl")
    return repaired


def add_licenses(file: Path) -> None:
    """Add the licenses of the libraries that `repair` has put into a wheel."""
    (folder,) = unpacked(file).iterdir()
    (info,) = folder.glob("*.dist-info")
    for library in sorted(folder.glob("xichan.libs/*")):
        name = library.name.partition("-")[0].partition(".")[0]
        if name not in LIBRARIES:
            raise DevError(f"{file.name} contains {library.name}, whose license is not known: see LIBRARIES")
        place = make_folder(info / "licenses" / name)
        shutil.copy(license_of(LIBRARIES[name]), place / "copyright")
    run([bootstrap.require(), "-m", "wheel", "pack", "--dest-dir", file.parent, folder], "wheel-pack")


def unpacked(file: Path) -> Path:
    """Unpack a wheel; return the folder that holds its folder."""
    place = file.parent / "unpacked"
    shutil.rmtree(place, ignore_errors=True)
    run([bootstrap.require(), "-m", "wheel", "unpack", "--dest", place, file], "wheel-unpack")
    return place


def license_of(package: str) -> Path:
    """Return the file with the license of one of Debian's packages."""
    for prefix in (nats.library(), Path("/usr")):
        file = prefix / "share" / "doc" / package / "copyright"
        if file.exists():
            return file
    raise DevError(f"the license of {package} was not found")


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
        tag = "cp" + version.replace(".", "")
        for old in DIST.glob(f"*-{tag}-*.whl"):
            old.unlink()
        file = repair(wheel(source, version))
        add_licenses(file)
        files.append(Path(shutil.move(file, DIST / file.name)))
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
