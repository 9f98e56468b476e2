"""Channels are created and dropped continuously: no stale or guessed id resolves."""

from collections import deque

from common import assert_released, feed_watchdog, rng, size
from support import alive

import xichan


def resolves(number):
    for end in (xichan.Sender, xichan.Receiver):
        try:
            end.from_id(number)
        except xichan.NotFound:
            continue
        return True
    return False


def main():
    number = size()
    before = alive()
    kept = [xichan.channel(1) for _ in range(100)]
    recent = deque(maxlen=1000)
    sampled = []
    for i in range(number):
        tx, rx = xichan.channel(1)
        recent.append(tx.id)
        if i % 1000 == 0:
            sampled.append(tx.id)
            feed_watchdog()
        del tx, rx
        if i % 10 == 0:
            stale = rng.choice(recent)
            assert not resolves(stale), hex(stale)
            assert not resolves(rng.getrandbits(128))
            assert not resolves(rng.choice(kept)[0].id ^ 1 << rng.randrange(128))
    assert len(set(sampled)) == len(sampled)
    assert not any(map(resolves, sampled))
    assert all(resolves(tx.id) for tx, rx in kept)
    del kept
    assert_released(before)
    print(f"ids: {number} channels")


if __name__ == "__main__":
    main()
