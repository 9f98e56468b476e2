"""Receivers and senders that time out and retry, next to others without timeouts: no wake-up and no item is lost."""

from common import assert_released, feed_watchdog, rng, size
from support import Call, alive

import xichan

STOP = -1


def receive(rx, timeout):
    got = []
    while True:
        try:
            item = rx.recv(timeout and timeout * rng.random())
        except xichan.ChannelTimeout:
            continue
        if item == STOP:
            return got
        got.append(item)


def send(tx, items, timeout):
    for item in items:
        while True:
            try:
                tx.send(item, timeout and timeout * rng.random())
                break
            except xichan.ChannelTimeout:
                continue


def main():
    number = size()
    before = alive()
    for capacity in (1, 2, 7):
        tx, rx = xichan.channel(capacity)
        timeouts = (None, 20e-6, None, 200e-6)
        receivers = [Call(receive, rx, p) for p in timeouts]
        senders = [Call(send, tx, range(k, number, 4), p) for k, p in enumerate(timeouts)]
        for call in senders:
            call.result(50)
            feed_watchdog()
        for _ in receivers:
            tx.send(STOP)
        got = sum((call.result() for call in receivers), [])
        assert sorted(got) == list(range(number))
    print(f"timeouts: 3 x {number} items")
    del tx, rx, call, receivers, senders
    assert_released(before)


if __name__ == "__main__":
    main()
