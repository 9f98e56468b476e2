"""What the kernel knows of the threads of this process: whether one sleeps, and in which call."""

from __future__ import annotations

import os
from typing import NamedTuple

# Numbers of system calls: of futex(), and of those in which event loops wait.
_NUMBERS = {"x86_64": (202, (232, 281)), "aarch64": (98, (22,))}
_FUTEX, _EPOLL = _NUMBERS.get(os.uname().machine, (None, ()))
_WAIT, _WAIT_BITSET, _PRIVATE = 0, 9, 128  # operations of futex(), and the flag of those within a process
_INDEFINITELY = 0xFFFFFFFF  # the timeout -1 of epoll_wait(), in 32 bits
_TASKS = "/proc/self/task"


class Sleep(NamedTuple):
    """A thread that sleeps."""

    switches: int  # how often it has left a CPU: equal in two looks if it has not run between them
    in_lock: bool  # it waits without a timeout for another thread of the process
    in_loop: bool  # it waits without a timeout for descriptors


def threads() -> set[int]:
    """Return the native ids of all threads."""
    return {int(name) for name in os.listdir(_TASKS)}


def sleeps() -> dict[int, Sleep]:
    """Return the threads that sleep, by native id."""
    found = {}
    for thread in threads():
        sleep = sleep_of(thread)
        if sleep is not None:
            found[thread] = sleep
    return found


def sleep_of(thread: int) -> Sleep | None:
    """Return how a thread sleeps, or None if it runs, is about to run, or has ended."""
    try:
        switches = _switches(thread)
        call = _call(thread)
        state = _read(thread, "stat").rpartition(")")[2].split()[0]
        if state != "S" or _switches(thread) != switches:
            return None
    except OSError:  # it has ended
        return None
    number, arguments = (call[0], call[1:]) if call else (None, [])
    return Sleep(switches, _is_lock(number, arguments), _is_loop(number, arguments))


def is_watchdog(thread: int) -> bool:
    """Return whether a thread looks like that of ``faulthandler.dump_traceback_later()``.

    It blocks all signals and sleeps with a timeout for a lock.
    """
    import signal

    wanted = sum(1 << number - 1 for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
    try:
        lines = _read(thread, "status").splitlines()
        blocked = next(int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:"))
        call = _call(thread)
    except OSError:  # it has ended
        return False
    return blocked & wanted == wanted and bool(call) and call[0] == _FUTEX and call[4] != 0


def name_of(thread: int) -> str:
    """Return the name that the operating system has for a thread; empty if it has ended."""
    try:
        return _read(thread, "comm").strip()
    except OSError:
        return ""


def _call(thread: int) -> list[int]:
    """Return the number and the arguments of the system call that a thread is in; empty if it is not known."""
    try:
        parts = _read(thread, "syscall").split()
    except OSError:  # not permitted, or a system without this file
        return []
    return [int(part, 0) for part in parts] if parts and parts[0].isdecimal() else []


def _is_lock(number: int | None, arguments: list[int]) -> bool:
    if number is None or number != _FUTEX:
        return False
    operation, timeout = arguments[1], arguments[3]
    return operation & 127 in (_WAIT, _WAIT_BITSET) and bool(operation & _PRIVATE) and timeout == 0


def _is_loop(number: int | None, arguments: list[int]) -> bool:
    return number in _EPOLL and arguments[3] & _INDEFINITELY == _INDEFINITELY


def _switches(thread: int) -> int:
    return sum(int(line.split()[1]) for line in _read(thread, "status").splitlines() if "ctxt_switches" in line)


def _read(thread: int, name: str) -> str:
    with open(f"{_TASKS}/{thread}/{name}", errors="replace") as file:
        return file.read()
