"""The coroutines of the objects that interpreters share. Imported when the first of them is called.

A coroutine joins the queue of an object and waits for a future of its event loop. The object admits it, from any
thread: what the coroutine waited for is its own then, and is released if the coroutine was cancelled meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref

from . import _core
from ._aio import notifier_of
from ._errors import ChannelClosed, ChannelEmpty, ChannelFull, OwnerDied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from typing import Any

    from ._core import Barrier, BroadcastReceiver, BroadcastSender, Cell, Condition, Event, Lock, Map, RLock, Semaphore

# The numbers of tasks that own an RLock have the highest bit; those of threads are counted up from 1.
_units = itertools.count(1 << 31)
_unit_of_task: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()


_OWNER_DIED = 1  # what a lock answers instead of being acquired


async def admitted(obj: Any, *wanted: Any) -> int:
    """Wait until ``obj`` admits this coroutine, and return its answer."""
    answer, _ = await admitted_at(obj, 0, *wanted)
    return answer


async def admitted_at(obj: Any, ticket: int, *wanted: Any) -> tuple[int, int]:
    """Wait at a place in the queue, 0 for the last. Return the answer, and the place for a call that waits again."""
    notifier = notifier_of(asyncio.get_running_loop())
    while True:
        watch, last = await notifier.join(obj, ticket, *wanted)
        answer: int | None = watch.close()
        ticket = watch.ticket()
        if answer is not None:
            watch.release()
            _core._renew_exit_patience()
            return answer, ticket
        watch.withdraw()
        if last:
            raise ChannelClosed("the interpreter is shutting down")


def _unit(obj: Lock | RLock) -> int:
    """Return the number of the current task, by which it owns an RLock; 0 for a Lock."""
    if not isinstance(obj, _core.RLock):
        return 0
    task = asyncio.current_task()
    assert task is not None
    unit = _unit_of_task.get(task)
    if unit is None:
        unit = _unit_of_task[task] = next(_units)
    return unit


async def _acquire(lock: Lock | RLock, unit: int) -> None:
    if not lock._acquire_nowait(unit) and await admitted(lock, unit) == _OWNER_DIED:
        raise OwnerDied(
            "the interpreter that held the lock has ended; the lock is free, but what it protects may be half changed"
        )


async def acquire(obj: Lock | RLock | Semaphore) -> bool:
    if isinstance(obj, _core.Semaphore):
        if not obj.acquire(False):
            await admitted(obj)
        return True
    await _acquire(obj, _unit(obj))
    return True


def _known_unit() -> int:
    """Return the number of the current task; 0 if there is none, or it has none, and so owns no RLock."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return 0
    return _unit_of_task.get(task, 0) if task is not None else 0


def release_of_task(lock: RLock) -> None:
    """Release an RLock that the current task holds."""
    lock._release(_known_unit())


def task_holds(lock: RLock) -> bool:
    """Return whether the current task holds an RLock."""
    return lock._owned(_known_unit())


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


async def _wait_barrier(barrier: Barrier) -> int:
    record = barrier._enter()
    returns = passed = False
    try:
        async with asyncio.timeout(barrier._timeout):
            await admitted(barrier, record)
        returns = True
    except TimeoutError:
        returns = True
    finally:
        passed = record.leave(returns)  # breaks the barrier if not all have arrived
    if not passed:
        raise threading.BrokenBarrierError("the barrier is broken; reset() makes it usable again")
    return record.index()


def await_barrier(barrier: Barrier) -> Generator[Any, None, int]:
    return _wait_barrier(barrier).__await__()


async def _acquire_again(lock: Lock | RLock, unit: int, depth: int) -> None:
    """Acquire a lock in any case, then raise what happened meanwhile."""
    failure: BaseException | None = None
    while True:
        try:
            await _acquire(lock, unit)
            break
        except asyncio.CancelledError as error:
            failure = error
        except OwnerDied as error:
            failure = failure or error
    lock._restore(depth)
    if failure is not None:
        raise failure


async def _wait_condition(condition: Condition) -> bool:
    lock = condition.lock
    unit = _unit(lock)
    record, depth = condition._enter(unit)
    try:
        await admitted(condition, record)
    except GeneratorExit:
        raise  # cannot wait for the lock: the coroutine is being destroyed
    except BaseException:
        record.leave(False)  # passes its notification on
        await _acquire_again(lock, unit, depth)
        raise
    try:
        await _acquire_again(lock, unit, depth)
    except BaseException:
        record.leave(False)
        raise
    record.leave(True)  # only now is it known that the call returns
    return True


def await_condition(condition: Condition) -> Generator[Any, None, bool]:
    return _wait_condition(condition).__await__()


async def await_for(condition: Condition, predicate: Callable[[], Any]) -> Any:
    while not (result := predicate()):
        await condition
    return result


async def watch_cell(cell: Cell[Any], *, copy: bool = True) -> AsyncIterator[Any]:
    seen = 0
    while True:
        version, value = cell._get(copy)
        if version != seen:
            seen = version
            yield value
        else:
            await admitted(cell, seen)


async def watch_key(table: Map[Any, Any], key: object, *, copy: bool = True) -> AsyncIterator[Any]:
    seen = 0
    while True:
        changes, version, value = table._get(key, copy)
        if version not in (0, seen):
            seen = version
            yield value
        else:
            await admitted(table, key, changes)


async def broadcast_send(tx: BroadcastSender[Any], value: object) -> None:
    ticket = 0
    while True:
        try:
            return tx.send_nowait(value)
        except ChannelFull:
            _, ticket = await admitted_at(tx, ticket)


async def broadcast_recv(rx: BroadcastReceiver[Any], *, copy: bool = True) -> Any:
    ticket = 0
    while True:
        try:
            return rx.recv_nowait(copy=copy)
        except ChannelEmpty:
            _, ticket = await admitted_at(rx, ticket)


async def broadcast_next(rx: Any) -> Any:
    ticket = 0
    while True:
        try:
            return rx._next_nowait()
        except ChannelEmpty:
            _, ticket = await admitted_at(rx, ticket)
