"""Exercises every feature once; run as a script under unusual interpreter settings. Prints "done"."""

import copy
import faulthandler
import gc
import pickle
import random
import sys
import threading
import warnings

import xichan
from support import Call, alive, interpreter, left_over, random_value, same, wait_for_blocked


def values():
    rng = random.Random(3)
    tx, rx = xichan.channel(1)
    deep = ()
    for _ in range(100_000):
        deep = (deep, "text that needs a block")
    generated = [random_value(rng) for _ in range(3000)]
    for value in (deep, 10**5000, -(10**5000), 2**1_000_000, "\udc80é\u20ac\U0001f600\0", *generated):
        tx.send(value)
        back = rx.recv()  # outside the assert, which python -O removes
        assert same(back, value)
    for bad in (lambda: 0, (1, [object()]), object()):
        try:
            tx.send(bad)
        except xichan.NotShareableError as error:
            str(error)


def between_interpreters():
    outgoing, requests = xichan.channel(4)
    replies, incoming = xichan.channel(4)
    with interpreter(requests=requests, replies=replies) as interp:
        requests.close()
        replies.close()
        echo = Call(interp.exec, "for value in requests: replies.send((value, replies.clone()))")
        for i in range(200):
            outgoing.send(("text that needs a block", i))
            value, end = incoming.recv()
            assert value == ("text that needs a block", i) and end.id == incoming.id
        end.close()
        outgoing.close()
        echo.result()


def waiting():
    tx, rx = xichan.channel(1)
    calls = [Call(rx.recv) for _ in range(4)]
    wait_for_blocked(tx, receivers=4)
    tx.send(1)
    tx.send(2)
    tx.close()
    ends = 0
    for call in calls:
        try:
            call.result()
        except xichan.ChannelClosed:
            ends += 1
    assert ends == 2
    tx, rx = xichan.channel(1)
    for wait in (lambda: rx.recv(0.001), lambda: tx.send(1, 0.001) or tx.send(2, 0.001)):
        try:
            wait()
        except xichan.ChannelTimeout as error:
            repr(error)


def handing_over():
    tx, rx = xichan.channel()
    ends = [copy.copy(tx), pickle.loads(pickle.dumps(rx)), copy.deepcopy((tx, rx)), xichan.Sender.from_id(rx.id)]
    ends.append([repr(ends), hash(tx), len(rx), tx.closed, xichan.Receiver[int]])
    tx.send((tx, (rx,)))
    ends.append(rx.recv())


def main():
    warnings.simplefilter("ignore", ResourceWarning)  # some values are left in their channels
    before = alive()
    for part in (values, between_interpreters, waiting, handing_over):
        part()
        gc.collect()
    left = left_over(before)
    assert left == {}, left
    assert threading.active_count() == 1
    print("done", sys.flags.dev_mode)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)
    main()
