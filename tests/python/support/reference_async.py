"""asyncio operations that must not leak references. Each coroutine function is one round of a loop."""

import asyncio
import contextlib

import xichan
from support import Call, wait_for_blocked, wait_until_blocked
from support.reference_operations import REFUSED, TEXT, VALUE


async def exchanging():
    tx, rx = xichan.channel(8)
    async with tx, rx:
        await tx.asend((tx, VALUE))
        await rx.arecv()
        await tx.asend_many([VALUE, TEXT, 3])
        await rx.arecv_many(2)
        await rx.arecv(copy=False)
        await xichan.aselect([rx, (tx, VALUE)])
        await xichan.aselect([rx], copy=False)
        await tx.asend_many([1, TEXT, VALUE, VALUE])
        async for item in rx:
            if item == TEXT:
                break
        tx.close()
        async for _ in rx.views():
            pass


async def refusing():
    tx, rx = xichan.channel(1)
    for wrong in (
        lambda: tx.asend(object()), lambda: tx.asend((1, object())), lambda: tx.asend_many([1, object()]),
        lambda: rx.arecv_many(-1),
        lambda: xichan.aselect([1]), lambda: tx.asend_many(5), lambda: xichan.aselect([(tx, object())]),
    ):  # fmt: skip
        with contextlib.suppress(*REFUSED):
            await wrong()
            raise AssertionError
    rx.drain()
    tx.close()
    for late in (rx.arecv, lambda: tx.asend(1), lambda: xichan.aselect([rx]), lambda: rx.arecv_many(2)):
        with contextlib.suppress(*REFUSED):
            await late()
            raise AssertionError


def blocking_calls(tx, rx):
    """Return (calls that block on an empty channel, calls that block on a full one)."""
    return (rx.arecv, lambda: rx.arecv_many(2), lambda: xichan.aselect([rx]), lambda: anext(rx)), (
        lambda: tx.asend(VALUE), lambda: tx.asend_many([VALUE]), lambda: xichan.aselect([(tx, VALUE)]),
    )  # fmt: skip


async def end_each_call(end):
    """Block in each kind of call, then end it with `end(tx, rx, task)`."""
    for kind in range(2):
        tx, rx = xichan.channel(1)
        for k in range(len(blocking_calls(tx, rx)[kind])):
            tx, rx = xichan.channel(1)
            if kind:
                tx.send(TEXT)
            task = asyncio.ensure_future(blocking_calls(tx, rx)[kind][k]())
            await wait_until_blocked(tx, senders=kind, receivers=1 - kind)
            end(tx, rx, task)
            with contextlib.suppress(asyncio.CancelledError, *REFUSED, StopAsyncIteration):
                await task


async def cancelling():
    await end_each_call(lambda tx, rx, task: task.cancel())


async def cancelling_after_notification():
    def end(tx, rx, task):
        rx.drain() or tx.send(VALUE)
        task.cancel()

    await end_each_call(end)


async def waking():
    await end_each_call(lambda tx, rx, task: rx.drain() or tx.send(VALUE))


async def shutting_down():
    await end_each_call(lambda tx, rx, task: tx.shutdown(immediate=True))


async def closing_its_handle():
    await end_each_call(lambda tx, rx, task: (tx.close(), rx.close()))


async def timing_out():
    tx, rx = xichan.channel(1)
    for wait in blocking_calls(tx, rx)[0]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.001):
                await wait()


async def never_awaited():
    """Coroutines that are closed before they start."""
    tx, rx = xichan.channel(1)
    for kind in blocking_calls(tx, rx):
        for wait in kind:
            coroutine = wait()
            if hasattr(coroutine, "close"):
                coroutine.close()


async def with_threads():
    tx, rx = xichan.channel(1)
    call = Call(rx.recv)
    wait_for_blocked(tx, receivers=1)
    await tx.asend(VALUE)
    call.result()
    task = asyncio.ensure_future(rx.arecv())
    await wait_until_blocked(tx, receivers=1)
    Call(tx.send, VALUE).result()
    await task


def loops():
    """Event loops that are created and closed, also with a call blocked in one."""

    async def main():
        tx, rx = xichan.channel(1)
        asyncio.ensure_future(rx.arecv())
        await wait_until_blocked(tx, receivers=1)

    asyncio.run(exchanging())
    asyncio.run(main())
    loop = asyncio.new_event_loop()
    tx, rx = xichan.channel(1)
    task = loop.create_task(rx.arecv())
    loop.run_until_complete(wait_until_blocked(tx, receivers=1))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


OPERATIONS = {
    exchanging: 20, refusing: 20, cancelling: 5, cancelling_after_notification: 5, waking: 5, shutting_down: 5,
    closing_its_handle: 5, timing_out: 5, never_awaited: 20, with_threads: 10, loops: 2,
}  # fmt: skip
