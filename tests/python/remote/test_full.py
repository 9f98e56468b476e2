"""Full channels: calls wait for room and are woken, in this process and in others."""

import itertools
import threading

import pytest
from support import Call, rich, run_loop, wait_for_sleep, wait_until

import xichan

nats = pytest.importorskip("xichan.nats")


def asleep(function, *args):
    call = Call(function, *args)
    wait_until(lambda: call.native_id)
    wait_for_sleep(call.native_id)
    assert call.is_alive()
    return call


def test_unacknowledged_values_count(hub, name):
    tx, rx = hub.channel(name, capacity=2, ack="lease")
    tx.send_many([1, 2])
    lease = rx.lease()
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(3)
    call = asleep(tx.send, 3)
    lease.ack()
    call.result()


def test_each_freed_place_wakes_one_of_the_waiting_sends(hub, server, name):
    tx, rx = hub.channel(name, capacity=1)
    tx.send("first")
    with nats.connect(server.url) as other:
        senders = [hub.sender(name), other.sender(name), other.sender(name)]
        calls = [asleep(one.send, i) for i, one in enumerate(senders)]
        got = [rx.recv(timeout=60) for _ in range(4)]
        for call in calls:
            call.result()
    assert got[0] == "first" and sorted(got[1:]) == [0, 1, 2]


def test_wake_is_not_left_to_the_timer(hub, name):
    # The timer is for lost messages: it would let 100 values pass in 100 seconds.
    tx, rx = hub.channel(name, capacity=1)
    sending = Call(lambda: [tx.send(i) for i in range(100)])
    assert [rx.recv(timeout=20) for _ in range(100)] == list(range(100))
    sending.result()


def test_send_that_gives_up_leaves_its_place_to_another(hub, name):
    tx, rx = hub.channel(name, capacity=1)
    tx.send(0)
    waiting = asleep(tx.send, 1)
    for _ in range(3):
        with pytest.raises(xichan.ChannelTimeout, match="full"):
            tx.send(2, timeout=0.02)
    assert rx.recv() == 0
    waiting.result()
    assert rx.recv() == 1


def test_max_bytes_bounds_what_is_queued(hub, name):
    tx, rx = hub.channel(name, capacity=None, max_bytes=20_000)
    assert tx.send_many((bytes(5000) for _ in range(10)), timeout=0.2) == 3
    rx.recv()
    tx.send(bytes(5000), timeout=30)


def test_full_channel_does_not_change_the_order(hub, name):
    tx, rx = hub.channel(name, capacity=20)
    call = Call(tx.send_many, range(500))
    received = []
    while len(received) < 500:
        received += rx.recv_many(7, timeout=60)
    assert received == list(range(500)) and call.result() == 500


def test_coroutines_wait_for_room(hub, name):
    import asyncio

    tx, rx = hub.channel(name, capacity=2)

    async def main():
        sending = [asyncio.create_task(tx.asend(i)) for i in range(20)]
        got = [await rx.arecv() for _ in range(20)]
        await asyncio.gather(*sending)
        return got

    assert sorted(run_loop(main())) == list(range(20))


def test_close_of_the_sender_wakes_its_blocked_calls(hub, name):
    tx, rx = hub.channel(name, capacity=1, keep=True)
    tx.send(0)
    call = asleep(tx.send, 1)
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()
    assert rx.recv() == 0


def test_traffic_of_several_senders_and_receivers_arrives_once(hub, server, name):
    numbers = itertools.count()
    got, lock = [], threading.Lock()
    with nats.connect(server.url) as other:
        tx, rx = hub.channel(name, capacity=10)
        senders = [tx, other.sender(name), other.sender(name)]
        receivers = [rx, other.receiver(name)]

        def produce(sender):
            for _ in range(100):
                sender.send(next(numbers))
            sender.close()

        def consume(receiver):
            for value in receiver:
                with lock:
                    got.append(value)

        calls = [Call(produce, sender) for sender in senders] + [Call(consume, receiver) for receiver in receivers]
        for call in calls:
            call.result()
    assert sorted(got) == list(range(300))


def test_values_of_all_types_arrive_in_batches(hub, name):
    tx, rx = hub.channel(name)
    values = list(rich()) * 3
    assert tx.send_many(values) == len(values)
    tx.close()
    assert len(list(rx)) == len(values)


def test_shutdown_in_the_middle_of_many_values_counts_those_stored(hub, name):
    tx, rx = hub.channel(name, capacity=None)

    def values():
        for i in range(5000):
            if i == 3000:
                rx.shutdown()
            yield i

    sent = tx.send_many(values())
    assert sent < 5000
    assert list(rx) == list(range(sent))
