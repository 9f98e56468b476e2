"""Channels whose endpoints are queued in one another live until one of them is shut down."""

import gc

import pytest

import xichan


def ring(count):
    """Queue the endpoints of each channel in the one before it, close the others, and return the ids."""
    channels = [xichan.channel(capacity=4) for _ in range(count)]
    for (tx, _), following in zip(channels, channels[1:] + channels[:1], strict=True):
        tx.send((*following, bytes(1000)))
    ids = [tx.id for tx, _ in channels]
    for endpoint in [endpoint for pair in channels for endpoint in pair]:
        endpoint.close()
    return ids


def listed(ids):
    return {stats.id: stats for stats in xichan.channels() if stats.id in ids}


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("side", [xichan.Sender, xichan.Receiver])
@pytest.mark.parametrize("place", [0, -1])
def test_shutdown_of_one_channel_frees_a_ring_of_channels(count, side, place):
    before = xichan.memory_stats().blocks
    ids = ring(count)
    gc.collect()
    rows = listed(ids)
    assert rows.keys() == set(ids), "channels() shows what only queues refer to"
    assert all(row.senders == row.receivers == row.depth == 1 for row in rows.values())
    assert xichan.memory_stats().blocks > before
    with side.from_id(ids[place]) as endpoint:
        endpoint.shutdown(immediate=True)
    assert listed(ids) == {}
    assert xichan.memory_stats().blocks == before


def test_receiving_from_one_channel_frees_a_ring_of_channels():
    ids = ring(3)
    with xichan.Receiver.from_id(ids[0]) as rx:
        rx.shutdown()
        for tx, following, _ in rx:
            tx.close()
            following.shutdown(immediate=True)
            following.close()
    assert listed(ids) == {}
