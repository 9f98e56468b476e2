"""Pings with no time-outs between two interpreters, pinned to one core and on two: a lost wake-up hangs here."""

import os
import time

from common import progress, settle, size
from support import alive, execute, interpreter

import xichan


def ping(number, capacity):
    there, requests = xichan.channel(capacity)
    replies, back = xichan.channel(capacity)
    with interpreter(requests=requests, replies=replies) as interp:
        requests.close()
        replies.close()
        echo = execute(interp, "for value in requests: replies.send(value)")
        for i in range(number):
            there.send(i)
            assert back.recv() == i
            if i % 10_000 == 0:
                progress()
        there.close()
        echo.result()


def main():
    number = size()
    before = alive()
    cores = sorted(os.sched_getaffinity(0))
    for count in (1, 2):
        os.sched_setaffinity(0, cores[:count])  # threads made from here on inherit it
        start = time.perf_counter()
        ping(number, capacity=count)
        each = (time.perf_counter() - start) / number
        print(f"round_trips: {number} on {len(cores[:count])} core(s), {each * 1e6:.2f} us each")
    settle(before)


if __name__ == "__main__":
    main()
