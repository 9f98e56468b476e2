"""Fetching Debian's packages without touching the system: private package lists, download, unpack."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from .cache import cache_folder, lock
from .console import DevError, make_folder, network_failure, output, run, step

KEYRINGS = [f"/usr/share/keyrings/debian-archive-keyring.{kind}" for kind in ("gpg", "pgp")]
SOURCES = Path("/etc/apt")


def fetch(title: str, suites, packages, find, place):
    """Unpack packages into a folder of the cache and call `place` with it; return what `find` then returns.

    Tries every suite of every mirror until `place` succeeds. Returns early if another process was faster.
    """
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise DevError(f"{title} is not installed, and Debian's packages need {program}: install {title}")
    cache, errors = cache_folder(), []
    with lock(cache / "fetch.lock"), tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as work:
        if find():
            return find()
        step(f"{title} is not on PATH: unpacking Debian's packages of it into {cache}; the system stays as it is")
        for number, (mirror, suite) in enumerate((mirror, suite) for mirror in mirrors() for suite in suites):
            folder = Path(work) / str(number)
            try:
                debs = download(folder, mirror, suite, packages)
                step(f"unpacking {title}")
                for deb in debs:  # without running scripts
                    run(["dpkg", "-x", deb, folder / "prefix"], "dpkg")
                place(folder / "prefix")
                if not find():
                    raise DevError(f"{title} does not run")
                return find()
            except DevError as error:
                if reason := network_failure(error):
                    raise DevError(
                        f"cannot fetch {title}: {reason}. Connect to the network for the first run, or install {title} "
                        "with its development files and put it on PATH"
                    ) from None
                errors.append(f"from {suite} at {mirror}: {error}")
                step(f"no {title} from {suite} at {mirror}")
    raise DevError(f"could not fetch {title}\n" + "\n".join(errors))


def move(prefix: Path, home: Path) -> None:
    """Move an unpacked prefix to its place in the cache, and replace what is there."""
    shutil.rmtree(home, ignore_errors=True)
    os.rename(prefix, home)


def mirrors():
    """Return the mirrors of Debian's archive in the machine's apt sources."""
    found = []
    for file in [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]:
        try:
            text = re.sub(r"^\s*#.*", "", file.read_text(errors="replace"), flags=re.M)
        except OSError:
            continue
        found += re.findall(r"\bhttps?://[^\s\]]+/debian(?=/?(?:\s|$))", text)
    if not found:
        raise DevError(f"the apt sources in {SOURCES} name no Debian archive to fetch packages from: add one")
    return list(dict.fromkeys(found))


def download(folder: Path, mirror: str, suite: str, packages):
    """Download packages of a suite into a folder; return the paths of the .deb files."""
    for part in ("lists/partial", "cache/archives/partial"):
        make_folder(folder / part)
    architecture = output(["dpkg", "--print-architecture"])
    options = [f"arch={architecture}", *(f"signed-by={path}" for path in KEYRINGS if os.path.exists(path))][:2]
    sources = folder / "archive.list"
    sources.write_text(f"deb [{' '.join(options)}] {mirror} {suite} main\n")
    # An empty status file and no preferences: independent of what the system has installed or pinned.
    status = folder / "status"
    status.touch()
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": status,
        "Dir::Cache": folder / "cache",
        "APT::Default-Release": "",
        "APT::Sandbox::User": "",  # the sandbox user cannot write to a user's cache folder
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    # A path with a space needs no quoting: each setting is one argument.
    apt = ["apt-get", "-q", *(f"-o{key}={value}" for key, value in settings.items())]
    for last in (False, True):  # the archive may change between reading its lists and downloading
        debs = folder / "debs"
        shutil.rmtree(debs, ignore_errors=True)
        make_folder(debs)
        try:
            run([*apt, "update"], f"apt-update-{suite}", say=f"reading the package lists of {mirror} {suite}")
            run([*apt, "download", *packages], f"apt-download-{suite}", cwd=debs, say="downloading packages")
            break
        except DevError as error:
            if last or network_failure(error):
                raise
            step(f"{str(error).splitlines()[0]}; trying again")
    return sorted(debs.glob("*.deb"))
