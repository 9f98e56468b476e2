"""The contenders of bench/compare_nats.py in Python: each reads lines "SCENARIO SIZE COUNT" and prints seconds.

    python bench/nats_peers.py xichan|nats-py URL

The same protocol and the same work as bench/nats_lower_bound.cpp. In `one_way` a second process receives, which this
program starts with `--receive`.
"""

import asyncio
import subprocess
import sys
import time

WINDOW = 256  # messages that a fetch asks for, and publishes that wait for their acknowledgment
PATIENCE = 10.0  # seconds


def percentiles(times):
    """Return the 50th and 99th percentile."""
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def start_receiver(contender, url, name, size, count):
    """Start a process that receives from a channel; return it when it is connected."""
    command = [sys.executable, __file__, contender, url, "--receive", name, str(size), str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def finish_receiver(process):
    assert process.stdout.readline() == "done\n", "the receiver failed"
    process.stdin.close()
    process.wait()


class Xichan:
    """xichan.nats: `send`, `send_many` and `recv_many`."""

    name = "xichan"

    def __init__(self, url):
        import xichan.nats

        self.url, self.hub, self.number = url, xichan.nats.connect(url), 0

    def run(self, scenario, size, count):
        self.number += 1
        name = f"bench-{self.number}"
        tx, rx = self.hub.channel(name, capacity=count, storage="memory")
        value = b"x" * size
        try:
            return getattr(self, scenario)(tx, rx, value, count, name)
        finally:
            tx.shutdown(immediate=True)
            tx.close()
            rx.close()

    def publish_ack(self, tx, rx, value, count, name):
        times = []
        start = time.perf_counter()
        for _ in range(count):
            begin = time.perf_counter()
            tx.send(value, timeout=PATIENCE)
            times.append(time.perf_counter() - begin)
        return time.perf_counter() - start, *percentiles(times)

    def pipelined(self, tx, rx, value, count, name):
        start = time.perf_counter()
        assert tx.send_many([value] * count, timeout=PATIENCE) == count
        return (time.perf_counter() - start,)

    def fetch_ack(self, tx, rx, value, count, name):
        assert tx.send_many([value] * count, timeout=PATIENCE) == count
        start = time.perf_counter()
        self.drain(rx, len(value), count)
        return (time.perf_counter() - start,)

    def one_way(self, tx, rx, value, count, name):
        receiver = start_receiver(self.name, self.url, name, len(value), count)
        start = time.perf_counter()
        assert tx.send_many([value] * count, timeout=PATIENCE) == count
        finish_receiver(receiver)
        return (time.perf_counter() - start,)

    def drain(self, rx, size, count):
        while count:
            values = rx.recv_many(min(WINDOW, count), timeout=PATIENCE)
            assert all(len(value) == size for value in values)
            count -= len(values)

    def close(self):
        self.hub.close()

    def receive(self, name, size, count):
        rx = self.hub.receiver(name)
        print("ready", flush=True)
        self.drain(rx, size, count)
        print("done", flush=True)
        sys.stdin.read()


class NatsPy:
    """nats-py, on asyncio."""

    name = "nats-py"

    def __init__(self, url):
        self.url, self.number, self.loop = url, 0, asyncio.new_event_loop()
        self.loop.run_until_complete(self.connect())

    async def connect(self):
        import nats

        self.connection = await nats.connect(self.url)
        self.js = self.connection.jetstream(publish_async_max_pending=WINDOW)

    def run(self, scenario, size, count):
        return self.loop.run_until_complete(self.arun(scenario, b"x" * size, count))

    async def arun(self, scenario, value, count):
        from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType

        self.number += 1
        name = f"peer-{self.number}"
        await self.js.add_stream(
            name=name,
            subjects=[name],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            storage=StorageType.MEMORY,
            max_msgs=count,
            duplicate_window=120,
        )
        try:
            return await getattr(self, scenario)(value, count, name)
        finally:
            await self.js.delete_stream(name)

    async def publish_ack(self, value, count, name):
        times = []
        start = time.perf_counter()
        for number in range(count):
            begin = time.perf_counter()
            await self.js.publish(name, value, headers={"Nats-Msg-Id": f"m{number}"}, timeout=PATIENCE)
            times.append(time.perf_counter() - begin)
        return time.perf_counter() - start, *percentiles(times)

    async def publish_all(self, value, count, name):
        pending = [
            await self.js.publish_async(name, value, headers={"Nats-Msg-Id": f"m{number}"}) for number in range(count)
        ]
        await asyncio.gather(*pending)

    async def pipelined(self, value, count, name):
        start = time.perf_counter()
        await self.publish_all(value, count, name)
        return (time.perf_counter() - start,)

    async def fetch_ack(self, value, count, name):
        await self.publish_all(value, count, name)
        start = time.perf_counter()
        await self.drain(name, len(value), count)
        return (time.perf_counter() - start,)

    async def one_way(self, value, count, name):
        receiver = start_receiver(self.name, self.url, name, len(value), count)
        start = time.perf_counter()
        await self.publish_all(value, count, name)
        await asyncio.to_thread(finish_receiver, receiver)
        return (time.perf_counter() - start,)

    async def drain(self, name, size, count):
        subscription = await self.js.pull_subscribe(name, "consumer")
        while count:
            messages = await subscription.fetch(min(WINDOW, count), timeout=PATIENCE)
            for message in messages:
                assert len(message.data) == size
                await message.ack()
            count -= len(messages)
        await self.connection.flush()

    def close(self):
        self.loop.run_until_complete(self.connection.close())
        self.loop.close()

    def receive(self, name, size, count):
        print("ready", flush=True)
        self.loop.run_until_complete(self.drain(name, size, count))
        print("done", flush=True)
        sys.stdin.read()


CONTENDERS = {contender.name: contender for contender in (Xichan, NatsPy)}


def main():
    contender, url, *rest = sys.argv[1:]
    peer = CONTENDERS[contender](url)
    if rest:
        _, name, size, count = rest
        peer.receive(name, int(size), int(count))
    else:
        for line in sys.stdin:
            scenario, size, count = line.split()
            print(*peer.run(scenario, int(size), int(count)), flush=True)
    peer.close()


if __name__ == "__main__":
    main()
