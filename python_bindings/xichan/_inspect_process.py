"""``xichan.inspect()``: collects what the core shows of the process. Imported on first use."""

from __future__ import annotations

import errno
import os
import threading
import time
import warnings
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from . import _core
from ._inspect import (
    ChannelInspection,
    EndpointInspection,
    Holder,
    Inspection,
    ObjectInspection,
    RemoteInspection,
    Wait,
    WorkerInspection,
)
from ._stats import ChannelStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

QUEUE = "Queue"  # the label of the channel with the items of a Queue
_SIDES = ("sender", "receiver")
_TIMEOUT, _IDLE, _COROUTINE = 1, 2, 4  # flags of a wait, as in page/wait_report.h
_CHANNEL, _OBJECT = 1, 2  # what a wait is for
_WORKER_CODE = "<script>"  # the name of the code that calls the loop of a worker
_WORKER_STATES = ("starting", "idle", "ended")  # by WorkerRow::State

# For each channel the time, and what it had sent and received, when it was last looked at.
_Counts = dict[int, tuple[int, int, int]]

_previous: _Counts = {}  # of the previous inspect() of this interpreter

_DETAILS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "AtomicInt": lambda obj: {"value": obj.value},
    "Cell": lambda obj: {"version": obj.version},
    "Map": lambda obj: _map_details(obj.stats()),
    "Lock": lambda obj: {"locked": obj.locked()},
    "RLock": lambda obj: {"locked": obj.locked()},
    "Semaphore": lambda obj: {"value": obj.value},
    "Event": lambda obj: {"set": obj.is_set()},
    "Barrier": lambda obj: {"parties": obj.parties, "arrived": obj.n_waiting, "broken": obj.broken},
    "Condition": lambda obj: {"locked": obj.locked()},
    "BroadcastSender": lambda obj: {"subscribers": obj.subscribers},
    "Broadcast": lambda obj: {"subscribers": obj.subscribers},
    "BroadcastReceiver": lambda obj: {"pending": len(obj)},
}


def _map_details(stats: Any) -> dict[str, Any]:
    return {name: getattr(stats, name) for name in ("items", "bytes", "hits", "misses")}


class _Names:
    """The names of the interpreters and threads of the process."""

    def __init__(self, workers: Iterable[WorkerInspection]) -> None:
        self._interpreters = _core._interpreter_names()
        self.tasks = {worker.interpreter: worker.task for worker in workers if worker.interpreter is not None}
        self._threads: dict[int, str | None] = {
            thread.native_id: thread.name for thread in threading.enumerate() if thread.native_id is not None
        }
        self._threads.update((worker.thread, worker.name) for worker in workers if worker.thread is not None)

    def interpreter(self, number: int) -> tuple[int | None, str | None]:
        return (None, None) if number < 0 else (number, self._interpreters.get(number))

    def thread(self, native_id: int) -> tuple[int | None, str | None]:
        if native_id == 0:
            return None, None
        if native_id not in self._threads:
            self._threads[native_id] = self._read(native_id)
        return native_id, self._threads[native_id]

    @staticmethod
    def _read(native_id: int) -> str | None:
        """Return the name that the system knows, of which Python sets the first 15 bytes (CPython 3.14)."""
        if native_id == os.getpid():
            return "MainThread"
        try:
            return Path(f"/proc/self/task/{native_id}/comm").read_text(errors="replace").rstrip("\n")
        except OSError:
            return None  # it has ended


def _place(file: str, line: int) -> str | None:
    return f"{file}:{line}" if file else None


def _waits(names: _Names) -> tuple[Wait, ...]:
    """Return all waits, longest first. Of a thread whose signal handler waits, only that wait."""
    now = time.monotonic_ns()
    shown = sorted(_core._inspect_waits(), key=lambda wait: wait[1])
    last = {wait[3]: wait[0] for wait in sorted(shown) if not wait[4] & _COROUTINE}
    waits = []
    for number, started, interpreter, thread, flags, line, more, call, function, file, targets in shown:
        if not flags & _COROUTINE and last[thread] != number:
            continue
        interpreter_id, interpreter_name = names.interpreter(interpreter)
        if file == _WORKER_CODE and interpreter in names.tasks:  # a worker waits for a task, or its task is this call
            file, function = "", names.tasks[interpreter] or ""
        waits.append(
            Wait(
                id=number,
                call=call,
                channels=tuple(target[4] for target in targets if target[0] == _CHANNEL),
                sides=tuple(_SIDES[target[1]] for target in targets if target[0] == _CHANNEL),
                objects=tuple(target[4] for target in targets if target[0] == _OBJECT),
                until_closed=any(target[3] for target in targets),
                more=more,
                interpreter=interpreter_id,
                interpreter_name=interpreter_name,
                thread=thread,
                thread_name=names.thread(thread)[1],
                coroutine=bool(flags & _COROUTINE),
                place=_place(file, line),
                function=function or None,
                seconds=max(0.0, (now - started) / 1e9),
                timeout=bool(flags & _TIMEOUT),
                idle=bool(flags & _IDLE),
            )
        )
    return tuple(waits)


def _endpoints(names: _Names) -> dict[int, tuple[list[EndpointInspection], list[EndpointInspection]]]:
    """Return the endpoints of interpreters, by the id of their channel: senders and receivers."""
    found: dict[int, tuple[list[EndpointInspection], list[EndpointInspection]]] = defaultdict(lambda: ([], []))
    for channel, receives, interpreter, thread, file, line in _core._inspect_endpoints():
        opened, task = _place(file or "", line), None
        if file == _WORKER_CODE and interpreter in names.tasks:
            opened, task = None, names.tasks[interpreter]
        found[channel][receives].append(
            EndpointInspection(
                _SIDES[receives], *names.interpreter(interpreter), *names.thread(thread), opened, task=task
            )
        )
    return found


def _rates(stats: ChannelStats, created: int, now: int, previous: _Counts) -> tuple[float, float]:
    since, sent, received = previous.get(stats.id, (created, 0, 0))
    previous[stats.id] = now, stats.sent, stats.received
    seconds = max((now - since) / 1e9, 1e-9)
    # Less than before: another channel, after a fork.
    return max(0, stats.sent - sent) / seconds, max(0, stats.received - received) / seconds


def _channels(names: _Names, waits: Iterable[Wait], previous: _Counts) -> tuple[ChannelInspection, ...]:
    # The endpoints first: one that is opened meanwhile is counted as in transit, which is the weaker statement.
    endpoints = _endpoints(names)
    waiting: defaultdict[int, list[Wait]] = defaultdict(list)
    for wait in waits:
        for channel in dict.fromkeys(wait.channels):
            waiting[channel].append(wait)
    now = time.monotonic_ns()
    result = []
    for fields, state, created, *native, note in _core._inspect_channels():
        stats = ChannelStats(**fields)
        internal, label, part_of, unfinished, file, line = note
        sides = [
            [*listed, *[EndpointInspection(side, None, None, None, None, None)] * count]
            for side, listed, count in zip(_SIDES, endpoints[stats.id], native, strict=True)
        ]
        sent_per_second, received_per_second = _rates(stats, created, now, previous)
        result.append(
            ChannelInspection(
                stats=stats,
                state=state,
                senders=tuple(sides[0]),
                receivers=tuple(sides[1]),
                senders_in_transit=max(0, stats.senders - len(sides[0])),
                receivers_in_transit=max(0, stats.receivers - len(sides[1])),
                waits=tuple(waiting[stats.id]),
                sent_per_second=sent_per_second,
                received_per_second=received_per_second,
                made=_place(file or "", line),
                internal=internal,
                label=label or None,
                part_of=part_of or None,
                unfinished=unfinished if label == QUEUE else None,
            )
        )
    for gone in previous.keys() - {channel.stats.id for channel in result}:
        previous.pop(gone, None)
    return tuple(result)


def _holder(obj: Any, names: _Names) -> Holder | None:
    found = _core._lock_holder(obj)
    if found is None:
        return None
    interpreter, thread = found
    return Holder(*names.interpreter(interpreter), *names.thread(thread))


def _objects(names: _Names, waits: Iterable[Wait]) -> tuple[ObjectInspection, ...]:
    waiting: defaultdict[int, list[Wait]] = defaultdict(list)
    for wait in waits:
        for number in wait.objects:
            waiting[number].append(wait)
    result = []
    for obj in _core.objects():
        kind, number = type(obj).__name__, _core._object_number(obj)
        details = _DETAILS.get(kind)
        result.append(
            ObjectInspection(
                kind=kind,
                id=number,
                name=obj.name,
                waits=tuple(waiting[number]),
                owner=_holder(obj, names),
                detail=details(obj) if details is not None else {},
            )
        )
    return tuple(result)


def _remote(names: _Names, waits: Iterable[Wait]) -> tuple[RemoteInspection, ...]:
    return tuple(
        RemoteInspection(
            name,
            _SIDES[receives],
            server,
            *names.interpreter(interpreter),
            *names.thread(thread),
            _place(file or "", line),
            tuple(wait for wait in waits if not set(local).isdisjoint(wait.channels)),
        )
        for name, receives, server, interpreter, thread, file, line, local in _core._inspect_remote()
    )


def _workers() -> tuple[WorkerInspection, ...]:
    now = time.monotonic_ns()
    return tuple(
        WorkerInspection(
            name=name,
            kind="workers" if supervised else "pool",
            interpreter=interpreter,
            thread=thread,
            state="running" if began else _WORKER_STATES[state],
            task=task or None if began else None,
            running_for=max(0.0, (now - began) / 1e9) if began else None,
            tasks=tasks,
            failed=failed,
            last_error=error if failed else None,
        )
        for name, supervised, interpreter, thread, state, task, began, tasks, failed, error in _core._inspect_workers()
    )


def inspect(*, internal: bool = False) -> Inspection:
    """Return what exists in the whole process, and what waits for what.

    The Inspection has the channels with their endpoints, the objects of shared state, and every call that is blocked,
    with the line of the code that called. ``print(xichan.inspect())`` shows a report. Any interpreter and thread may
    call it. It reads while other threads go on: what it returns need not have existed at one moment. Never blocks.

    internal: True lists also the channels that xichan itself uses, such as those of the tasks and results of a pool.
    Issues a RuntimeWarning, once, if other processes cannot see all of the page of this one, for lack of memory.
    """
    if error := _core._take_page_refusal():
        reason = f"{os.strerror(error)} ({errno.errorcode.get(error, error)})"
        warnings.warn(f"other processes cannot see all that this process does: {reason}", RuntimeWarning, stacklevel=2)
    return look(_previous, internal=internal)


def look(previous: _Counts, *, internal: bool = True) -> Inspection:
    """Do what inspect() does, with rates since `previous`, which becomes what is counted now."""
    workers = _workers()
    names = _Names(workers)
    waits = _waits(names)
    every = _channels(names, waits, previous)
    channels = every if internal else tuple(channel for channel in every if not channel.internal)
    if not internal:
        waits, channels = _without_internal(waits, every, channels)
    return Inspection(
        time=time.time(),
        pid=os.getpid(),
        channels=channels,
        objects=_objects(names, waits),
        waits=waits,
        workers=workers,
        remote=_remote(names, waits),
        unshown_waits=_core._unshown_waits(),
        unshown_channels=len(every) - len(channels),
    )


def _without_internal(
    waits: tuple[Wait, ...], every: Iterable[ChannelInspection], channels: tuple[ChannelInspection, ...]
) -> tuple[tuple[Wait, ...], tuple[ChannelInspection, ...]]:
    """Return waits and channels in which those for an internal channel are for the one that it is part of."""
    wholes = {channel.stats.id: channel.part_of for channel in every if channel.part_of is not None}
    shown: list[Wait] = []
    moved: defaultdict[int, list[Wait]] = defaultdict(list)
    for wait in waits:
        if wholes.keys() & set(wait.channels):
            wait = replace(wait, channels=tuple(wholes.get(id, id) for id in wait.channels))
            for id in wait.channels:
                moved[id].append(wait)
        shown.append(wait)
    return tuple(shown), tuple(
        replace(channel, waits=(*channel.waits, *moved[channel.stats.id])) if channel.stats.id in moved else channel
        for channel in channels
    )
