"""Receivers and senders that give up and come back, beside others that never do: no wake-up is lost, no item either."""

from common import progress, rng, settle, size
from support import Call, alive

import xichan

STOP = -1


def receive(rx, patience):
    got = []
    while True:
        try:
            item = rx.recv(patience and patience * rng.random())
        except xichan.ChannelTimeout:
            continue
        if item == STOP:
            return got
        got.append(item)


def send(tx, items, patience):
    for item in items:
        while True:
            try:
                tx.send(item, patience and patience * rng.random())
                break
            except xichan.ChannelTimeout:
                continue


def main():
    number = size()
    before = alive()
    for capacity in (1, 2, 7):
        tx, rx = xichan.channel(capacity)
        patience = (None, 20e-6, None, 200e-6)
        receivers = [Call(receive, rx, p) for p in patience]
        senders = [Call(send, tx, range(k, number, 4), p) for k, p in enumerate(patience)]
        for call in senders:
            call.result(50)
            progress()
        for _ in receivers:
            tx.send(STOP)
        got = sum((call.result() for call in receivers), [])
        assert sorted(got) == list(range(number))
    print(f"time_outs: 3 x {number} items")
    del tx, rx, call, receivers, senders
    settle(before)


if __name__ == "__main__":
    main()
