"""Progress messages on stderr, and subprocesses: their long output goes to build/logs."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
TAIL = 40  # lines of a log to show on failure
PATIENCE = 1.0  # seconds before a quiet step is reported
INTERVAL = 30.0  # seconds between the reports of a step that is not on a terminal
COUNT = re.compile(r"^\s*(\[\d+/\d+\])", re.M)  # ninja's

quiet = False  # set by commands that usually have nothing to build: only slow steps are reported

_start = time.monotonic()


class DevError(Exception):
    """An error whose message is shown to the user without a traceback."""


def stamped(text: str) -> str:
    """Prefix a message with the seconds since the start."""
    return f"[{time.monotonic() - _start:6.1f}s] {text}"


def step(text: str) -> None:
    """Report the current step on stderr."""
    print(stamped(text), file=sys.stderr, flush=True)


def make_folder(path: Path) -> Path:
    """Create a folder and its parents; raise DevError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DevError(f"cannot create {path}: {error.strerror}") from None
    return path


def end(process: subprocess.Popen) -> None:
    """Stop a process after Ctrl-C. The terminal has interrupted it too, so it first gets time to exit by itself."""
    for number, seconds in ((0, 2), (signal.SIGINT, 5), (signal.SIGTERM, 2), (signal.SIGKILL, None)):
        process.send_signal(number)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue


def start(command, **options) -> subprocess.Popen:
    """Start a process; raise DevError if there is no such program."""
    sys.stdout.flush()
    try:
        return subprocess.Popen([os.fspath(part) for part in command], **options)
    except OSError as error:
        raise DevError(f"cannot run {command[0]}: {error.strerror}") from None


def wait(process: subprocess.Popen) -> int:
    """Wait for a process and return its exit code; stop it on Ctrl-C."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        end(process)
        raise


def call(command, **options) -> int:
    """Run a program on the caller's terminal; return its exit code."""
    return wait(start(command, **options))


def run(command, log: str, *, cwd=None, env=None, say=None) -> None:
    """Run a program with its output in build/logs/LOG.log; on failure raise DevError with the end of the log.

    `say` is the step to report, with ninja's [n/m]: on a terminal in one line, elsewhere in a line now and then.
    """
    path = make_folder(LOGS) / f"{log}.log"
    terminal = bool(say) and sys.stderr.isatty()
    if say and not quiet and not terminal:
        step(say)
    with open(path, "w", errors="replace") as file:
        file.write(f"$ {shlex.join(map(os.fspath, command))}\n")
        file.flush()
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": cwd, "env": env}
        if terminal:
            process = start(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace", **options)
        else:
            process = start(command, stdout=file, **options)
        try:
            if terminal:
                follow(process, file, say)
            elif say:
                wait_reporting(process, path, say)
        except KeyboardInterrupt:
            end(process)
            raise
        code = wait(process)
    if code:
        with open(path, errors="replace") as file:
            tail = "".join(deque(file, TAIL)).rstrip()
        name = os.path.basename(command[0]) + (f" ({say})" if say else "")
        raise DevError(f"{name} failed with exit code {code}; the end of {path}:\n{tail}")


def wait_reporting(process: subprocess.Popen, path: Path, say: str) -> None:
    """Wait for a process; report its step now and then, with the last [n/m] in its log."""
    pause = PATIENCE if quiet else INTERVAL
    while True:
        try:
            process.wait(pause)
            return
        except subprocess.TimeoutExpired:
            counts = COUNT.findall(path.read_text(errors="replace"))
            step(" ".join([say, *counts[-1:]]))
            pause = INTERVAL


def follow(process: subprocess.Popen, log, say: str) -> None:
    """Copy the output of a process to its log, with the step and ninja's [n/m] on one line of the terminal."""
    begin, shown = time.monotonic(), None
    if not quiet:
        shown = stamped(say)
        print(shown, end="", file=sys.stderr, flush=True)
    for line in process.stdout:
        log.write(line)
        count = COUNT.match(line)
        if count and (not quiet or time.monotonic() - begin > PATIENCE):
            shown = stamped(f"{say} {count.group(1)}")
            print(f"\r{shown}\033[K", end="", file=sys.stderr, flush=True)
    if shown:
        print(file=sys.stderr, flush=True)


def output(command, *, text=None, env=None, timeout=30):
    """Return what a short-lived program prints, or None if it fails or does not exist."""
    try:
        done = subprocess.run(
            [os.fspath(part) for part in command],
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            env=env,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
