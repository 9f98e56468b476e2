"""The user's cache folder, shared by all checkouts: fetched interpreters, model checkers and tools from PyPI."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from .console import DevError, make_folder, step


def cache_folder() -> Path:
    """Return $XDG_CACHE_HOME/xichan or ~/.cache/xichan, created and writable."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is invalid and ignored
        home = os.path.expanduser("~")
        if not os.path.isabs(home) or home == "/":
            raise DevError("no home folder for the cache: set HOME, or set XDG_CACHE_HOME to a writable folder")
        base = os.path.join(home, ".cache")
    folder = Path(base) / "xichan"
    try:
        make_folder(folder)
    except DevError as error:
        raise DevError(f"{error}\nset XDG_CACHE_HOME to a writable folder") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DevError(f"cannot write to the cache folder {folder}: set XDG_CACHE_HOME to a writable folder")
    return folder


@contextlib.contextmanager
def lock(path: Path):
    """Hold an exclusive lock on a file; report if another process holds it."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step(f"waiting for another ./dev to release {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
