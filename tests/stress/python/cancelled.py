"""asyncio: receives that are cancelled all the time lose nothing, and a thousand pending ones use no processor time."""

import asyncio
import time

from common import progress, rng, settle, size
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
                time.sleep(rng.random() * 0.0004)  # chance, not order: so that receives wait and do not wait
    return i


async def cancel(rx, number):
    """Cancels so many receives, in every state that they can be in; what was received meanwhile."""
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
            progress()
    return got


async def drain(rx):
    return [value[0] async for value in rx]


async def idle(pending):
    """Processor seconds that a loop with so many pending receives uses, per second."""
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
    settle(before)
    print(f"cancelled: {number} receives, {sent} messages, none lost; {pending} pending use {used:.2%} of a processor")
    assert used < 0.05, used


if __name__ == "__main__":
    main()
