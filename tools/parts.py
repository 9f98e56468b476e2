"""./dev test: the parts are nox sessions; this module runs them and adds up the counts of their tests."""

from __future__ import annotations

import functools
import logging
import os
import runpy
import sys
import time
from typing import NamedTuple

import nox

from .console import ROOT, DevError
from .counts import Counts
from .runners import Request

ONLY = "XICHAN_ONLY"  # the environment variable that carries --only to the sessions

PARTS = {}  # by name, in the order of noxfile.py
_results = {}  # {name: (seconds, Counts)} of the parts that ran in this process


class Part(NamedTuple):
    """A registered part."""

    about: str
    default: bool


class NotApplicable(Exception):
    """The request selects nothing that the part tests; the message names what."""


def part(default: bool = True, name: str = ""):
    """Register a function from Request to Counts as a part of the tests and as a nox session of its name, or `name`."""

    def register(function):
        title = name or function.__name__
        PARTS[title] = Part(function.__doc__.partition("\n")[0].rstrip("."), default)

        @functools.wraps(function)
        def run_session(session):
            begin = time.monotonic()
            found = count(title, function, Request(os.environ.get(ONLY, ""), tuple(session.posargs)))
            _results[title] = (time.monotonic() - begin, found)
            if found.failed:
                session.error(str(found))

        if function.__module__ != "noxfile":  # loaded by nox, not imported by ./dev
            # Everything that a part needs is cached by stamps of its own: nox has no environment to manage.
            nox.session(run_session, name=title, default=default, venv_backend="none")
        return function

    return register


def count(name: str, function, request: Request) -> Counts:
    """Run a part. It counts as one failure if it cannot run, so that the other parts still do."""
    print(f"\n==== {name}: {PARTS[name].about}", flush=True)
    try:
        found = function(request)
    except NotApplicable as error:
        print(f"{name} does not apply to {error}")
        return Counts(skipped=1)
    except DevError as error:
        print(f"{name} could not run: {error}", flush=True)
        return Counts(failed=1)
    if not found.passed + found.failed and not request.extra:
        print(f"{name}: no test ran")
        return found + Counts(failed=1)
    return found


def run(names, request: Request) -> int:
    """Run parts, by default those that need not be named, and print the sum as the last line; return the exit code."""
    import noxfile  # noqa: F401 (fills PARTS)

    for name in names:
        if name not in PARTS:
            raise DevError(f"no part {name!r}; there are: {', '.join(PARTS)}")
    names = list(dict.fromkeys(names)) or [name for name, part in PARTS.items() if part.default]
    os.environ[ONLY] = request.only
    sys.argv = ["nox", "--noxfile", str(ROOT / "noxfile.py"), "--session", *names, "--", *request.extra]
    logging.getLogger("nox").setLevel(logging.ERROR)  # the sum below replaces its summary
    try:
        runpy.run_module("nox", run_name="__main__")
    except SystemExit as end:
        if end.code == 130:
            raise KeyboardInterrupt from None
    print()
    for name in names:
        # nox has printed why a part has no result.
        seconds, found = _results.setdefault(name, (0, Counts(failed=1)))
        print(f"{name:8} {seconds:7.1f} s   {found}")
    total = sum((found for _, found in _results.values()), Counts())
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0
