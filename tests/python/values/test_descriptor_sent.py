"""Descriptors move with messages. Each has one owner: a test counts what the other end of a socket sees."""

import collections
import dataclasses

import pytest
from support import run_loop
from support.descriptors import SENDS, Held, Line

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@dataclasses.dataclass
class Connection:
    number: int
    descriptor: xichan.Descriptor


NESTED = {
    "alone": (lambda d: d, lambda v: v),
    "list": (lambda d: [1, d], lambda v: v[1]),
    "tuple": (lambda d: (d, "text of more than fourteen characters"), lambda v: v[0]),
    "dict": (lambda d: {"k": {"n": d}}, lambda v: v["k"]["n"]),
    "set": (lambda d: {d, 1}, lambda v: next(each for each in v if each != 1)),
    "dataclass": (lambda d: Connection(7, d), lambda v: v.descriptor),
    "deque": (lambda d: collections.deque([d]), lambda v: v[0]),
    "registered": (Held, lambda v: v.descriptor),
    "deep": (lambda d: [[[[(d,)]]]], lambda v: v[0][0][0][0][0]),
}


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("pickle", [False, True])
def test_descriptor_moves_inside_values(register_held, line, kind, pickle):
    register_held()
    wrap, unwrap = NESTED[kind]
    tx, rx = xichan.channel(pickle=pickle)
    tx.send(wrap(line.descriptor))
    line.check_sent()
    line.check(unwrap(rx.recv()))
    assert tx.stats().pickled == 0


class Odd:
    """Not shareable, but can be pickled."""


def test_descriptor_moves_beside_a_pickle(line):
    tx, rx = xichan.channel(pickle=True)
    tx.send([Odd(), line.descriptor, line.descriptor])
    assert tx.stats().pickled == 1
    odd, one, other = rx.recv()
    assert type(odd) is Odd and one is other
    line.check(one)


def test_one_descriptor_twice_in_a_message_arrives_as_one(line):
    tx, rx = xichan.channel()
    tx.send([line.descriptor, {"again": line.descriptor}, (line.descriptor,)])
    one, again, inside = rx.recv()
    assert one is again["again"] is inside[0]
    line.check(one)


def test_descriptor_beside_buffers():
    tx, rx = xichan.channel()
    line, buffer = Line(), xichan.Buffer(1000)
    with line.end:
        tx.send([buffer, line.descriptor, buffer])
        assert not buffer
        one, descriptor, other = rx.recv()
        assert one is other and len(one) == 1000
        line.check(descriptor)


def test_received_descriptor_can_be_sent_on(line):
    tx, rx = xichan.channel()
    received = line.descriptor
    for _ in range(5):
        tx.send([received])
        [received] = rx.recv()
    line.check(received)


RECEIVES = {
    "recv": lambda rx: rx.recv(),
    "recv_nowait": lambda rx: rx.recv_nowait(),
    "iterate": next,
    "recv_many": lambda rx: rx.recv_many(1)[0],
    "drain": lambda rx: rx.drain()[0],
    "select": lambda rx: xichan.select([rx])[1],
    "arecv": lambda rx: run_loop(rx.arecv()),
}


@pytest.mark.parametrize("send", SENDS)
def test_every_send_moves(line, send):
    tx, rx = xichan.channel()
    SENDS[send](tx, [line.descriptor])
    line.check_sent()
    line.check(rx.recv()[0])


@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("flavor", ["mpmc", "spsc", "relaxed"])
def test_every_receive_returns_it(line, receive, flavor):
    tx, rx = xichan.channel(8, flavor=flavor)
    tx.send([line.descriptor])
    line.check(RECEIVES[receive](rx)[0])


def test_queue_moves(line):
    queue = xichan.Queue(2)
    queue.put(line.descriptor)
    line.check_sent()
    line.check(queue.get())
