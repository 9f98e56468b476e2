"""Finds the processes that keep a page, in /proc."""

from __future__ import annotations

import os
from typing import NamedTuple

LINK = "/memfd:xichan (deleted)"
STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waiting for a device",
    "T": "stopped",
    "t": "traced",
    "Z": "ended",
    "X": "ended",
}


class Status(NamedTuple):
    """A part of /proc/PID/stat."""

    state: str
    start_time: int  # in clock ticks since the system has booted


def status_of(pid: int) -> Status:
    """Return the status of a process. Raises OSError if there is none."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return Status(STATES.get(fields[0].decode(), "unknown"), int(fields[19]))


def command_of(pid: int) -> str:
    """Return the command line of a process, or "" if it is not known."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return " ".join(file.read().decode(errors="replace").replace("\0", " ").split())
    except OSError:
        return ""


def descriptors_of(pid: int) -> list[str]:
    """Return the paths in /proc of what may be pages of a process. Raises OSError if they must not be read."""
    folder = f"/proc/{pid}/fd"
    paths = (os.path.join(folder, name) for name in os.listdir(folder))
    return [path for path in paths if leads_to_page(path)]


def leads_to_page(path: str) -> bool:
    """Return whether a path in /proc still leads to a memory file of that name."""
    try:
        return os.readlink(path) == LINK
    except OSError:
        return False


def candidates() -> list[int]:
    """Return the ids of all processes that may keep a page, as far as this user may see them, without this one."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != os.getpid():
            try:
                has_page = bool(descriptors_of(int(name)))
            except OSError:
                has_page = False
            if has_page:
                found.append(int(name))
    return sorted(found)
