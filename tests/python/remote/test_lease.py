"""Acknowledgments: leases, redelivery, dead letters."""

import asyncio

import pytest
from support import run_loop, wait_until

import xichan

pytest.importorskip("xichan.nats")


def test_value_is_acknowledged_at_the_end_of_the_block(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send("job")
    lease = rx.lease()
    assert (lease.value, lease.delivery, lease.done) == ("job", 1, False)
    with lease as value:
        assert value == "job"
        assert len(rx) == 1 and rx.stats().unacknowledged == 1
    assert lease.done
    wait_until(lambda: len(rx) == 0)


def test_value_is_returned_by_an_exception_and_counted(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send("job")
    for delivery in (1, 2, 3):
        lease = rx.lease(timeout=30)
        assert lease.delivery == delivery
        with pytest.raises(KeyError), lease:
            raise KeyError("no")
    lease = rx.lease(timeout=30)
    lease.ack()
    assert lease.delivery == 4
    with pytest.raises(ValueError, match="acknowledged or returned"):
        lease.nak()


def test_value_that_is_not_acknowledged_is_delivered_again(hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=0.3)
    tx.send("job")
    lost = rx.lease(timeout=30)
    again = rx.lease(timeout=30)
    assert (again.value, lost.delivery, again.delivery) == ("job", 1, 2)
    again.ack()
    wait_until(lambda: len(rx) == 0)


def test_extended_lease_is_not_delivered_again(hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=1)
    tx.send("job")
    lease = rx.lease(timeout=30)
    for _ in range(6):
        lease.extend()
        with pytest.raises(xichan.ChannelTimeout):
            rx.lease(timeout=0.4)
    lease.ack()


def test_channel_by_lease_refuses_calls_that_acknowledge(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send(1)
    for call in (rx.recv, rx.recv_nowait, lambda: rx.recv_many(2), rx.drain, lambda: next(rx)):
        with pytest.raises(TypeError, match=r"use lease\(\)"):
            call()
    rx.lease().ack()


def test_value_becomes_a_dead_letter_after_its_deliveries(hub, name):
    tx, rx = hub.channel(name, ack="lease", max_deliver=2)
    tx.send_many(["poison", "good"])
    seen = []
    for _ in range(3):
        lease = rx.lease(timeout=30)
        seen.append((lease.value, lease.delivery))
        if lease.value == "good":
            lease.ack()
        else:
            lease.nak()
    assert sorted(seen) == [("good", 1), ("poison", 1), ("poison", 2)]
    assert rx.stats().dead_letters == 1
    wait_until(lambda: len(rx) == 0)
    with hub.receiver(name, dead=True) as dead:
        assert dead.recv(timeout=30) == "poison"


def test_value_whose_receivers_die_becomes_a_dead_letter(hub, name):
    tx, rx = hub.channel(name, ack="lease", max_deliver=1, ack_wait=0.3)
    tx.send_many(["poison", "good"])
    lost = rx.lease(timeout=30)
    assert lost.value == "poison"
    assert rx.lease(timeout=30).value == "good"
    with pytest.raises(xichan.ChannelTimeout):
        rx.lease(timeout=2)
    assert rx.stats().dead_letters == 2


def test_value_that_cannot_be_decoded_becomes_a_dead_letter(hub, name):
    tx, rx = hub.channel(name)
    hub._calls.connection.publish(f"xichan.{name}.values", b"no value")
    with pytest.raises(xichan.DecodeError, match="not a dump"):
        rx.recv(timeout=30)
    tx.send(1)
    assert rx.recv(timeout=30) == 1
    assert rx.stats().dead_letters == 1


def test_leases_are_iterated_until_the_channel_ends(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send_many(range(5))
    tx.close()
    got = []
    for lease in rx.leases():
        with lease as value:
            got.append(value)
    assert got == list(range(5))


def test_leases_of_coroutines(hub, name):
    tx, rx = hub.channel(name, ack="lease")

    async def main():
        await tx.asend_many(range(3))
        tx.close()
        got = []
        async for lease in rx.aleases():
            async with lease as value:
                got.append((value, lease.delivery))
        return got

    assert run_loop(main()) == [(0, 1), (1, 1), (2, 1)]


def test_lease_of_a_coroutine_is_a_context_manager(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    tx.send_many("ab")

    async def main():
        async with rx.alease() as value:
            assert value == "a"
        with pytest.raises(ZeroDivisionError):
            async with rx.alease() as value:
                assert value == "b"
                1 / 0  # noqa: B018
        lease = await asyncio.create_task(rx.alease())
        assert (lease.value, lease.delivery) == ("b", 2)
        lease.ack()

    run_loop(main())
    wait_until(lambda: len(rx) == 0)


@pytest.mark.parametrize("receive", [lambda rx: rx.recv_many(10, timeout=30), lambda rx: rx.drain()])
def test_values_around_one_that_cannot_be_decoded_are_received(hub, name, receive):
    tx, rx = hub.channel(name)
    for poisoned in (False, True, True, False):
        if poisoned:
            hub._calls.connection.publish(f"xichan.{name}.values", b"no value")
        else:
            tx.send("good")
    wait_until(lambda: len(rx) == 4)
    got, failures = [], 0
    while got.count("good") < 2 or failures < 2:
        try:
            got += receive(rx)
        except xichan.DecodeError:
            failures += 1
    assert got == ["good", "good"] and failures == 2
    wait_until(lambda: rx.stats().dead_letters == 2 and len(rx) == 0)


def test_cancelled_lease_leaves_the_value_to_others(hub, name):
    tx, rx = hub.channel(name, ack="lease")
    other = hub.receiver(name)

    async def cancel():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rx.alease(), 0.05)

    run_loop(cancel())
    tx.send("for the other")
    lease = other.lease(timeout=30)
    assert lease.value == "for the other"
    lease.ack()


def test_acknowledgment_on_a_closed_hub_is_refused(hub, server, name):
    import xichan.nats

    tx, _ = hub.channel(name, ack="lease", ack_wait=0.5)
    tx.send("job")
    other = xichan.nats.connect(server.url)
    lease = other.receiver(name).lease(timeout=30)
    other.close()
    with pytest.raises(xichan.nats.NatsError):
        lease.ack()
    again = hub.receiver(name).lease(timeout=30)
    assert (again.value, again.delivery) == ("job", 2)
    again.ack()
