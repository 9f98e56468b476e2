"""broadcast(): coroutines."""

import asyncio

import pytest
from support import run_loop
from support.broadcasts import MODES, drain, waiting

import xichan
from xichan import Lagged


@MODES
def test_async_iteration_receives_every_message(overflow):
    async def main():
        tx, subscribe = xichan.broadcast(64, overflow)

        async def consume(rx):
            return [value async for value in rx]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(consume(subscribe())) for _ in range(3)]
            for number in range(50):
                await tx.asend(number)
                if number % 10 == 0:
                    await asyncio.sleep(0)
            tx.close()
        assert [task.result() for task in tasks] == [list(range(50))] * 3

    run_loop(main())


def test_asend_waits_for_the_slowest_subscriber():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        await tx.asend(1)
        task = asyncio.create_task(tx.asend(2))
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        assert await rx.arecv() == 1
        await task
        assert await rx.arecv() == 2

    run_loop(main())


def test_cancelled_calls_have_sent_and_received_nothing():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        receiving = asyncio.create_task(rx.arecv())
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        receiving.cancel()
        tx.send(1)
        with pytest.raises(asyncio.CancelledError):
            await receiving
        sending = asyncio.create_task(tx.asend("never"))
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert waiting(subscribe) == 0
        assert drain(rx) == [1]

    run_loop(main())


def test_async_calls_raise_when_their_handle_is_closed():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx, full = subscribe(), subscribe()
        tx.send(1)
        assert rx.recv() == 1
        tasks = [asyncio.create_task(call) for call in (rx.arecv(), anext(rx), tx.asend(2))]
        while waiting(subscribe) != 3:
            await asyncio.sleep(0)
        rx.close()
        tx.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [xichan.ChannelClosed] * 3
        assert [value async for value in full] == [1]

    run_loop(main())


def test_async_iteration_raises_lagged_and_continues():
    async def main():
        tx, subscribe = xichan.broadcast(2, "drop_oldest")
        rx = subscribe()
        for number in range(5):
            tx.send(number)
        tx.close()
        with pytest.raises(Lagged) as raised:
            await anext(rx)
        assert raised.value.missed == 3
        assert [value async for value in rx] == [3, 4]

    run_loop(main())


def test_sender_thread_wakes_a_waiting_coroutine():
    async def main():
        tx, subscribe = xichan.broadcast(1)
        rx = subscribe()
        task = asyncio.create_task(rx.arecv())
        while waiting(subscribe) != 1:
            await asyncio.sleep(0)
        await asyncio.to_thread(tx.send, 1)
        assert await task == 1

    run_loop(main())
