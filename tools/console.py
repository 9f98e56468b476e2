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
START = "XICHAN_DEV_START"  # the environment variable that carries the time of the start to the second stage
UNREACHABLE = re.compile(  # what pip and apt-get print without a network
    r"Temporary failure in name resolution|Temporary failure resolving '[^']+'|Could not resolve '[^']+'|"
    r"Name or service not known|Network is unreachable|No route to host|Connection refused|timed out|"
    r"Could not connect to \S+|Cannot connect to proxy|certificate verify failed"
)
COUNT = re.compile(r"^\s*(\[\d+/\d+\])", re.M)  # ninja's

quiet = False  # set by commands that usually have nothing to build: only slow steps are reported

_start = float(os.environ.pop(START, time.monotonic()))


class DevError(Exception):
    """An error whose message is shown to the user without a traceback."""


def keep_start() -> None:
    """Let the program that replaces this process count the seconds from the same start."""
    os.environ[START] = str(_start)


def network_failure(error: DevError) -> str:
    """Return why a program that failed did not reach the network, or "" if it failed otherwise."""
    found = UNREACHABLE.search(str(error))
    return found.group() if found else ""


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

    `say` is the step to report while it runs.
    """
    path = make_folder(LOGS) / f"{log}.log"
    with open(path, "w") as file:
        file.write(f"$ {shlex.join(map(os.fspath, command))}\n")
        file.flush()
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": cwd, "env": env}
        process = start(command, stdout=file, **options)
        try:
            if say:
                wait_reporting(process, path, say)
            code = process.wait()
        except KeyboardInterrupt:
            end(process)
            raise
    if code:
        with open(path, errors="replace") as file:
            tail = "".join(deque(file, TAIL)).rstrip()
        name = os.path.basename(command[0]) + (f" ({say})" if say else "")
        raise DevError(f"{name} failed with exit code {code}; the end of {path}:\n{tail}")


def rewrites_lines() -> bool:
    """Return whether stderr is a terminal that can show progress on one line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def wait_reporting(process: subprocess.Popen, path: Path, say: str) -> None:
    """Wait for a process; report its step with the last [n/m] in its log, which is ninja's.

    On a terminal this is one line, with the seconds until now; elsewhere a line now and then.
    """
    rewrite = rewrites_lines()
    report = rewrite_line if rewrite else step
    reported = not quiet
    if reported:
        report(say)
    pause = PATIENCE if rewrite or quiet else INTERVAL
    try:
        while True:
            try:
                process.wait(pause)
                break
            except subprocess.TimeoutExpired:
                reported = True
                report(with_count(say, path))
                pause = PATIENCE if rewrite else INTERVAL
    finally:
        if rewrite and reported:
            rewrite_line(with_count(say, path), last=True)


def with_count(say: str, path: Path) -> str:
    """Return a step and the last [n/m] in its log."""
    return " ".join([say, *COUNT.findall(path.read_text(errors="replace"))[-1:]])


def rewrite_line(text: str, last=False) -> None:
    """Report the current step in place of the previous one. Only the last report may be longer than the line."""
    text = stamped(text)
    if not last:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        if len(text) >= columns:  # a second line could not be replaced
            text = f"{text[: max(columns - 16, 0)]}...{text[-12:]}"
    print(f"\r{text}\033[K", end="\n" if last else "", file=sys.stderr, flush=True)


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
