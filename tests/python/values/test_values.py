"""Received values equal the sent ones, bit for bit."""

import random
import sys

import pytest
from hypothesis import example, given, settings
from support import bits, float_of, random_value, run_on_small_stack, same
from support.value_strategies import FLOAT_PATTERNS, HUGE, values

import xichan

INLINE = 14  # bytes of text that a cell holds by itself

WIDTHS = {"ascii": "a", "latin1": "é", "ucs2": "\u20ac", "ucs4": "\U0001f600"}


@pytest.fixture(scope="module")
def transfer():
    """Return a function that sends a value and returns what arrives."""
    tx, rx = xichan.channel(1)

    def through(value):
        tx.send_nowait(value)
        return rx.recv_nowait()

    yield through
    tx.close()
    rx.close()


@pytest.mark.parametrize("value", [None, True, False])
def test_singletons_keep_identity(transfer, value):
    assert transfer(value) is value
    assert transfer((value, (value,)))[1][0] is value


def test_ints_around_every_power_of_two_round_trip(transfer):
    numbers = [sign * (2**k + off) for k in range(4097) for off in (-1, 0, 1) for sign in (1, -1)]
    for number in numbers:
        back = transfer(number)
        assert type(back) is int and back == number
    assert same(transfer(tuple(numbers)), tuple(numbers))


@pytest.mark.parametrize("name", HUGE)
def test_huge_ints_round_trip(transfer, name):
    assert same(transfer(HUGE[name]), HUGE[name])
    assert same(transfer((0, HUGE[name], name)), (0, HUGE[name], name))


@pytest.mark.parametrize("pattern", FLOAT_PATTERNS, ids=hex)
def test_floats_keep_every_bit(transfer, pattern):
    number = float_of(pattern)
    assert bits(number) == pattern, "the test itself must not change the bits"
    assert bits(transfer(number)) == pattern
    assert bits(transfer((number, "x", (number,)))[2][0]) == pattern


@pytest.mark.parametrize("width", WIDTHS)
def test_str_of_each_width_and_length_round_trips(transfer, width):
    for length in (*range(41), 255, 256, 4095, 65536, 1_000_003):
        uniform = WIDTHS[width] * length
        ends_wide = ("a" * length)[:-1] + WIDTHS[width] if length else ""
        starts_wide = ends_wide[::-1]
        for text in (uniform, ends_wide, starts_wide):
            assert same(transfer(text), text)  # a str of another width would be unequal, too
        assert same(transfer((uniform, 0, ends_wide)), (uniform, 0, ends_wide))


@pytest.mark.parametrize(
    "text",
    ["\0", "\0" * INLINE, "\0" * 100, "a\0b", "é\0" * 20, "\u20ac\0", "\ud800", "\udfff" * 50, "a\udc80\ud83d",
     "\ud83d\ude00", "\x7f\x80\xff\u0100\uffff\U00010000\U0010ffff"],
    ids=ascii,
)  # fmt: skip
def test_nuls_and_lone_surrogates_round_trip(transfer, text):
    assert same(transfer(text), text)
    assert same(transfer((text, (text,))), (text, (text,)))


def test_every_code_point_round_trips(transfer):
    points = tuple(map(chr, range(sys.maxunicode + 1)))
    assert transfer(points) == points
    joined = "".join(points)
    assert transfer(joined) == joined


def test_bytes_of_each_length_and_value_round_trip(transfer):
    rng = random.Random(1)
    for length in (*range(41), 255, 256, 4096, 1 << 20):
        data = rng.randbytes(length)
        assert same(transfer(data), data)
        assert same(transfer((data, data[::-1])), (data, data[::-1]))
    for byte in range(256):
        assert transfer(bytes([byte]) * 3) == bytes([byte]) * 3


def test_equal_values_of_different_types_keep_their_type(transfer):
    value = (1, True, 1.0, "1", b"1", 0, False, 0.0, "", b"", (), None, ("",), (b"",), ((),))
    assert same(transfer(value), value)


def test_wide_tuple_round_trips(transfer):
    value = tuple((i, str(i)) if i % 3 else float(i) for i in range(100_000))
    assert same(transfer(value), value)


def test_received_value_is_independent_of_the_sent_one(transfer):
    value = ("long enough for a block", (b"also long enough for a block",))
    back = transfer(value)
    assert back == value
    assert back is not value and back[1] is not value[1] and back[0] is not value[0]


@pytest.mark.parametrize("depth", [10, 10**3, 10**5, 10**6])
@pytest.mark.parametrize("small_stack", [False, True], ids=["main stack", "256 KiB stack"])
def test_nesting_of_any_depth_round_trips(transfer, depth, small_stack):
    def there_and_back():
        value = ("bottom", -0.0)
        for _ in range(depth):
            value = (value, None)
        assert same(transfer(value), value)

    if small_stack:
        run_on_small_stack(there_and_back)
    else:
        there_and_back()


def test_wide_and_deep_value_round_trips(transfer):
    value = "leaf of a bush"
    for _ in range(16):
        value = (value, value)  # shared here, a tree once sent
    assert same(transfer(value), value)


def test_generated_values_round_trip(transfer):
    rng = random.Random(20_000)
    for i in range(20_000):
        value = random_value(rng)
        assert same(transfer(value), value), f"value number {i}: {value!r}"


@settings(max_examples=1500)
@given(values)
@example(((), ((),)))
@example(("\ud800" * 7, "\ud800" * 8))
def test_any_value_round_trips(transfer, value):
    assert same(transfer(value), value)
