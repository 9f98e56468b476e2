"""Coroutines in one event loop: what wakes them and what ends their waits."""

import asyncio

import pytest
from support import FLAVORS, alive, counts, left_over, run_loop, wait_until_blocked

import xichan

TEXT = "text that needs a block"


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_producer_and_consumer_in_one_loop(options):
    tx, rx = xichan.channel(**options)

    async def produce():
        async with tx as end:
            assert end is tx
            for i in range(500):
                await tx.asend((i, TEXT) if i % 2 else i)

    async def consume():
        return [value async for value in rx]

    async def main():
        return (await asyncio.gather(produce(), consume()))[1]

    assert run_loop(main()) == [(i, TEXT) if i % 2 else i for i in range(500)]
    assert counts(rx) == (0, 1) and rx.closed


def test_ready_call_does_not_yield_to_the_loop():
    tx, rx = xichan.channel(4)
    for coroutine in (tx.asend(1), tx.asend_many([2, 3])):
        with pytest.raises(StopIteration):
            coroutine.send(None)
    for coroutine, expected in ((rx.arecv(), 1), (rx.arecv_many(9), [2, 3])):
        with pytest.raises(StopIteration) as caught:
            coroutine.send(None)
        assert caught.value.value == expected


def test_producer_and_consumer_wait_for_each_other():
    tx, rx = xichan.channel(1)

    async def main():
        receiver = asyncio.create_task(rx.arecv())
        await wait_until_blocked(tx, receivers=1)
        await tx.asend("a")
        assert await receiver == "a"
        await tx.asend("b")
        sender = asyncio.create_task(tx.asend(value="c"))
        await wait_until_blocked(rx, senders=1)
        assert await rx.arecv() == "b"
        await sender
        assert await rx.arecv() == "c"

    run_loop(main())


def test_coroutines_send_and_receive_batches():
    tx, rx = xichan.channel(3)

    async def main():
        sender = asyncio.create_task(tx.asend_many((i, TEXT) for i in range(50)))
        received = []
        while len(received) < 50:
            part = await rx.arecv_many(4)
            assert 1 <= len(part) <= 4
            received += part
        assert received == [(i, TEXT) for i in range(50)] and await sender == 50
        with pytest.raises(xichan.NotShareableError) as caught:
            await tx.asend_many([1, 2, len])
        assert caught.value.sent == 2 and caught.value.item is len
        assert await rx.arecv_many(max_items=1) == [1]
        task = asyncio.create_task(tx.asend_many(range(9)))
        await wait_until_blocked(rx, senders=1)
        rx.shutdown()
        assert await task == 2, "what was sent before the end counts"
        with pytest.raises(xichan.ChannelClosed):
            await tx.asend_many([1])
        assert await tx.asend_many([]) == 0

    run_loop(main())


def test_argument_errors_are_raised_at_once():
    tx, rx = xichan.channel(1)

    async def main():
        with pytest.raises(xichan.NotShareableError, match="object"):
            await tx.asend(object())
        for wrong in (lambda: tx.asend(), lambda: tx.asend(1, 2), lambda: rx.arecv(1), lambda: rx.arecv_many()):
            with pytest.raises(TypeError):
                await wrong()
        with pytest.raises(ValueError, match="max_items"):
            await rx.arecv_many(0)
        rx.close()
        for closed in (tx.asend(1), rx.arecv(), rx.arecv_many(1), rx.__anext__(), rx.__aenter__()):
            with pytest.raises(xichan.ChannelClosed):
                await closed

    run_loop(main())


WAYS = {
    "own handle": lambda mine, theirs: mine.close(),
    "other side": lambda mine, theirs: theirs.close(),
    "shutdown": lambda mine, theirs: mine.shutdown(),
    "immediate": lambda mine, theirs: theirs.shutdown(True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["asend", "arecv", "loop", "aselect"])
@pytest.mark.parametrize("capacity", [0, 1])
def test_closing_ends_a_waiting_coroutine(way, kind, capacity):
    tx, rx = xichan.channel(capacity)
    before = alive()

    async def main():
        if kind == "asend" and capacity:
            tx.send("full")
        mine, theirs = (tx, rx) if kind == "asend" else (rx, tx)

        async def loop():
            return [value async for value in rx]

        calls = {"asend": lambda: tx.asend(TEXT), "arecv": rx.arecv, "loop": loop,
                 "aselect": lambda: xichan.aselect([rx])}  # fmt: skip
        tasks = [asyncio.create_task(calls[kind]()) for _ in range(3)]
        await wait_until_blocked(theirs, **{"senders" if kind == "asend" else "receivers": 3})
        WAYS[way](mine, theirs)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        if kind == "loop" and way != "own handle":
            assert results == [[]] * 3
        else:
            assert [type(result) for result in results] == [xichan.ChannelClosed] * 3
            assert kind != "aselect" or results[0].case is rx

    run_loop(main())
    assert left_over(before) == {}


def test_endpoints_work_in_a_task_group():
    tx, rx = xichan.channel(8)
    total = []

    async def consume():
        total.append(sum([value async for value in rx]))

    async def main():
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(consume())
            async with asyncio.TaskGroup() as producers:
                for i in range(20):
                    producers.create_task(tx.asend_many(range(i, 2000, 20)))
            tx.close()

    run_loop(main())
    assert sum(total) == sum(range(2000))
    tx, rx = xichan.channel(1)

    async def failing():
        await wait_until_blocked(tx, receivers=3)
        raise ZeroDivisionError

    async def broken():
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(rx.arecv())
                group.create_task(failing())
        assert tx.stats().waiting_receivers == 0

    run_loop(broken())


def test_many_tasks_share_one_channel():
    tx, rx = xichan.channel(16)

    async def main():
        tasks = [asyncio.create_task(rx.arecv()) for _ in range(1000)]
        await wait_until_blocked(tx, receivers=1000)
        for task in tasks[::7]:
            task.cancel()
        left = 1000 - len(tasks[::7])
        await tx.asend_many(range(left))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sorted(r for r in results if type(r) is int) == list(range(left))
        assert len(rx) == tx.stats().waiting_receivers == 0

    run_loop(main())
