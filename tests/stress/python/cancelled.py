"""asyncio: frequently cancelled receives lose no message, and a thousand pending receives use no CPU time."""

import asyncio
import time

from common import assert_released, feed_watchdog, rng, size
from support import Call, alive

import xichan

TEXT = "text that needs a block"


def produce(tx, stop):
    i = 0
    with tx:
        while not stop:
            tx.send((i, TEXT))
            i += 1
            if i % 8 == 0:
                time.sleep(rng.random() * 0.0004)  # random, so that some receives block and others do not
    return i


async def cancel(rx, number):
    """Cancel `number` receives in every state; return the items received meanwhile."""
    got, cancelled = [], 0
    while cancelled < number:
        task = asyncio.create_task(rx.arecv())
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0 if rng.random() < 0.8 else rng.random() * 0.0002)
        task.cancel()
        try:
            got.append((await task)[0])
        except asyncio.CancelledError:
            cancelled += 1
        if cancelled % 500 == 0:
            feed_watchdog()
    return got


async def drain(rx):
    return [value[0] async for value in rx]


async def idle(pending):
    """Return the CPU seconds per second that an event loop with this many pending receives uses."""
    pairs = [xichan.channel(1) for _ in range(pending)]
    tasks = [asyncio.create_task(rx.arecv()) for _, rx in pairs]
    while sum(tx.stats().waiting_receivers for tx, _ in pairs) != pending:
        await asyncio.sleep(0.01)
    processor, start = time.process_time(), time.perf_counter()
    await asyncio.sleep(2)
    used = (time.process_time() - processor) / (time.perf_counter() - start)
    for i, (tx, _) in enumerate(pairs):
        tx.send(i)
    assert await asyncio.gather(*tasks) == list(range(pending))
    return used


def main():
    number = size()
    before = alive()
    tx, rx = xichan.channel(3)
    stop = []
    producer = Call(produce, tx, stop)
    got = asyncio.run(cancel(rx, number))
    stop.append(True)
    got += asyncio.run(drain(rx))
    sent = producer.result()
    assert got == list(range(sent)), f"{sent} sent, {len(got)} received"
    pending = min(number, 1000)
    used = asyncio.run(idle(pending))
    del tx, rx, producer
    assert_released(before)
    print(f"cancelled: {number} receives, {sent} messages, none lost; {pending} pending ones use {used:.2%} of a CPU")
    assert used < 0.05, used


if __name__ == "__main__":
    main()
