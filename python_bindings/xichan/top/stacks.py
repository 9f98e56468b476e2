"""The Python stacks of another process, where CPython can read them: from 3.14 on, with the rights of a debugger."""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .model import Snapshot


NO_STACK = (
    "not known: CPython 3.14 can read one interpreter of a process; 3.15 reads all"
    if sys.version_info < (3, 15)
    else "none: the thread runs no Python code"
)


class StacksUnavailable(Exception):
    """The stacks cannot be read; the message says why."""


def python_stacks(pid: int) -> dict[int, list[str]]:
    """Return the lines of the stack of each thread of a process, innermost first, by native id.

    The process need not run: its memory is read. Raises StacksUnavailable.
    """
    try:
        debugging = importlib.import_module("_remote_debugging")
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise StacksUnavailable(f"CPython {version} cannot read the stacks of another process; 3.14 can") from None
    try:
        threads = list(_threads(debugging.RemoteUnwinder(pid, all_threads=True).get_stack_trace()))
    except PermissionError:
        raise StacksUnavailable(
            "the system allows only a debugger to read the stacks: run this as root, or see "
            "/proc/sys/kernel/yama/ptrace_scope"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise StacksUnavailable(f"the stacks cannot be read just now: {error}") from None
    stacks: dict[int, list[str]] = {}
    for thread, frames in threads:  # a thread that runs a worker is in two interpreters, the inner one first
        stacks.setdefault(thread, []).extend(map(_line, frames))
    return stacks


def _threads(found: Any) -> Iterator[tuple[int, Any]]:
    """Iterate over threads and frames in the results of all versions: by interpreter, or without them."""
    for entry in found:
        if hasattr(entry, "threads"):
            yield from _threads(entry.threads)
        else:
            yield entry[0], entry[-1]


def _line(frame: Any) -> str:
    file, line, function = frame[0], frame[1], frame[2]
    if not isinstance(line, int):  # 3.15 has a location with the line first
        line = line[0] if line else 0
    return f"{function}  {file}:{line}"


def describe(snapshot: Snapshot, thread: int) -> str:
    """Return what is known of a thread: its worker, its waits, its stack."""
    lines = [f"thread {thread}"]
    for worker in snapshot.workers:
        if worker.thread == thread:
            lines.append(f"worker {worker.name}, {worker.state}" + (f": {worker.task}" if worker.task else ""))
    lines.append("")
    for wait in snapshot.waits:
        if wait.thread == thread:
            where = f" at {wait.place}" if wait.place else ""
            inside = f" in {wait.function}()" if wait.function else ""
            lines.append(f"waits in {wait.call}{where}{inside} for {wait.seconds:.1f} s")
    lines += ["", "Python stack, innermost call first:"]
    try:
        stack = python_stacks(snapshot.pid).get(thread)
    except StacksUnavailable as error:
        lines.append(f"  not available: {error}")
    else:
        lines += ["  " + line for line in stack or [NO_STACK]]
    return "\n".join(lines)
