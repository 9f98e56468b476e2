"""stats() of endpoints, and channels()."""

import copy
import dataclasses
import pickle

import pytest
from support import BOUNDED, FLAVORS, Call, alive, execute, interpreter, wait_for_blocked

import xichan

TEXT = "text that needs a block"
FIELDS = (
    "id name flavor capacity max_bytes depth bytes sent received dropped senders receivers waiting_senders "
    "waiting_receivers parks wakeups tickets pickled"
).split()
KINDS = {
    "mpmc": ({"capacity": 3}, 3),
    "spsc": ({"capacity": 3, "flavor": "spsc"}, 3),
    "relaxed": ({"capacity": 3, "flavor": "relaxed"}, 3),
    "relaxed, any number": ({"capacity": None, "flavor": "relaxed"}, None),
    "unbounded": ({"capacity": None}, None),
    "rendezvous": ({"capacity": 0}, 0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_stats_of_a_new_channel(kind):
    options, capacity = KINDS[kind]
    tx, rx = xichan.channel(**options, name="fresh")
    found = tx.stats()
    assert [field.name for field in dataclasses.fields(found)] == FIELDS
    assert found == rx.stats() and type(found) is xichan.ChannelStats
    assert dataclasses.asdict(found) == {
        **dict.fromkeys(FIELDS, 0),
        "id": tx.id,
        "name": "fresh",
        "flavor": kind.split(",")[0],
        "capacity": capacity,
        "max_bytes": None,
        "senders": 1,
        "receivers": 1,
    }
    assert all(type(getattr(found, name)) is int for name in FIELDS[5:])


def test_stats_returns_a_frozen_snapshot():
    tx, rx = xichan.channel()
    found = tx.stats()
    assert found.depth == 0 and not hasattr(found, "__dict__")
    assert repr(found).startswith("ChannelStats(id=") and "depth=0" in repr(found)
    with pytest.raises(AttributeError, match="deepness"):
        found.deepness  # noqa: B018
    with pytest.raises(TypeError):
        found["depth"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.depth = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        del found.depth
    assert pickle.loads(pickle.dumps(found)) == found == copy.copy(found) and len({found, tx.stats()}) == 1
    tx.send(1)
    assert found.depth == 0, "a snapshot"
    with pytest.raises(TypeError):
        tx.stats(1)


@pytest.mark.parametrize("options", BOUNDED.values(), ids=BOUNDED)
def test_stats_counts_messages(options):
    tx, rx = xichan.channel(**options)
    for i in range(10):
        tx.send((i, TEXT))
        assert (rx.stats().sent, rx.stats().received, rx.stats().depth) == (i + 1, i, 1)
        rx.recv()
    tx.send(TEXT)
    rx.shutdown(immediate=True)
    found = rx.stats()
    assert (found.sent, found.received, found.depth, found.bytes) == (11, 10, 0, 0)


def test_stats_counts_endpoints():
    tx, rx = xichan.channel()
    carrier, arrived = xichan.channel()
    clones = [tx.clone() for _ in range(3)] + [rx.clone()]
    carrier.send((tx, rx, rx))
    ticket = pickle.dumps(tx)
    found = rx.stats()
    assert (found.senders, found.receivers, found.tickets) == (6, 4, 1)
    pickle.loads(ticket)
    arrived.recv()
    del clones
    found = rx.stats()
    assert (found.senders, found.receivers, found.tickets) == (1, 1, 0)


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_stats_counts_blocked_calls(options):
    tx, rx = xichan.channel(**options)
    calls = [Call(rx.recv) for _ in range(3)]
    wait_for_blocked(tx, receivers=3)
    before = tx.stats()
    assert before.parks >= 3
    for i in range(3):
        tx.send(i)
    assert sorted(call.result() for call in calls) == [0, 1, 2]
    after = tx.stats()
    assert after.waiting_receivers == 0 and after.parks >= before.parks
    assert after.wakeups > before.wakeups or options["capacity"] == 0


def test_stats_ignores_calls_that_do_not_block():
    tx, rx = xichan.channel(2)
    for i in range(100):
        tx.send(i)
        rx.recv()
    found = tx.stats()
    assert found.parks == found.wakeups == found.waiting_senders == found.waiting_receivers == 0


def test_stats_raises_on_a_closed_endpoint():
    tx, rx = xichan.channel()
    tx.close()
    with pytest.raises(xichan.ChannelClosed):
        tx.stats()
    assert rx.stats().senders == 0


def test_channels_lists_every_channel():
    before = {found.id for found in xichan.channels()}
    pairs = [xichan.channel(i, name=f"number {i}") for i in range(20)]
    pairs[3][0].send(TEXT)
    found = {one.id: one for one in xichan.channels() if one.id not in before}
    assert found == {tx.id: tx.stats() for tx, _ in pairs}
    assert all(type(one) is xichan.ChannelStats for one in found.values())
    assert len(xichan.channels()) == alive()["channels"]
    with pytest.raises(TypeError):
        xichan.channels(1)
    del pairs
    assert {one.id for one in xichan.channels()} == before


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_stats_stays_plausible_under_traffic(options):
    """The counts are read one after another and may be slightly late, but never absurd."""
    pytest.importorskip("concurrent.interpreters")
    number = 10_000
    tx, rx = xichan.channel(**{**options, "max_bytes": 1000})
    gate, gate_rx = xichan.channel()
    with interpreter(tx=tx, gate_rx=gate_rx) as interp:
        tx.close()
        # Half-way it waits for the first looks: a fast receiver would finish before them.
        script = f"""
            with tx:
                for i in range({number}):
                    tx.send((i, '{TEXT}'))
                    if i == {number // 2}:
                        gate_rx.recv()
        """
        sender = execute(interp, script)
        receiver = Call(lambda: sum(1 for _ in rx))
        looks = 0
        while receiver.is_alive():
            if looks == 6:
                gate.send(None)
            for found in (rx.stats(), *xichan.channels()):
                if found.id == rx.id:
                    looks += 1
                    assert 0 <= found.received <= found.sent <= number, found
                    assert 0 <= found.depth <= (number if found.capacity is None else found.capacity), found
                    assert 0 <= found.bytes <= 1000 and found.senders <= 1 and found.receivers == 1, found
        sender.result()
        assert receiver.result() == number and looks > 5
    assert rx.stats().received == rx.stats().sent == number


def test_channels_works_while_channels_come_and_go():
    pytest.importorskip("concurrent.interpreters")
    with interpreter() as interp:
        other = execute(
            interp,
            """
            import xichan
            for i in range(5000):
                tx, rx = xichan.channel(2, name=f"name {i}")
                tx.send((tx, "text that needs a block"))
                rx.shutdown(immediate=True)
        """,
        )
        looks = 0
        while other.is_alive():
            for found in xichan.channels():
                if (found.name or "").startswith("name "):
                    assert found.capacity == 2 and found.senders <= 2
            looks += 1
        other.result()
    assert looks > 10 and not any((found.name or "").startswith("name ") for found in xichan.channels())
