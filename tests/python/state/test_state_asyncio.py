"""Coroutines that wait for objects: admission, cancellation at each await, and many loops."""

import asyncio
import contextlib
import threading

import pytest
from support import Call, execute, interpreter, run_loop

from xichan import AtomicInt, Barrier, Cell, Condition, Event, Lock, OwnerDied, RLock, Semaphore, _core


async def until_waiting(obj, number):
    async with asyncio.timeout(30):
        while _core._waiting(obj) != number:
            await asyncio.sleep(0)


async def cancel(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", [Lock, RLock, Semaphore])
def test_async_with_and_await_acquire(kind):
    async def main():
        lock = kind()
        async with lock as value:
            assert value is None or value is True
            assert not await asyncio.to_thread(lock.acquire, False)
        assert await lock is True
        lock.release()
        assert await lock.aacquire() is True
        lock.release()

    run_loop(main())


@pytest.mark.parametrize("kind", [Lock, RLock])
def test_tasks_exclude_each_other(kind):
    async def main():
        lock, inside = kind(), 0

        async def use():
            nonlocal inside
            for _ in range(20):
                async with lock:
                    inside += 1
                    assert inside == 1
                    await asyncio.sleep(0)
                    inside -= 1

        await asyncio.gather(*(use() for _ in range(10)))
        assert not lock.locked()

    run_loop(main())


def test_rlock_is_recursive_for_its_task_alone():
    async def main():
        lock = RLock()
        async with lock, lock:
            other = asyncio.create_task(lock.aacquire())
            await until_waiting(lock, 1)
            assert not lock.acquire(False)  # the thread is another owner
            await cancel(other)
        with pytest.raises(RuntimeError, match="does not hold"):
            lock.release()
        assert not lock.locked()

    run_loop(main())


def test_tasks_acquire_in_their_order():
    async def main():
        lock, order = Lock(), []

        async def use(number):
            async with lock:
                order.append(number)

        await lock
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(use(number)))
            await until_waiting(lock, number + 1)
        lock.release()
        await asyncio.gather(*tasks)
        assert order == list(range(10))

    run_loop(main())


@pytest.mark.parametrize("kind", [Lock, RLock, lambda: Semaphore(1)])
def test_cancelled_acquire_passes_the_lock_on(kind):
    async def main():
        lock = kind()
        for steps in range(6):
            await lock
            first = asyncio.create_task(lock.aacquire())
            await until_waiting(lock, 1)
            second = asyncio.create_task(lock.aacquire())
            await until_waiting(lock, 2)
            lock.release()
            for _ in range(steps):
                await asyncio.sleep(0)
            first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                if await first and kind is not RLock:
                    lock.release()
                elif kind is RLock:
                    return  # it had acquired it before it was cancelled
            assert await second
            if kind is RLock:
                return  # the second task owns it
            lock.release()

    run_loop(main())


def test_dropped_coroutine_passes_the_lock_on():
    async def main():
        lock = Lock()
        await lock
        coroutine = lock.aacquire()
        coroutine.send(None)
        assert _core._waiting(lock) == 1
        lock.release()
        assert lock.locked()  # it is the coroutine's
        coroutine.close()
        assert not lock.locked()

    run_loop(main())


def test_event_wakes_coroutines_and_threads():
    async def main():
        event = Event()
        waits = [asyncio.ensure_future(event.await_set()) for _ in range(5)]
        thread = Call(event.wait)
        await until_waiting(event, 6)
        await cancel(waits.pop())
        await asyncio.to_thread(event.set)
        assert await asyncio.gather(*waits) == [True] * 4 and thread.result()
        assert await event is True

    run_loop(main())


def test_watch_yields_the_newest_value_and_none_twice():
    async def main():
        cell = Cell(0)
        seen = []

        async def watch():
            async for value in cell.watch():
                seen.append(value)
                if value == 100:
                    return
                await asyncio.sleep(0.0005)

        task = asyncio.create_task(watch())
        await until_waiting(cell, 1)
        for number in range(1, 101):
            await asyncio.to_thread(cell.set, number)
        await task
        assert seen == sorted(set(seen)) and seen[0] == 0 and seen[-1] == 100
        later = asyncio.create_task(anext(cell.watch()))
        assert await later == 100

        async def watch_views():
            async for value in cell.watch(copy=False):
                return value

        cell.set(("a text that needs a block of its own", 1))
        assert type(await watch_views()).__name__ == "TupleView"

    run_loop(main())


def test_cancelled_watch_leaves_no_waiter():
    async def main():
        cell = Cell(0)
        iterator = cell.watch()
        assert await anext(iterator) == 0
        task = asyncio.ensure_future(anext(iterator))
        await until_waiting(cell, 1)
        await cancel(task)
        assert _core._waiting(cell) == 0

    run_loop(main())


def test_barrier_joins_coroutines_and_threads():
    async def main():
        barrier = Barrier(4)

        async def wait():
            return await barrier

        for _ in range(10):
            tasks = [asyncio.create_task(wait()) for _ in range(3)]
            thread = Call(barrier.wait)
            results = [*await asyncio.gather(*tasks), await asyncio.to_thread(thread.result)]
            assert sorted(results) == [0, 1, 2, 3]
        assert await Barrier(1) == 0

    run_loop(main())


def test_cancelled_coroutine_breaks_the_barrier():
    async def main():
        barrier = Barrier(3)

        async def wait():
            return await barrier

        tasks = [asyncio.create_task(wait()) for _ in range(2)]
        await until_waiting(barrier, 2)
        await cancel(tasks[0])
        with pytest.raises(threading.BrokenBarrierError):
            await tasks[1]
        assert barrier.broken
        with pytest.raises(threading.BrokenBarrierError):
            await wait()
        barrier.reset()
        dropped = wait()
        dropped.send(None)
        assert barrier.n_waiting == 1
        dropped.close()
        assert barrier.broken

    run_loop(main())


def test_barrier_timeout_applies_to_coroutines():
    async def main():
        barrier = Barrier(2, 0.02)
        with pytest.raises(threading.BrokenBarrierError):
            await barrier
        assert barrier.broken

    run_loop(main())


@pytest.mark.parametrize("kind", [Lock, RLock])
def test_condition_passes_items_between_tasks(kind):
    async def main():
        condition, items, taken = Condition(kind()), [], []

        async def take():
            for _ in range(20):
                async with condition:
                    taken.append(await condition.await_for(lambda: items and items.pop(0)))

        async def put():
            for number in range(1, 101):
                async with condition:
                    items.append(number)
                    condition.notify()
                await asyncio.sleep(0)

        await asyncio.gather(put(), *(take() for _ in range(5)))
        assert sorted(taken) == list(range(1, 101)) and not condition.locked()

    run_loop(main())


def test_condition_of_an_rlock_restores_the_depth_of_the_task():
    async def main():
        condition = Condition()

        async def wait():
            async with condition, condition:
                assert await condition is True
                assert not await asyncio.to_thread(condition.acquire, False)
            assert not condition.lock._owned(0)

        task = asyncio.create_task(wait())
        await until_waiting(condition, 1)
        async with condition:
            condition.notify_all()
        await task
        assert not condition.locked()

    run_loop(main())


def test_condition_needs_the_lock_of_the_task():
    async def main():
        condition = Condition()
        async with condition:
            pass
        with pytest.raises(RuntimeError, match="acquire it first"):
            condition.notify()
        with pytest.raises(RuntimeError, match="acquire it first"):
            await condition
        assert _core._waiting(condition) == 0

    run_loop(main())


@pytest.mark.parametrize("kind", [Lock, RLock])
@pytest.mark.parametrize("steps", range(5))
def test_cancelled_condition_holds_the_lock_and_passes_the_notification_on(kind, steps):
    async def main():
        condition = Condition(kind())
        woken = []

        async def wait(number):
            async with condition:
                try:
                    await condition
                    woken.append(number)
                finally:
                    assert condition.locked()
            return number

        first = asyncio.create_task(wait(1))
        await until_waiting(condition, 1)
        second = asyncio.create_task(wait(2))
        await until_waiting(condition, 2)
        async with condition:
            condition.notify()
            for _ in range(steps):
                await asyncio.sleep(0)
            first.cancel()  # also while it acquires the lock again
        with contextlib.suppress(asyncio.CancelledError):
            await first
        if 1 in woken:  # it was cancelled after wait() had its outcome: what it does about that is its own affair
            async with condition:
                condition.notify()
        assert await second == 2
        assert not condition.locked()

    run_loop(main())


def test_cancellation_while_the_lock_is_acquired_again_is_delivered_with_the_lock_held():
    async def main():
        condition = Condition(Lock())
        reached = []

        async def wait():
            async with condition:
                try:
                    await condition
                except asyncio.CancelledError:
                    reached.append(condition.locked())
                    raise

        task = asyncio.create_task(wait())
        await until_waiting(condition, 1)
        await condition.aacquire()
        condition.notify()
        for _ in range(5):
            await asyncio.sleep(0.001)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0.001)
        assert not task.done()
        condition.release()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert reached == [True] and not condition.locked()

    run_loop(main())


def test_loops_of_four_interpreters_share_a_lock_and_a_condition():
    condition, total = Condition(Lock()), Cell(0)
    done = AtomicInt()
    source = """
        import asyncio
        async def use():
            for _ in range(25):
                async with condition:
                    total.set(total.get() + 1)
                    condition.notify_all()
        async def main():
            async with condition:
                waiter = asyncio.create_task(wait())
            await asyncio.gather(*(use() for _ in range(5)))
            await waiter
        async def wait():
            async with condition:
                await condition.await_for(lambda: total.get() >= 500)
            done.add()
        asyncio.run(asyncio.wait_for(main(), 60))
        """
    with contextlib.ExitStack() as stack:
        interps = [stack.enter_context(interpreter(condition=condition, total=total, done=done)) for _ in range(4)]
        for call in [execute(interp, source) for interp in interps]:
            call.result(90)
    assert total.get() == 500 and done.value == 4


def test_coroutine_learns_that_the_owner_died():
    async def main():
        lock = Lock()
        with contextlib.ExitStack() as stack:
            stack.enter_context(interpreter(lock=lock)).exec("lock.acquire()")
            task = asyncio.create_task(lock.aacquire())
            await until_waiting(lock, 1)
            await asyncio.to_thread(stack.close)
            with pytest.raises(OwnerDied):
                await task
        assert await lock
        lock.release()

    run_loop(main())
