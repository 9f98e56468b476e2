"""What ./dev says and the programs it runs: progress on stderr, long output in build/logs."""

from __future__ import annotations

import os
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
TAIL = 40  # lines of a log that are shown on failure
PATIENCE = 1.0  # seconds that a quiet step may take before it is mentioned

quiet = False  # set by commands that are mostly no-ops: only steps that take long are mentioned

_start = time.monotonic()


class DevError(Exception):
    """Something the user has to know: its text is shown without a traceback."""


def step(text: str) -> None:
    """Say on stderr, with the time since the start, what is being done."""
    print(f"[{time.monotonic() - _start:6.1f}s] {text}", file=sys.stderr, flush=True)


def make_folder(path: Path) -> Path:
    """Create a folder with its parents, or say clearly why that does not work."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DevError(f"cannot create {path}: {error.strerror}") from None
    return path


def tail(log: Path) -> str:
    """The last lines of a log."""
    with open(log, errors="replace") as file:
        return "".join(deque(file, TAIL)).rstrip()


def end(process: subprocess.Popen) -> None:
    """End a program after Ctrl-C. It gets time to end by itself: a terminal has told it too."""
    for number, seconds in ((0, 2), (signal.SIGINT, 5), (signal.SIGTERM, 2), (signal.SIGKILL, None)):
        process.send_signal(number)
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue


def wait(process: subprocess.Popen) -> int:
    """Wait for a program; its exit code."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        end(process)
        raise


def start(command, **options) -> subprocess.Popen:
    """Start a program that talks to the user, or to where `options` say."""
    sys.stdout.flush()
    try:
        return subprocess.Popen([os.fspath(part) for part in command], **options)
    except OSError as error:
        raise DevError(f"cannot run {command[0]}: {error.strerror}") from None


def call(command, **options) -> int:
    """Run a program that talks to the user directly; its exit code."""
    return wait(start(command, **options))


def run(command, log: str, *, cwd=None, env=None, say=None) -> None:
    """Run a program with its output going to build/logs/LOG.log; show the end of that if it fails."""
    path = make_folder(LOGS) / f"{log}.log"
    command = [os.fspath(part) for part in command]
    if say and not quiet:
        step(say)
    with open(path, "w") as file:
        file.write(f"$ {shlex.join(command)}\n")
        file.flush()
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd=cwd, env=env
            )
        except OSError as error:
            raise DevError(f"cannot run {command[0]}: {error.strerror}") from None
        if say and quiet:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                step(say)
            except KeyboardInterrupt:
                wait(process)
                raise
        code = wait(process)
    if code:
        name = os.path.basename(command[0]) + (f" ({say})" if say else "")
        raise DevError(f"{name} failed with exit code {code}; the end of {path}:\n{tail(path)}")


def output(command, *, text=None, env=None, timeout=30):
    """What a short program prints, or None if it fails or cannot run."""
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
