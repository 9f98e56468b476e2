"""Round trips without timeouts between two interpreters, on one core and on two: a lost wake-up hangs."""

import os
import time

from common import assert_released, feed_watchdog, size
from support import alive, execute, interpreter

import xichan


def ping(number, capacity):
    outgoing, requests = xichan.channel(capacity)
    replies, incoming = xichan.channel(capacity)
    with interpreter(requests=requests, replies=replies) as interp:
        requests.close()
        replies.close()
        echo = execute(interp, "for value in requests: replies.send(value)")
        for i in range(number):
            outgoing.send(i)
            assert incoming.recv() == i
            if i % 10_000 == 0:
                feed_watchdog()
        outgoing.close()
        echo.result()


def main():
    number = size()
    before = alive()
    cores = sorted(os.sched_getaffinity(0))
    for count in (1, 2):
        os.sched_setaffinity(0, cores[:count])  # inherited by threads started from here on
        start = time.perf_counter()
        ping(number, capacity=count)
        each = (time.perf_counter() - start) / number
        print(f"round_trips: {number} on {len(cores[:count])} core(s), {each * 1e6:.2f} us each")
    assert_released(before)


if __name__ == "__main__":
    main()
