"""An object that occurs repeatedly in a message is stored once and arrives as one object."""

import random

import pytest
from support import alive, left_over, same
from support.memory import fail_each_allocation

import xichan

TEXT = "a text that needs a block of its own"
REPEATED = {
    "ascii": TEXT,
    "latin1": "é" * 20,
    "ucs2": "\u20ac" * 20,
    "ucs4": "\U0001f600" * 20,
    "bytes": b"bytes that need a block",
    "int": 2**1000,
}


def through_channel(value):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv()


def through_dump(value):
    return xichan.loads(xichan.dumps(value))


WAYS = pytest.mark.parametrize("way", [through_channel, through_dump])


def block_bytes(value):
    """Return the bytes that a queued value occupies."""
    tx, rx = xichan.channel(1)
    before = xichan.memory_stats().bytes
    tx.send(value)
    return xichan.memory_stats().bytes - before


@WAYS
@pytest.mark.parametrize("name", REPEATED)
def test_repeated_object_arrives_as_one_object(way, name):
    value = REPEATED[name]
    sent = (value, 1, (value, (value, "x"), value), "y" * 40)
    back = way(sent)
    assert same(back, sent)
    assert back[0] is back[2][0] is back[2][1][0] is back[2][2]
    assert back[0] is not value


@WAYS
def test_equal_objects_stay_distinct(way):
    one, other = TEXT + str(1), TEXT + str(1)
    assert one is not other
    back = way((one, other, one))
    assert back[0] is back[2] and back[0] is not back[1]


@WAYS
def test_repeated_objects_are_found_in_any_order(way):
    rng = random.Random(5)
    objects = [*REPEATED.values(), *(f"{TEXT} {i}" for i in range(200)), *(b"%030d" % i for i in range(200))]
    for size in (2, 3, 10, 40, 1000):
        picked = rng.choices(objects, k=size)
        value = tuple((item, i) if i % 3 else item for i, item in enumerate(picked))
        back = way(value)
        assert same(back, value)
        made = {}
        for item, copy in zip(value, back, strict=True):
            if type(item) is tuple:
                item, copy = item[0], copy[0]
            assert made.setdefault(id(item), copy) is copy
        assert len({id(copy) for copy in made.values()}) == len(made)


def test_repeated_object_is_stored_once():
    large = b"x" * 100_000
    assert block_bytes((large,) * 100) < block_bytes((large,)) + 100 * 16 + 16
    assert block_bytes((large, bytes(bytearray(large)))) > 200_000
    assert len(xichan.dumps((large,) * 1000)) < 120_000


def test_max_bytes_charges_a_repeated_object_once():
    tx, rx = xichan.channel(4, max_bytes=150_000)
    large = b"x" * 100_000
    tx.send_nowait((large, large))
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait(large)  # it is charged, though
    assert rx.recv_nowait() == (large, large)
    with pytest.raises(ValueError):
        tx.send_nowait((large, bytes(bytearray(large))))  # two objects are two charges, more than the bound


@pytest.mark.parametrize("how", ["send", "dumps", "share"])
def test_duplicates_survive_out_of_memory(how):
    tx, rx = xichan.channel(1)
    before = alive()
    value = tuple([TEXT, b"x" * 100] * 50)
    there = {"send": tx.send_nowait, "dumps": xichan.dumps, "share": xichan.share}[how]
    back = {"send": lambda _: rx.recv_nowait(), "dumps": xichan.loads, "share": xichan.Shared.value}[how]

    def nothing_came_of_it():
        assert alive() == before and len(rx) == 0

    assert same(back(fail_each_allocation(lambda: there(value), nothing_came_of_it)), value)
    assert left_over(before) == {}


@pytest.mark.parametrize("depth", [40, 60, 1000])
@pytest.mark.parametrize("pair", [lambda v: (v, v), lambda v: [v, v], lambda v: {"a": v, "b": v}])
def test_shared_containers_take_memory_once(depth, pair):
    """The value has few objects, but as a tree 2**depth leaves."""
    value = ("leaf", TEXT)
    for _ in range(depth):
        value = pair(value)
    xichan.set_memory_limit(1 << 20)
    for way in (through_channel, through_dump, lambda v: xichan.share(v).value()):
        back = way(value)
        for _ in range(depth):
            first, second = back.values() if type(back) is dict else back
            assert first is second
            back = first
        assert back == ("leaf", TEXT)
    assert xichan.is_shareable(value)
