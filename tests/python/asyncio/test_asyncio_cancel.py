"""Cancelled coroutines lose nothing and pass their wake-up on."""

import asyncio
import time

import pytest
from support import Call, alive, left_over, run_loop, wait_until_blocked

import xichan

TEXT = "text that needs a block"


def test_cancelled_arecv_takes_nothing():
    tx, rx = xichan.channel(4)

    async def main():
        for when in ("before", "after", "between"):
            task = asyncio.create_task(rx.arecv())
            await wait_until_blocked(tx, receivers=1)
            if when != "after":
                tx.send(TEXT)
            if when == "between":
                await asyncio.sleep(0.01)
                assert await task == TEXT
                continue
            task.cancel()
            if when == "after":
                tx.send(TEXT)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert rx.drain() == [TEXT]
        await wait_until_blocked(tx)

    run_loop(main())


@pytest.mark.parametrize("second", ["task", "thread", "other loop"])
@pytest.mark.parametrize("kind", ["recv", "send", "select"])
def test_cancelled_waiter_passes_on_its_wake_token(kind, second):
    """The first waiter was notified and leaves, so the next one must be notified."""
    tx, rx = xichan.channel(1)
    if kind == "send":
        tx.send("full")
    sync = {"recv": rx.recv, "send": lambda: tx.send("second"), "select": lambda: xichan.select([rx])[1]}[kind]

    async def asynchronous():
        result = await {"recv": rx.arecv, "send": lambda: tx.asend("second"), "select": lambda: xichan.aselect([rx])}[
            kind
        ]()
        return result[1] if kind == "select" else result

    async def main():
        side = "senders" if kind == "send" else "receivers"
        for _ in range(10):
            first = asyncio.create_task(asynchronous())
            await wait_until_blocked(tx, **{side: 1})
            if second == "task":
                waiting = asyncio.create_task(asynchronous())
            elif second == "thread":
                waiting = Call(sync)
            else:
                waiting = Call(run_loop, asynchronous())
            await wait_until_blocked(tx, **{side: 2})
            rx.recv() if kind == "send" else tx.send(TEXT)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            result = await waiting if second == "task" else await asyncio.to_thread(waiting.result)
            if kind == "send":
                assert len(rx) == 1
            else:
                assert result == TEXT and len(rx) == 0

    run_loop(main())


def test_500_cancellations_lose_nothing():
    """Receives with a timeout about as long as an item takes to arrive."""
    tx, rx = xichan.channel(2)
    number = 500

    def produce():
        for i in range(number):
            tx.send((i, TEXT))
            time.sleep(0.0005 if i % 3 else 0)
        tx.close()

    async def main():
        got, cancelled = [], 0
        while True:
            try:
                async with asyncio.timeout(0.0004):
                    got.append((await rx.arecv())[0])
            except TimeoutError:
                cancelled += 1
            except xichan.ChannelClosed:
                return got, cancelled

    producer = Call(produce)
    got, cancelled = run_loop(main())
    producer.result()
    assert got == list(range(number)) and cancelled > 20


def test_cancelled_asend_sends_nothing():
    tx, rx = xichan.channel(1)
    before = alive()

    async def main():
        tx.send("full")
        for i in range(200):
            task = asyncio.create_task(tx.asend((i, TEXT)))
            await wait_until_blocked(rx, senders=1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert rx.drain() == ["full"]
        await tx.asend(TEXT)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(tx.asend(TEXT), 0.02)
        assert rx.drain() == [TEXT] and rx.stats().waiting_senders == 0

    run_loop(main())
    assert left_over(before) == {}


def test_cancelled_rendezvous_asend_has_one_outcome():
    tx, rx = xichan.channel(0)

    async def main():
        sent = 0
        for i in range(100):
            task = asyncio.create_task(tx.asend((i, TEXT)))
            await wait_until_blocked(rx, senders=1)
            taken = i % 2 and rx.recv_nowait() == (i, TEXT)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            sent += bool(taken)
            with pytest.raises(xichan.ChannelEmpty):
                rx.recv_nowait()
            assert rx.stats().sent == sent

    run_loop(main())
