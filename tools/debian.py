"""Debian's archive without touching the system: private package lists, download, unpack."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from .console import DevError, make_folder, output, run, step

KEYRINGS = [f"/usr/share/keyrings/debian-archive-keyring.{kind}" for kind in ("gpg", "pgp")]
SOURCES = Path("/etc/apt")


def system_archives(folder: Path = SOURCES):
    """(mirror, keyring or None) of each Debian archive in the machine's own apt sources."""
    found = []
    files = [folder / "sources.list"] + sorted((folder / "sources.list.d").glob("*"))
    for file in files:
        try:
            text = re.sub(r"^\s*#.*\n?", "", file.read_text(errors="replace"), flags=re.M)
        except OSError:
            continue
        # deb822 files have stanzas, the older format one entry per line.
        entries = re.split(r"\n\s*\n", text) if file.suffix == ".sources" else text.splitlines()
        for entry in entries:
            keyring = re.search(r"signed-by[:=]\s*(/[^\s\],]+)", entry, re.I)
            for url in re.findall(r"\bhttps?://[^\s\]]+", entry):
                if urlsplit(url).path.rstrip("/").endswith("/debian"):
                    found.append((url.rstrip("/"), keyring.group(1) if keyring else None))
    return found


def archives():
    """(mirror, keyring or None) to try in turn: those of the machine's own apt sources."""
    known = next(filter(os.path.exists, KEYRINGS), None)
    result = {}
    for mirror, keyring in system_archives():
        # One key per suite is common there, and another suite is wanted here: prefer the full keyring.
        result.setdefault(mirror, known or keyring)
    if not result:
        raise DevError(f"no Debian archive among the sources of apt (in {SOURCES}) to fetch CPython from: add one")
    return list(result.items())


class Archive:
    """One suite of one mirror, with lists and downloads in a folder of its own."""

    def __init__(self, folder: Path, mirror: str, keyring, suite: str):
        self.name = f"{suite} at {mirror}"
        self.suite = suite
        self.folder = make_folder(folder)
        for part in ("lists/partial", "cache/archives/partial", "debs"):
            make_folder(folder / part)
        options = [f"arch={architecture()}"] + ([f"signed-by={keyring}"] if keyring else [])
        sources = folder / "archive.list"
        sources.write_text(f"deb [{' '.join(options)}] {mirror} {suite} main\n")
        # An empty status file and no preferences: what the system has or pins is of no matter here.
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
            "APT::Sandbox::User": "",  # the sandbox user may not write to a user's cache folder
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        # A path with a space needs no quoting: each setting is one argument.
        self.apt = ["apt-get", "-q"] + [f"-o{key}={value}" for key, value in settings.items()]

    def update(self) -> None:
        """Fetch the suite's package lists."""
        run(
            self.apt + ["-oAPT::Update::Error-Mode=any", "update"],
            f"apt-update-{self.suite}",
            say=f"reading the package lists of Debian {self.name}",
        )

    def download(self, packages):
        """Download packages; the paths of the .deb files."""
        debs = self.folder / "debs"
        shutil.rmtree(debs, ignore_errors=True)
        make_folder(debs)
        run(self.apt + ["download", *packages], f"apt-download-{self.suite}", cwd=debs, say="downloading packages")
        return sorted(debs.glob("*.deb"))

    def fetch(self, packages):
        """Download packages; if that fails the pool may have changed since the lists were read: once more."""
        self.update()
        try:
            return self.download(packages)
        except DevError as error:
            step(str(error).splitlines()[0] + "; trying again")
        self.update()
        return self.download(packages)


def architecture() -> str:
    """The Debian name of this machine's architecture."""
    name = output(["dpkg", "--print-architecture"])
    if not name:
        raise DevError("this needs dpkg")
    return name


def unpack(debs, prefix: Path) -> None:
    """Unpack packages below one prefix; nothing is installed and no script of theirs runs."""
    make_folder(prefix)
    for deb in debs:
        run(["dpkg", "-x", deb, prefix], "dpkg")
