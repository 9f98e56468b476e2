"""share() and Shared: encoded once, then sent without copies."""

import array
import copy
import ctypes
import io
import mmap
import pickle
import random
import weakref

import pytest
from support import alive, counts, float_of, interpreter, left_over, random_value, same, samples, viewed

import xichan

BIG = (1, "text" * 1000, (b"x" * 100_000, 2.5))


def through(value, **options):
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send_nowait(value)
        return rx.recv_nowait(**options)


SHAREABLE = [None, True, 5, -1.5, "", "short", b"", b"short", (), 2**100, "x" * 99, (1, ((),)), BIG]


@pytest.mark.parametrize("value", SHAREABLE, ids=lambda value: ascii(value)[:20])
def test_any_value_can_be_shared(value):
    before = alive()
    shared = xichan.share(value)
    assert type(shared) is xichan.Shared and alive()["blocks"] == before["blocks"] + 1
    assert alive()["bytes"] - before["bytes"] == shared.nbytes
    assert same(shared.value(), value) and type(shared.view()) is type(viewed(value)) and shared.view() == value
    assert shared == value and value == shared and not shared != value and hash(shared) == hash(value)
    assert {shared: 1}[value] == 1 and {value: 1}[shared] == 1
    assert shared == xichan.share(value) and shared == viewed(value) and viewed(value) == shared
    assert shared != xichan.share((value, 1)) and shared != object()
    assert xichan.share(shared) is shared and weakref.ref(shared)() is shared
    del shared
    assert left_over(before) == {}


def test_sending_a_shared_copies_nothing():
    shared = xichan.share(BIG)
    before = alive()
    for copied in (True, False):
        arrived = through(shared, copy=copied)
        assert type(arrived) is xichan.Shared and arrived == shared and alive() == before
        for nested in (through((1, shared, (shared,)), copy=copied), through(((shared,), shared, shared), copy=copied)):
            assert type(nested[1]) is xichan.Shared and nested[1].value() == BIG
    assert through([shared][0], copy=False).view()[2][0][:3] == b"xxx"
    nested = through((shared,) * 1000)
    assert all(item == shared for item in nested) and alive() == before
    assert xichan.share((shared, 1)).nbytes < 200 and xichan.share((shared, 1)).value() == (shared, 1) == (BIG, 1)


def test_message_is_not_charged_for_a_shared():
    tx, rx = xichan.channel(8, max_bytes=100)
    shared = xichan.share(BIG)
    for _ in range(8):
        tx.send_nowait(shared)
    assert rx.stats().bytes == 0
    with pytest.raises(ValueError):
        tx.send(BIG, 0)
    assert rx.drain() == [shared] * 8


def test_shared_equality_is_by_content():
    nan = float_of(0x7FF8DEADBEEF1234)
    shared = xichan.share((nan,))
    assert shared == shared and shared == through(shared) and shared != xichan.share((nan,))
    assert xichan.share(1) == xichan.share(1.0) == xichan.share(True) == 1 and 1 == xichan.share(1)
    assert xichan.share(b"abc") == bytearray(b"abc") and xichan.share("abc") == "abc" and xichan.share("abc") != b"abc"
    assert (
        xichan.share((1, (2,))) == (1, (2,))
        and (1, xichan.share((2,))) == (1, (2,))
        and hash((xichan.share((2,)),)) == hash(((2,),))
    )
    for compare in (lambda: xichan.share(1) < 2, lambda: xichan.share(1) < xichan.share(2)):
        with pytest.raises(TypeError):
            compare()


SMALL, LARGE = range(3), range(1000)
BUFFERS = {
    "bytearray": bytearray(b"abc"),
    "empty bytearray": bytearray(),
    "large bytearray": bytearray(b"x" * 1000),
    "array": array.array("i", SMALL),
    "large array": array.array("d", LARGE),
    "memoryview": memoryview(b"x" * 1000),
    "memoryview of ints": memoryview(array.array("i", LARGE)),
    "grid": memoryview(bytes(range(12))).cast("B", (3, 4)),
}


@pytest.mark.parametrize("source", BUFFERS.values(), ids=BUFFERS)
def test_shared_bytearray_or_array_keeps_its_type(source):
    content = memoryview(source).tobytes()
    before = alive()
    shared = xichan.share(source)
    assert alive()["blocks"] == before["blocks"] + 1 and alive()["bytes"] - before["bytes"] <= len(content) + 250
    value = shared.value()
    assert type(value) is type(through(source)) is type(source) and value == source == shared == xichan.share(source)
    seen = memoryview(shared)
    assert seen.readonly and seen.tobytes() == content == bytes(shared) and seen == source
    with_format = type(source) is not bytearray
    assert (seen.format, seen.shape) == ((memoryview(source).format if with_format else "B"), memoryview(source).shape)
    assert through(shared) == source and type(through((shared,))[0]) is xichan.Shared
    for copied in (pickle.loads(pickle.dumps(shared)), copy.copy(shared), copy.deepcopy(shared)):
        assert type(copied) is xichan.Shared and copied == shared and type(copied.value()) is type(source)
    assert repr(shared).startswith(f"<xichan.Shared {type(source).__name__}, ")
    del shared
    assert seen == source
    del seen, value, copied
    assert left_over(before) == {}


def test_shared_bytearray_or_array_is_read_in_place():
    shared = {name: xichan.share(source) for name, source in BUFFERS.items()}
    before = alive()["bytes"]
    views = {name: each.view() for name, each in shared.items()}
    assert alive()["bytes"] == before
    assert type(views["large bytearray"]) is xichan.BytesView and views["large bytearray"] == b"x" * 1000
    assert views["bytearray"] == b"abc" and type(views["bytearray"]) is bytes
    assert type(views["large array"]) is xichan.ArrayView and views["large array"] == BUFFERS["large array"]
    assert type(views["grid"]) is memoryview and views["grid"] == BUFFERS["grid"]
    assert shared["bytearray"] == b"abc" and bytearray(b"abc") == shared["bytearray"]
    one, other = shared["bytearray"].value(), shared["bytearray"].value()
    one += b"d"
    assert other == shared["bytearray"] == b"abc"


def test_shared_bytearray_or_array_is_hashable_if_its_value_is():
    for source in (bytearray(b"abc"), bytearray(b"x" * 1000), array.array("i", SMALL), array.array("d", LARGE)):
        with pytest.raises(TypeError, match="unhashable type: '(bytearray|array.array)'"):
            hash(xichan.share(source))
    assert hash(xichan.share(memoryview(b"x" * 1000))) == hash(b"x" * 1000)
    with pytest.raises(ValueError, match="memoryview: hashing is restricted"):
        hash(xichan.share(memoryview(array.array("i", SMALL))))


def test_shared_buffer_is_copied_when_it_is_shared():
    source = bytearray(b"x" * 1000)
    shared = xichan.share(source)
    source[:] = b"y" * 1000
    assert shared == b"x" * 1000
    del source[:]  # the buffer was released
    with pytest.raises(BufferError, match="contiguous"):
        xichan.share(memoryview(b"abcdef")[::2])
    with pytest.raises(TypeError, match="read-write"):
        io.BytesIO(b"123").readinto(xichan.share(array.array("i", SMALL)))
    assert xichan.share((bytearray(b"x"),)).value() == (bytearray(b"x"),)


def test_share_turns_other_buffers_into_bytes():
    numbers = (ctypes.c_int * 3)(1, 2, 3)
    with mmap.mmap(-1, 1000) as mapped:
        mapped[:3] = b"abc"
        for source in (numbers, mapped, type("Text", (bytes,), {})(b"abc"), type("Data", (bytearray,), {})(b"abc")):
            content = memoryview(source).tobytes()
            for options in ({}, {"pickle": True}):
                shared = xichan.share(source, **options)
                assert same(shared.value(), content) and hash(shared) == hash(content) and memoryview(shared) == content
    with pytest.raises(xichan.NotShareableError, match="^value: memoryview is not shareable; send its tobytes"):
        xichan.share(memoryview((Pair * 2)()))


class Pair(ctypes.Structure):
    _fields_ = [("one", ctypes.c_int), ("other", ctypes.c_double)]


def test_published_bytearray_or_array_keeps_its_type():
    for source in BUFFERS.values():
        xichan.publish("buffer", source)
        try:
            found = xichan.lookup("buffer")
            assert type(found) is type(source) and found == source
        finally:
            xichan.unpublish("buffer")


def test_shared_exports_a_buffer():
    for data in (b"", b"short", b"x" * 100_000):
        shared = xichan.share(data)
        seen = memoryview(shared)
        assert seen == data and seen.readonly and bytes(shared) == data
        del shared
        assert seen == data
    for value in (1, "text" * 1000, BIG):
        with pytest.raises(BufferError, match=f"^expected a Shared of bytes, got a Shared of {type(value).__name__}$"):
            memoryview(xichan.share(value))


def test_views_are_shared_without_a_copy():
    view = viewed(BIG)
    before = alive()
    whole, part, piece = xichan.share(view), xichan.share(view[2][0]), xichan.share(view[2][0][10:5000])
    assert alive()["bytes"] - before["bytes"] < 500
    assert whole == BIG and part == BIG[2][0] and memoryview(piece) == BIG[2][0][10:5000]
    assert memoryview(part) == BIG[2][0] and xichan.share(view[::-1]) == BIG[::-1]
    del view
    assert whole == BIG and part == BIG[2][0] and type(part.view()) is xichan.BytesView


def test_share_rejects_unshareable_values():
    before = alive()
    for value in (object(), {len}, (1, [object()]), xichan.Shared, xichan.Buffer(10)):
        with pytest.raises(xichan.NotShareableError):
            xichan.share(value)
    for make in (lambda: xichan.Shared(), lambda: xichan.share(), lambda: xichan.share(1, 2)):
        with pytest.raises(TypeError):
            make()
    xichan.set_memory_limit(alive()["bytes"] + 1000)
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.share(BIG)
    with pytest.raises(xichan.MemoryLimitExceeded):
        xichan.share(bytearray(2000))
    del value
    assert alive() == before


def test_endpoints_in_a_shared_open_on_each_access():
    tx, rx = xichan.channel(4)
    shared = xichan.share((tx, 1))
    assert counts(tx) == (2, 1)
    one, other = shared.value()[0], shared.view()[0]
    assert counts(tx) == (4, 1) and one.id == other.id == tx.id
    with pytest.raises(TypeError, match="unhashable"):
        hash(shared)
    del one, other
    tx.close()
    assert not rx.closed, "the Shared holds an end"
    del shared
    assert rx.closed


def test_copies_and_pickles_of_a_shared_have_its_content():
    shared = xichan.share(BIG)
    for copied in (copy.copy(shared), copy.deepcopy(shared), pickle.loads(pickle.dumps(shared))):
        assert type(copied) is xichan.Shared and copied == shared


def test_shared_repr():
    assert repr(xichan.share(())) == "<xichan.Shared tuple, 48 bytes>"
    kinds = {
        None: "None",
        True: "bool",
        2**100: "int",
        1.5: "float",
        "x": "str",
        "x" * 99: "str",
        b"x": "bytes",
        (1,): "tuple",
    }
    for value, kind in kinds.items():
        assert repr(xichan.share(value)).startswith(f"<xichan.Shared {kind}, ")


def test_every_sample_can_be_shared():
    tx, rx = xichan.channel()
    for name, value in samples(tx, rx).items():
        if name != "ends":
            assert same(xichan.share(value).value(), value) and xichan.share(value) == value, name
    rng = random.Random(5)
    for _ in range(2000):
        value = random_value(rng)
        assert same(xichan.share(value).value(), value)


def test_shared_travels_through_the_standard_library():
    pytest.importorskip("concurrent.interpreters")
    from concurrent import interpreters

    shared = xichan.share(BIG)
    before = alive()
    queue = interpreters.create_queue()
    with interpreter(shared=shared, inside=(shared, 1), queue=queue) as interp:
        assert alive()["bytes"] == before["bytes"]
        assert interpreters.is_shareable(shared)
        interp.exec("""if True:
            assert type(shared) is type(inside[0]) and shared == inside[0] and shared.view()[1][:4] == "text"
            queue.put(shared)
        """)
        arrived = queue.get()
        assert type(arrived) is xichan.Shared and arrived == shared and alive()["bytes"] == before["bytes"]
        assert interp.call(type(shared).value, shared) == BIG
        del arrived
