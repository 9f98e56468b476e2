"""max_bytes: the bound on the memory of queued messages."""

import asyncio
import random
import time

import pytest
from support import (
    PATIENCE,
    Call,
    alive,
    execute,
    interpreter,
    left_over,
    run_script,
    wait_for_blocked,
    wait_until,
)

import xichan

OPTIONS = {
    "mpmc": {"capacity": 1000},
    "unbounded": {"capacity": None},
    "spsc": {"capacity": 1000, "flavor": "spsc"},
    "relaxed": {"capacity": 1000, "flavor": "relaxed"},
}
flavors = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def cost(value):
    """Return the bytes that a value occupies in the arena, where it is not in a line."""
    tx, rx = xichan.channel(None)
    before = xichan.memory_stats().bytes
    tx.send(value)
    return xichan.memory_stats().bytes - before


SMALL = [None, True, False, 0, -1, 2**63 - 1, 0.5, "", "x" * 14, b"", b"x" * 14, ()]
LARGE = ["x" * 15, b"x" * 15, 2**63, (1,), ("x" * 100, (b"y" * 1000, 2**100)), b"z" * 5000]


@flavors
def test_each_message_is_charged_its_size(options):
    tx, rx = xichan.channel(max_bytes=100_000, **options)
    assert rx.stats().max_bytes == 100_000
    charged = 0
    for value in LARGE + SMALL:
        tx.send(value)
        charged += cost(value)
        assert tx.stats().bytes == charged == xichan.memory_stats().bytes
    for value in LARGE + SMALL:
        assert rx.recv() == value
        charged -= cost(value)
        assert tx.stats().bytes == charged == xichan.memory_stats().bytes
    assert charged == 0 and [cost(value) for value in SMALL] == [0] * len(SMALL)


@flavors
def test_max_bytes_is_exact(options):
    value = b"x" * 1000
    bound = 3 * cost(value)
    tx, rx = xichan.channel(max_bytes=bound, **options)
    for _ in range(3):
        for _ in range(3):
            tx.send_nowait(value)
        before = alive()
        with pytest.raises(xichan.ChannelFull):
            tx.send_nowait(value)
        with pytest.raises(xichan.ChannelTimeout):
            tx.send(value, timeout=0.01)
        with pytest.raises(xichan.ChannelFull):
            tx.send_nowait("x" * 15)
        tx.send_nowait("small values pass"[:14])
        assert alive() == before and tx.stats().bytes == bound
        assert rx.recv_many(10) == [value] * 3 + ["small values p"]
    assert tx.stats().bytes == 0


@flavors
def test_message_above_max_bytes_is_rejected(options):
    value = b"x" * 1000
    tx, rx = xichan.channel(max_bytes=cost(value), **options)
    tx.send(value)
    rx.recv()
    before = alive()
    large = value + b"x" * 16

    async def asynchronous():
        await tx.asend(large)

    for send in (tx.send, tx.send_nowait, lambda v: tx.send(v, 0), lambda v: tx.send_many([v]),
                 lambda v: xichan.select([(tx, v)]), lambda v: asyncio.run(asynchronous())):  # fmt: skip
        with pytest.raises(ValueError, match="max_bytes"):
            send(large)
    assert left_over(before) == {} and tx.stats().bytes == tx.stats().sent - 1 == 0
    tx.send(value)
    with pytest.raises(ValueError, match="max_bytes"):
        tx.send(large)  # also when it is full: it will never fit


@pytest.mark.parametrize("wrong, error", [(0, ValueError), (-1, ValueError), (2**63, ValueError), (10**100, ValueError),
                                          (True, TypeError), (1.5, TypeError), ("1", TypeError)])  # fmt: skip
def test_invalid_max_bytes_is_rejected(wrong, error):
    with pytest.raises(error, match="max_bytes"):
        xichan.channel(max_bytes=wrong)


def test_max_bytes_of_one_accepts_small_values_only():
    tx, rx = xichan.channel(max_bytes=1)
    tx.send_many(SMALL)
    with pytest.raises(ValueError, match="max_bytes"):
        tx.send("x" * 15)
    assert rx.drain() == SMALL and xichan.channel(max_bytes=2**63 - 1)[0].stats().max_bytes == 2**63 - 1


@pytest.mark.parametrize("way", ["last receiver", "immediate", "last sender"])
@flavors
def test_closing_releases_the_bytes(options, way):
    tx, rx = xichan.channel(max_bytes=100_000, **options)
    tx.send_many(LARGE)
    if way == "last receiver":
        rx.close()
        assert tx.stats().bytes == 0
    elif way == "immediate":
        rx.shutdown(immediate=True)
        assert rx.stats().bytes == 0
    else:
        tx.close()
        assert list(rx) == LARGE and rx.stats().bytes == 0
    assert xichan.memory_stats().bytes == 0


@flavors
def test_blocked_senders_of_all_sizes_succeed(options):
    shared = options.get("flavor") != "spsc"
    sizes = [100, 900, 200, 800, 15, 950, 300, 700, 400, 1] * (3 if shared else 1)
    tx, rx = xichan.channel(max_bytes=1100, **options)
    tx.send(b"x" * 950)
    calls = [Call((tx.clone() if shared else tx).send, bytes(size)) for size in sizes]
    wait_until(lambda: tx.stats().waiting_senders == sum(size > 100 for size in sizes) or len(rx) > 1)
    received = [rx.recv(PATIENCE) for _ in range(len(sizes) + 1)]
    for call in calls:
        call.result()
    assert sorted(map(len, received)) == sorted([950, *sizes]) and tx.stats().bytes == 0


def test_free_slot_wakes_a_sender_that_fits():
    """The first waiter lacks bytes, the second only a slot."""
    tx, rx = xichan.channel(2, max_bytes=1000)
    tx.send_many([1, b"x" * 800])
    large = Call(tx.send, b"y" * 500)
    wait_for_blocked(rx, senders=1)
    small = Call(tx.send, 2)
    wait_for_blocked(rx, senders=2)
    assert rx.recv() == 1
    small.result(10)
    assert rx.recv() == b"x" * 800
    large.result()
    assert rx.drain() == [2, b"y" * 500]


def test_free_bytes_wake_a_sender_that_fits():
    """One receive makes room for two smaller messages behind a larger one."""
    tx, rx = xichan.channel(None, max_bytes=1000)
    tx.send_many([b"a" * 500, b"b" * 300])
    large = Call(tx.send, b"c" * 800)
    wait_for_blocked(rx, senders=1)
    smaller = [Call(tx.send, b"d" * 200) for _ in range(2)]
    wait_for_blocked(rx, senders=3)
    assert rx.recv() == b"a" * 500
    for call in smaller:
        call.result(10)
    assert rx.recv_many(3) == [b"b" * 300, b"d" * 200, b"d" * 200]
    large.result()
    assert rx.recv() == b"c" * 800


@pytest.mark.parametrize("capacity, fill", [(1, [b"x" * 100]), (None, [b"x" * 950])])
def test_blocked_senders_do_not_wake_each_other(capacity, fill):
    tx, rx = xichan.channel(capacity, max_bytes=1100)
    tx.send_many(fill)
    calls = [Call(tx.send, b"y" * 200) for _ in range(6)]
    wait_until(lambda: tx.stats().parks >= 6)
    time.sleep(0.1)
    before, start = tx.stats().parks, time.process_time()
    time.sleep(0.3)
    parks, used = tx.stats().parks - before, time.process_time() - start
    rx.close()
    for call in calls:
        with pytest.raises(xichan.ChannelClosed):
            call.result()
    assert parks < 100 and used < 0.1, f"{parks} parks, {used} s of processor time"


@pytest.mark.parametrize("capacity", [2, 100, None])
def test_traffic_of_all_sizes_respects_max_bytes(capacity):
    pytest.importorskip("concurrent.interpreters")
    number = 3000
    tx, rx = xichan.channel(capacity, max_bytes=2000)
    source = f"""
        import random, time
        rng = random.Random(name)
        with tx:
            for i in range({number}):
                tx.send((name, i, bytes(rng.choice((0, 0, 10, 500, 1700)))) if rng.random() < 0.8 else i)
    """
    with interpreter(tx=tx, name=1) as one, interpreter(tx=tx, name=2) as other:
        tx.close()
        calls = [execute(one, source), execute(other, source)]
        received, most = [], 0
        for value in rx:
            most = max(most, rx.stats().bytes)
            received.append(value)
        for call in calls:
            call.result()
    assert len(received) == 2 * number and most <= 2000 and rx.stats().bytes == 0
    for name in (1, 2):
        order = [value[1] for value in received if type(value) is tuple and value[0] == name]
        assert order == sorted(order)


def test_coroutine_waits_for_bytes_without_blocking_its_loop():
    run_script(
        """
        import asyncio, xichan
        from support import run_loop, wait_until_blocked

        tx, rx = xichan.channel(10, max_bytes=1000)

        async def main():
            tx.send(b"x" * 800)
            sends = [tx.asend(b"y" * 500), tx.asend(b"z" * 400), xichan.aselect([(tx, b"v" * 450)])]
            tasks = [asyncio.create_task(send) for send in sends]
            cancelled = asyncio.create_task(tx.asend(b"never" * 60))
            await wait_until_blocked(rx, senders=4)
            cancelled.cancel()
            await asyncio.sleep(0.02)
            await tx.asend(1)
            assert rx.recv_nowait() == b"x" * 800
            received = [await rx.arecv() for _ in range(4)]
            await asyncio.gather(*tasks)
            assert received[0] == 1 and sorted(map(len, received[1:])) == [400, 450, 500]
            assert tx.stats().bytes == 0

        run_loop(main())
        """,
        timeout=15,
    )


def test_rendezvous_queues_no_bytes():
    tx, rx = xichan.channel(0, max_bytes=2000)
    sender = Call(tx.send, b"x" * 1000)
    wait_for_blocked(rx, senders=1)
    assert rx.recv() == b"x" * 1000 and tx.stats().bytes == 0
    sender.result()


def test_random_traffic_keeps_exact_byte_counts():
    rng = random.Random(11)
    tx, rx = xichan.channel(50, max_bytes=5000)
    queued = []
    for _ in range(5000):
        if rng.random() < 0.5:
            value = bytes(rng.choice((0, 14, 15, 100, 1000, 4000)))
            try:
                tx.send_nowait(value)
                queued.append(value)
            except xichan.ChannelFull:
                assert len(queued) == 50 or sum(map(cost, queued)) + cost(value) > 5000
        elif queued:
            assert rx.recv_nowait() == queued.pop(0)
        assert rx.stats().bytes == sum(map(cost, queued)) if rng.random() < 0.02 else True
