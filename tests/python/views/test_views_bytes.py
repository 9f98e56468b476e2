"""xichan.BytesView: reads bytes in place."""

import array
import collections.abc
import copy
import ctypes
import hashlib
import importlib.util
import itertools
import pickle
import random
import socket
import tempfile
import weakref

import pytest
from support import alive, run_script, viewed

import xichan

DATA = random.Random(1).randbytes(3000)


def test_bytes_view_type_and_protocols():
    view = viewed(DATA)
    assert type(view) is xichan.BytesView and not isinstance(view, bytes)
    assert isinstance(view, collections.abc.Sequence) and isinstance(view, collections.abc.Buffer)
    assert weakref.ref(view)() is view
    for make in (lambda: xichan.BytesView(), lambda: xichan.BytesView(b""), lambda: type("B", (xichan.BytesView,), {})):
        with pytest.raises(TypeError):
            make()
    match view:
        case [*_]:
            raise AssertionError("a pattern does not match bytes as a sequence")
        case _:
            pass


def test_small_bytes_arrive_as_bytes():
    for size in (0, 1, 14, 15, 512):
        assert type(viewed(DATA[:size])) is bytes and type(viewed((DATA[:size],))[0]) is bytes
    assert type(viewed(DATA[:513])) is type(viewed((DATA[:513],))[0]) is xichan.BytesView


def test_bytes_view_items():
    view = viewed(DATA)
    assert len(view) == len(DATA) and view[0] == DATA[0] and view[-1] == DATA[-1]
    assert list(view) == list(DATA) and list(reversed(view)) == list(reversed(DATA))
    for index in (3000, -3001, 2**100):
        with pytest.raises(IndexError):
            view[index]
    for index in (1.0, "1", None):
        with pytest.raises(TypeError):
            view[index]
    with pytest.raises(TypeError):
        view[0] = 1


def test_bytes_view_slices():
    view = viewed(DATA)[10:20]
    data = DATA[10:20]
    before = alive()
    limits = (None, *range(-12, 13))
    for start, stop, step in itertools.product(limits, limits, (None, 1, 2, -1, -3)):
        piece = view[start:stop:step]
        assert piece == data[start:stop:step] and hash(piece) == hash(data[start:stop:step])
        assert type(piece) is xichan.BytesView or (step not in (None, 1) and type(piece) is bytes)
        assert bytes(piece) == data[start:stop:step] and len(piece) == len(data[start:stop:step])
    assert alive() == before and view[:] is view
    with pytest.raises(ValueError):
        view[::0]


def test_bytes_view_exports_a_read_only_buffer():
    view = viewed(DATA)
    seen = memoryview(view)
    assert seen.readonly and seen.format == "B" and seen.nbytes == 3000 and seen == DATA and seen.c_contiguous
    with pytest.raises(TypeError):
        seen[0] = 1
    with pytest.raises((BufferError, TypeError)):
        (ctypes.c_char * 3000).from_buffer(view)
    held = alive()
    del view
    assert seen == DATA and alive() == held, "the memoryview keeps the block"


def test_bytes_view_is_accepted_where_bytes_are():
    view = viewed(DATA)
    assert hashlib.sha256(view).digest() == hashlib.sha256(DATA).digest()
    assert bytes(view) == bytearray(view) == b"".join([view]) == DATA and int.from_bytes(view[:8]) >= 0
    with tempfile.TemporaryFile() as file:
        assert file.write(view) == 3000
        file.seek(0)
        assert file.read() == DATA
    left, right = socket.socketpair()
    with left, right:
        left.sendall(view)
        left.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: right.recv(4096), b"")) == DATA


def test_bytes_view_comparison():
    view, small = viewed(DATA), viewed(DATA)[:5]
    assert (
        view == DATA and DATA == view and view == viewed(DATA) and view == bytearray(DATA) and bytearray(DATA) == view
    )
    assert view == memoryview(DATA) and memoryview(DATA) == view and not view != DATA
    assert hash(view) == hash(DATA) and {view: 1}[DATA] == 1 and {DATA: 1}[view] == 1
    assert hash(view[:0]) == hash(b"") and view[:0] == b""
    numbers = array.array("I", view[:12])
    assert (
        (view[:12] == memoryview(numbers)) == (memoryview(numbers) == view[:12]) == (memoryview(view[:12]) == numbers)
    )
    for other in (None, 1, "text", list(DATA), tuple(DATA), object()):
        assert view != other and not view == other
        with pytest.raises(TypeError):
            view < other  # noqa: B015
    values = [b"", b"a", b"ab", b"b", b"a\0", DATA[:5], DATA[:4] + b"\0"]
    for one, other in itertools.product(values, repeat=2):
        a, b = viewed(one + bytes(600))[: len(one)], viewed(other + bytes(600))[: len(other)]
        for x, y in ((a, b), (a, other), (one, b)):
            assert (x < y, x <= y, x == y, x >= y, x > y) == (
                one < other, one <= other, one == other, one >= other, one > other)  # fmt: skip
    assert small in [DATA[:5]]


def test_bytes_view_searching():
    view = viewed(DATA)
    for needle in (DATA[5], DATA[100:120], b"", viewed(DATA)[2990:], bytearray(DATA[:3]), b"not there"):
        plain = needle if isinstance(needle, int) else bytes(needle)
        assert (needle in view) == (plain in DATA) and view.count(needle) == DATA.count(plain)
        if plain in DATA:
            assert view.index(needle) == DATA.index(plain)
            assert view.index(needle, 1, 2999) == DATA.index(plain, 1, 2999) if plain in DATA[1:2999] else True
    assert view.index(DATA[-1], -1) == 2999 and viewed(b"ab" * 400).count(b"abab") == 200
    assert viewed(bytes(600)).count(b"") == 601 and viewed(bytes(600)).index(b"", 600) == 600
    for arguments in [(b"not there",), (DATA[0], 3000), (DATA[0], 5, 5), (DATA[0], 9, 1)]:
        with pytest.raises(ValueError):
            view.index(*arguments)
    for number in (-1, 256, 2**100):
        with pytest.raises(ValueError, match="byte must be from 0 to 255"):
            number in view  # noqa: B015
    for wrong in ("text", None, 1.0):
        with pytest.raises(TypeError):
            wrong in view  # noqa: B015
        with pytest.raises(TypeError):
            view.count(wrong)


def test_bytes_view_decode_and_hex():
    text = "für \u20ac\U0001f600" * 100
    for encoding in ("utf-8", "utf-16", "utf-7"):
        view = viewed(text.encode(encoding))
        assert view.decode(encoding) == text == view.decode(errors="strict", encoding=encoding)
    assert viewed(b"\xff" * 600).decode("ascii", "replace") == "\ufffd" * 600
    with pytest.raises(UnicodeDecodeError):
        viewed(b"\xff" * 600).decode()
    with pytest.raises(LookupError):
        viewed(DATA).decode("no-such-encoding")
    view = viewed(DATA)
    assert view.hex() == DATA.hex() and view.hex("-", 4) == DATA.hex("-", 4) == view.hex(sep="-", bytes_per_sep=4)


def test_copies_of_a_bytes_view_are_bytes():
    view = viewed(DATA)
    for copied in (
        view.value(),
        copy.copy(view),
        copy.deepcopy(view),
        *(pickle.loads(pickle.dumps(view, p)) for p in range(6)),
    ):
        assert type(copied) is bytes and copied == DATA
    assert view[5:9].value() == DATA[5:9]


def test_bytes_view_repr():
    assert repr(viewed(b"ab" * 300)) == f"<xichan.BytesView {b'ab' * 16!r}... of 600 bytes>"
    assert repr(viewed(b"ab" * 300)[:3]) == "xichan.BytesView(b'aba')"


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs NumPy")
def test_numpy_reads_a_bytes_view_without_a_copy():
    run_script("""
    import numpy, xichan
    tx, rx = xichan.channel()
    tx.send(numpy.arange(1000, dtype="i4").tobytes())
    seen = numpy.frombuffer(rx.recv(copy=False), "i4")
    assert seen.sum() == 499500 and not seen.flags.writeable and xichan.memory_stats().blocks == 1
    del seen
    assert xichan.memory_stats().blocks == 0
    buffer = xichan.Buffer(800)
    numbers = numpy.frombuffer(buffer, "f8")
    assert numbers.ctypes.data % 64 == 0 and not numbers.any()
    numbers[:] = numpy.arange(100)
    try:
        buffer.freeze()
    except BufferError:
        pass
    else:
        raise AssertionError
    del numbers
    shared = buffer.freeze()
    assert numpy.frombuffer(shared, "f8").sum() == 4950
    assert bytes(xichan.share(numpy.arange(6, dtype="u1").reshape(2, 3))) == bytes(range(6))
    try:
        xichan.share(numpy.arange(6, dtype="u1")[::2])
    except BufferError as error:
        assert "contiguous" in str(error)
    else:
        raise AssertionError
    """)
