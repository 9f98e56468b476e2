"""Values of several MiB, which are copied past the caches, arrive bit for bit on every path."""

import array
import random

import pytest

import xichan

SIZE = (4 << 20) + 77
CONTENT = random.Random(5).randbytes(SIZE)

VALUES = {
    "bytes": CONTENT,
    "ascii": "".join(chr(32 + byte % 90) for byte in CONTENT),
    "latin1": CONTENT.decode("latin1"),
    "ucs2": "\u0416" + CONTENT[: SIZE // 2].decode("latin1") * 2,
    "ucs4": "\U0001f600" + CONTENT[: SIZE // 2].decode("latin1") * 2,
    "bytearray": bytearray(CONTENT),
    "array": array.array("h", CONTENT[: SIZE // 2 * 2]),
    "big_int": int.from_bytes(CONTENT),
}


@pytest.fixture(params=VALUES, ids=str)
def value(request):
    return VALUES[request.param]


def check(received, value):
    assert type(received) is type(value) and received == value


def test_large_value_arrives_as_it_was_sent(value):
    tx, rx = xichan.channel()
    tx.send(value)
    check(rx.recv(), value)
    tx.send((1, [value, {"again": value}]))
    _, (first, second) = rx.recv()
    check(first, value)
    assert second["again"] is first


def test_large_value_is_copied_out_of_a_view(value):
    tx, rx = xichan.channel()
    tx.send(value)
    received = rx.recv(copy=False)
    check(received.value() if hasattr(received, "value") else value, value)


def test_large_value_survives_share_and_dumps(value):
    check(xichan.share(value).value(), value)
    check(xichan.loads(xichan.dumps(value)), value)


def test_large_memoryview_arrives_as_it_was_sent():
    tx, rx = xichan.channel()
    tx.send(memoryview(CONTENT)[3:])
    assert bytes(rx.recv()) == CONTENT[3:]
    assert xichan.share(memoryview(CONTENT)[5:]).value() == CONTENT[5:]


def test_large_values_beyond_the_lending_bound_are_copied():
    tx, rx = xichan.channel(None)
    values = [CONTENT[i:] for i in range(20)]
    for value in values:
        tx.send(value)
    assert xichan.memory_stats().lent_bytes < 65 << 20
    for value in values:
        assert rx.recv() == value
