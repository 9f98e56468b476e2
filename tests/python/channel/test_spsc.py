"""spsc channels: the first endpoint that uses a side claims it."""

from collections import Counter

import pytest
from support import Call, counts

import xichan

TEXT = "text that needs a block"


def test_spsc_endpoint_cannot_be_cloned():
    tx, rx = xichan.channel(4, flavor="spsc")
    for end in (tx, rx):
        with pytest.raises(xichan.Error, match="spsc"):
            end.clone()
    assert counts(tx) == (1, 1)


SENDS = [lambda e: e.send(1), lambda e: e.send(1, 0), lambda e: e.send_nowait(1), lambda e: e.send_many([1]),
         lambda e: xichan.select([(e, 1)])]  # fmt: skip
RECEIVES = [lambda e: e.recv(), lambda e: e.recv(0), lambda e: e.recv_nowait(), lambda e: e.recv_many(3), next,
            lambda e: e.drain(), lambda e: xichan.select([e])]  # fmt: skip


@pytest.mark.parametrize("use", SENDS)
def test_spsc_sender_is_claimed_by_its_first_user(use):
    tx, rx = xichan.channel(4, flavor="spsc")
    second = xichan.Sender.from_id(tx.id)
    use(second)
    for other in SENDS:
        with pytest.raises(xichan.Error, match="belongs to another end"):
            other(tx)
    second.send(2)
    second.close()
    use(tx)
    assert rx.drain() == [1, 2, 1]


@pytest.mark.parametrize("use", RECEIVES)
def test_spsc_receiver_is_claimed_by_its_first_user(use):
    tx, rx = xichan.channel(4, flavor="spsc")
    second = xichan.Receiver.from_id(tx.id)
    for i in range(4):
        tx.send(i)
    use(second)
    for other in RECEIVES:
        with pytest.raises(xichan.Error, match="belongs to another end"):
            other(rx)
    left = len(rx)
    second.close()
    tx.send("last")
    assert [rx.recv_nowait() for _ in range(left + 1)][-1] == "last"


def test_spsc_endpoint_can_be_transferred_before_first_use():
    tx, rx = xichan.channel(4, flavor="spsc")
    carrier, arrived = xichan.channel()
    carrier.send((tx, rx))
    tx.close()
    rx.close()
    tx, rx = arrived.recv()
    tx.send(TEXT)
    assert rx.recv() == TEXT and counts(tx) == (1, 1)


@pytest.mark.parametrize("capacity", [1, 64])
def test_threads_may_share_an_spsc_endpoint(capacity):
    tx, rx = xichan.channel(capacity, flavor="spsc")
    givers = [Call(lambda: [tx.send((i, TEXT)) for i in range(1000)]) for _ in range(3)]
    takers = [Call(list, rx) for _ in range(3)]
    for giver in givers:
        giver.result()
    tx.close()
    assert Counter(sum((taker.result() for taker in takers), [])) == Counter({(i, TEXT): 3 for i in range(1000)})
