"""The coroutines of the objects that interpreters share. Imported when the first of them is called.

A coroutine joins the queue of an object and waits for a future of its event loop. The object admits it, from any
thread: what the coroutine waited for is its own then, and is released if the coroutine was cancelled meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import weakref

from ._aio import notifier_of
from ._errors import ChannelClosed, OwnerDied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from typing import Any

    from ._core import Cell, Event, Lock, Map, RLock, Semaphore

# The numbers of tasks that own an RLock: even, with the highest bit; those of threads are counted up from 1.
_units = itertools.count(1 << 31)
_unit_of_task: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()


async def admitted(obj: Any, *wanted: Any) -> int:
    """Wait until ``obj`` admits this coroutine, and return its answer."""
    notifier = notifier_of(asyncio.get_running_loop())
    ticket = 0
    while True:
        watch, last = await notifier.join(obj, ticket, *wanted)
        answer: int | None = watch.close()
        if answer is not None:
            watch.release()
            return answer
        ticket = watch.ticket()
        watch.withdraw()
        if last:
            raise ChannelClosed("the interpreter is shutting down")


def _unit(obj: Lock | RLock) -> int:
    """Return the number of the current task, by which it owns an RLock; 0 for a Lock."""
    if type(obj).__name__ != "RLock":
        return 0
    task = asyncio.current_task()
    assert task is not None
    unit = _unit_of_task.get(task)
    if unit is None:
        unit = _unit_of_task[task] = next(_units)
    return unit


async def acquire(obj: Lock | RLock | Semaphore) -> bool:
    if type(obj).__name__ == "Semaphore":
        if not obj.acquire(False):
            await admitted(obj)
        return True
    unit = _unit(obj)
    if not obj._acquire_nowait(unit) and await admitted(obj, unit) == 1:
        raise OwnerDied(
            "the interpreter that held the lock has ended; the lock is free, but what it protects may be half changed"
        )
    return True


def release_of_task(lock: RLock) -> None:
    """Release an RLock that the current task holds."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    lock._release(_unit_of_task.get(task, 0) if task is not None else 0)


async def aenter(obj: Lock | RLock | Semaphore) -> None:
    await acquire(obj)


async def aexit(obj: Lock | RLock | Semaphore, *_: object) -> None:
    obj.release()


def await_acquire(obj: Lock | RLock | Semaphore) -> Generator[Any, None, bool]:
    return acquire(obj).__await__()


async def await_set(event: Event) -> bool:
    if not event.is_set():
        await admitted(event)
    return True


def await_event(event: Event) -> Generator[Any, None, bool]:
    return await_set(event).__await__()


async def watch_cell(cell: Cell[Any], *, copy: bool = True) -> AsyncIterator[Any]:
    seen = 0
    while True:
        version, value = cell._get(copy)
        if version != seen:
            seen = version
            yield value
        else:
            await admitted(cell, seen)


async def watch_key(map: Map[Any, Any], key: object, *, copy: bool = True) -> AsyncIterator[Any]:
    seen = 0
    while True:
        found = map._get(key, copy)
        if found is not None and found[0] != seen:
            seen, value = found
            yield value
        else:
            await admitted(map, key, seen)
