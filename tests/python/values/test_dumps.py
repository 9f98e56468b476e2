"""dumps() and loads() round trips, inside the process and across processes."""

import array
import mmap
import random
import struct
import sys

import pytest
from hypothesis import given, settings
from support import interpreter, random_value, rich, run_on_small_stack, run_python, same
from support.dump_format import HEADER, STRESS, cell, round_trip
from support.value_strategies import FLOAT_PATTERNS, HUGE, values

import xichan


def test_round_trip_of_one_value_of_each_type():
    assert same(round_trip(rich()), rich())
    for value in rich():
        assert same(round_trip(value), value)
    assert type(xichan.dumps(1)) is bytes


@settings(max_examples=1000 * STRESS)
@given(values)
def test_dumps_round_trips_any_value(value):
    data = xichan.dumps(value)
    back = xichan.loads(data)
    assert same(back, value)
    assert same(round_trip(back), value)


def test_dumps_round_trips_generated_values():
    rng = random.Random(30_000)
    for i in range(20_000 * STRESS):
        value = random_value(rng)
        assert same(round_trip(value), value), f"value number {i}: {value!r}"


@pytest.mark.parametrize("name", HUGE)
def test_dumps_round_trips_huge_ints(name):
    assert same(round_trip((HUGE[name], name)), (HUGE[name], name))


def test_dumps_keeps_every_bit_of_ints_and_floats():
    numbers = tuple(sign * (2**k + off) for k in range(4097) for off in (-1, 0, 1) for sign in (1, -1))
    assert same(round_trip(numbers), numbers)
    floats = tuple(struct.unpack("<d", struct.pack("<Q", pattern))[0] for pattern in FLOAT_PATTERNS)
    assert same(round_trip(floats), floats)


@pytest.mark.parametrize("depth", [10, 1000, 1_000_000])
def test_dumps_handles_any_depth_on_a_small_stack(depth):
    value = ("bottom", 2**1_000_000)
    for _ in range(depth):
        value = (value, None)
    assert run_on_small_stack(lambda: same(round_trip(value), value), 250)


def test_equal_values_have_equal_dumps():
    assert xichan.dumps(rich()) == xichan.dumps(rich())
    assert xichan.dumps(xichan.loads(xichan.dumps(rich()))) == xichan.dumps(rich())


def test_dump_is_unchanged_by_a_channel():
    tx, rx = xichan.channel(1)
    tx.send(rich())
    assert xichan.dumps(rx.recv()) == xichan.dumps(rich())


def test_dump_layout():
    data = xichan.dumps(5)
    assert HEADER.unpack(data[:16]) == (b"\x89XCH", 1, 0, 16)
    assert data[16:] == cell(4, 0, 5)


def test_another_process_loads_a_dump(tmp_path):
    file = tmp_path / "dump"
    file.write_bytes(xichan.dumps(rich()))
    source = """if True:
        import sys, xichan
        with open(sys.argv[1], "r+b") as file:
            value = xichan.loads(file.read())
            file.seek(0)
            file.write(xichan.dumps((value, "changed")))
    """
    run_python("-c", source, file, env={"PYTHONHASHSEED": "77"})
    assert same(xichan.loads(file.read_bytes()), (rich(), "changed"))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
def test_another_interpreter_loads_a_dump():
    there, requests = xichan.channel(1)
    replies, back = xichan.channel(1)
    with interpreter(requests=requests, replies=replies) as interp:
        there.send(xichan.dumps(rich()))
        interp.exec("import xichan; replies.send(xichan.dumps(xichan.loads(requests.recv())))")
        assert same(xichan.loads(back.recv()), rich())


class Exporter:
    def __init__(self, buffer):
        self.buffer = buffer

    def __buffer__(self, flags):
        return memoryview(self.buffer)


def test_loads_accepts_any_contiguous_buffer():
    data = xichan.dumps(rich())
    shifted = memoryview(b"x" + data)[1:]
    with mmap.mmap(-1, len(data)) as pages:
        pages[:] = data
        for buffer in (data, bytearray(data), memoryview(data), array.array("B", data), shifted, pages, Exporter(data)):
            assert same(xichan.loads(buffer), rich())
    buffer = bytearray(data)
    xichan.loads(buffer)
    buffer.append(0)  # nothing of it is held any more
