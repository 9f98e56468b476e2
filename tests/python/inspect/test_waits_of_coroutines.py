"""The waits of inspect() of coroutines."""

import asyncio
import threading

from support import run_loop, run_script
from support.waits import line_of, waits

import xichan


def test_coroutines():
    tx, rx = xichan.channel(1)
    lock = xichan.Lock()
    lock.acquire()

    async def receive():
        return await rx.arecv()

    async def acquire():
        async with lock:
            pass

    async def wait_for(count):
        async with asyncio.timeout(30):
            while len(waits()) != count:
                await asyncio.sleep(0)
        return {wait.call: wait for wait in waits()}

    async def main():
        tasks = [asyncio.create_task(receive()), asyncio.create_task(acquire())]
        found = await wait_for(2)
        assert {name: (wait.place, wait.function) for name, wait in found.items()} == {
            "Receiver.arecv": (line_of(receive), "test_coroutines.<locals>.receive"),
            "Lock.acquire": (line_of(acquire), "test_coroutines.<locals>.acquire"),
        }
        for wait in found.values():
            assert wait.coroutine and wait.thread == threading.get_native_id() and not wait.timeout
        assert found["Receiver.arecv"].channels == (rx.id,)
        # The thread that wakes a coroutine ends its wait, before the loop knows.
        tx.send(1)
        lock.release()
        assert waits() == []
        assert await tasks[0] == 1
        await tasks[1]
        cancelled = asyncio.create_task(receive())
        await wait_for(1)
        cancelled.cancel()
        await wait_for(0)

    run_loop(main())


def test_threads_and_coroutines_have_slots_of_their_own():
    run_script(
        """
        import asyncio, threading, xichan

        tx, rx = xichan.channel(1)
        other_tx, other_rx = xichan.channel(1)

        async def main():
            tasks = [asyncio.create_task(rx.arecv()) for _ in range(1100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            found = xichan.inspect()
            assert len(found.waits) == 1024 and found.unshown_waits == 76, (len(found.waits), found.unshown_waits)
            thread = threading.Thread(target=other_rx.recv)
            thread.start()
            while len(xichan.inspect().waits) != 1025:
                await asyncio.sleep(0)
            other_tx.send(1)
            thread.join()
            tx.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert xichan.inspect().waits == () and xichan.inspect().unshown_waits == 0

        asyncio.run(main())
        """
    )
