"""array.array and memoryview, sent as what they are."""

import array
import copy
import pickle
import struct
import threading

import pytest
from support import alive, execute, interpreter, run_script
from support.memory import fail_each_allocation, loop_without_leak

import xichan

CODES = [code for code in array.typecodes if code not in "uw"]
ARRAYS = {
    **{code: array.array(code, bytes(range(1, 49))) for code in CODES},
    "w": array.array("w", "text €\U0001f600"),
    "empty": array.array("d"),
    "short": array.array("b", [-1]),
    "large": array.array("q", range(5000)),
}
FORMATS = ["?", "b", "B", "c", "h", "H", "i", "I", "l", "L", "q", "Q", "n", "N", "f", "d", "e", "P"]


def deliver(value, **options):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv(**options)


def dumped(value):
    return xichan.loads(xichan.dumps(value))


ROUTES = {"channel": deliver, "dump": dumped, "share": lambda value: xichan.share([value]).value()[0]}


def assert_same_array(found, expected):
    assert type(found) is array.array and found.typecode == expected.typecode and found.tobytes() == expected.tobytes()


def assert_same_memory(found, expected):
    assert type(found) is memoryview and found.readonly and found.tobytes() == expected.tobytes()
    assert (found.format, found.shape, found.strides) == (expected.format, expected.shape, expected.strides)


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("name", ARRAYS)
def test_array_arrives_as_an_equal_array(name, route):
    value = ARRAYS[name]
    assert_same_array(route(value), value)
    found = route([value, {"key": (value, 1)}])
    assert_same_array(found[0], value)
    assert found[1]["key"][0] is found[0], "one array in the message is one array again"


def test_array_of_the_deprecated_type_u_keeps_it():
    with pytest.warns(DeprecationWarning):
        value = array.array("u", "text")
    with pytest.warns(DeprecationWarning):
        assert_same_array(deliver(value), value)


def test_received_array_is_a_copy_that_can_grow():
    value = array.array("i", [1, 2, 3])
    found = deliver(value)
    found.append(4)
    found[0] = 9
    value.append(5)  # the buffer is not held
    assert list(found) == [9, 2, 3, 4] and list(value) == [1, 2, 3, 5]


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("format", FORMATS)
def test_memoryview_keeps_format_and_shape(format, route):
    size = struct.calcsize(format)
    data = memoryview(bytes(24 * size))
    for shape in ([24], [4, 6], [2, 3, 4]):
        value = data.cast(format, shape)
        assert_same_memory(route(value), value)
    assert_same_memory(route([data.cast(format, [24])])[0], data.cast(format, [24]))


def test_memoryview_of_one_item_has_no_dimensions():
    value = memoryview(struct.pack("d", 2.5)).cast("d", [])
    found = deliver(value)
    assert found.shape == () and found.tolist() == 2.5


def test_memoryview_of_any_memory_is_copied():
    source = bytearray(b"abc" * 500)
    found, view = deliver(memoryview(source)), deliver(memoryview(source), copy=False)
    source[:3] = b"xyz"
    source.append(1)  # not exported any longer
    assert found == view == b"abc" * 500 and found.obj.nbytes == 1500
    assert type(view) is memoryview, "a memoryview reads in place already"
    for empty in (memoryview(b""), memoryview(array.array("d"))):
        assert_same_memory(deliver(empty), empty)


def test_memoryview_keeps_the_message():
    before = alive()
    found = deliver((memoryview(b"abc" * 1000), 1))[0]
    part = found[3:6]
    del found
    assert part == b"abc" and alive() != before
    del part
    assert alive() == before


def test_memoryview_of_bytes_is_a_key():
    value = {memoryview(b"key"): 1, memoryview(b"x" * 1000): frozenset([memoryview(b"item")])}
    for found in (deliver(value), dumped(value), deliver(value, copy=False)):
        assert found[b"key"] == 1 and b"item" in found[b"x" * 1000]


REFUSED = {
    "with steps": lambda: memoryview(bytes(8))[::2],
    "backwards": lambda: memoryview(bytes(8))[::-1],
    "released": lambda: (view := memoryview(bytes(8)), view.release())[0],
    "several items": lambda: memoryview(struct_array()),
}


def struct_array():
    import ctypes

    class Pair(ctypes.Structure):
        _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_double))

    return (Pair * 3)()


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_other_memoryview_is_refused_with_its_place(make):
    tx, rx = xichan.channel(1)
    before = alive()
    for value, path in ((make(), r"value"), ([1, {"a": make()}], r"value\[1\]\['a'\]")):
        for refuse in (tx.send, xichan.dumps):
            with pytest.raises(
                xichan.NotShareableError, match=rf"^{path}: memoryview is not shareable; .*tobytes"
            ) as info:
                refuse(value)
            assert type(info.value.item) is memoryview
    assert len(rx) == 0 and alive() == before
    assert_same_memory(deliver(memoryview(b"fine")), memoryview(b"fine"))


def test_array_of_a_subclass_is_refused():
    cls = type("Numbers", (array.array,), {})
    with pytest.raises(xichan.NotShareableError, match=r"Numbers is not shareable"):
        deliver(cls("d", [1.0]))


class Strange:
    """Registered by a test."""


def test_array_does_not_change_while_its_message_is_prepared():
    numbers = array.array("i", [1, 2, 3])

    def encode(strange):
        with pytest.raises(BufferError):
            numbers.append(4)
        numbers[0] = 7
        return 1

    xichan.register(Strange, encode, lambda value: Strange())
    found = deliver([numbers, Strange(), Strange()])
    assert found[0].tolist() == [7, 2, 3] and type(found[1]) is Strange
    numbers.append(5)


def test_large_array_is_read_in_place():
    value = array.array("i", range(1000))
    small = deliver(array.array("i", range(10)), copy=False)
    assert type(small) is array.array
    view = deliver([value], copy=False)[0]
    assert type(view) is xichan.ArrayView
    assert (view.shape, view.strides, view.format, view.dtype) == ((1000,), (4,), "i", "<i4")
    assert len(view) == 1000 and view.nbytes == 4000 and view and memoryview(view)[999] == 999
    assert repr(view) == "<xichan.ArrayView of '<i4', shape (1000,)>"
    assert view == value and value == view and not view != value and view != array.array("i", range(1001))
    assert view == deliver(value, copy=False) and view != deliver(array.array("I", range(1000)), copy=False)
    assert view != "text" and not view == 5
    assert_same_array(view.value(), value)
    assert_same_array(copy.copy(view), value)
    assert_same_array(pickle.loads(pickle.dumps(view)), value)
    with pytest.raises(TypeError, match="unhashable"):
        hash(view)
    with pytest.raises((BufferError, TypeError), match="read-only|read-write"):
        struct.pack_into("i", view, 0, 1)


def test_view_of_an_array_is_sent_on_without_a_copy():
    view = deliver([array.array("d", range(1000)), "x"], copy=False)[0]
    for found in (deliver(view), deliver([view, view])[0], dumped(view), dumped([view])[0]):
        assert_same_array(found, view.value())
    again = deliver([view], copy=False)[0]
    assert type(again) is xichan.ArrayView and again == view
    assert_same_array(deliver(deliver(array.array("d", range(1000)), copy=False)), view.value())


def test_arrays_compare_inside_views():
    value = [array.array("d", range(1000)), (array.array("b", [1]), memoryview(b"x" * 600))]
    view = deliver(value, copy=False)
    assert view == value and view == deliver(value, copy=False) and view.value() == value
    assert view != [array.array("d", range(1001)), value[1]]
    assert "array('b', [1])" in repr(view)


def test_views_of_arrays_cannot_be_made():
    with pytest.raises(TypeError, match="receive one with copy=False"):
        xichan.ArrayView()


def test_arrays_travel_between_interpreters():
    tx, rx = xichan.channel(4)
    back_tx, back_rx = xichan.channel(4)
    with interpreter(rx=rx, tx=back_tx) as other:
        tx.send((ARRAYS["large"], memoryview(bytes(600)).cast("h", [3, 100]), ARRAYS["short"]))
        execute(
            other,
            """
        import array
        large, memory, short = rx.recv()
        assert type(large) is type(short) is array.array and large[4999] == 4999 and short[0] == -1
        assert memory.format == "h" and memory.shape == (3, 100) and memory.readonly
        tx.send((large, memory, short))
        """,
        ).result()
        large, memory, short = back_rx.recv()
        assert_same_array(large, ARRAYS["large"])
        assert_same_array(short, ARRAYS["short"])
        assert memory.shape == (3, 100)


def test_dump_of_arrays_loads_in_another_process(tmp_path):
    path = tmp_path / "dump"
    path.write_bytes(xichan.dumps([ARRAYS["large"], memoryview(bytes(range(12))).cast("B", [3, 4])]))
    run_script(f"""
    import sys, xichan
    numbers, grid = xichan.loads(open({str(path)!r}, "rb").read())
    assert numbers.typecode == "q" and numbers[4999] == 4999 and grid.tolist()[2] == [8, 9, 10, 11]
    assert "numpy" not in sys.modules
    """)


def test_many_references_to_an_array_take_one_content():
    value = array.array("d", range(1000))
    assert len(xichan.dumps([value] * 1000)) < 8000 + 16 * 1000 + 500
    found = dumped([value] * 1000)
    assert all(item is found[0] for item in found)


def test_arrays_survive_each_failing_arena_allocation():
    tx, rx = xichan.channel(2)
    value = ([array.array("d", range(100)), memoryview(bytes(1000))], array.array("b"))
    before = alive()

    def nothing_came_of_it():
        assert len(rx) == 0 and alive() == before

    fail_each_allocation(lambda: tx.send(value), nothing_came_of_it)
    rx.drain()
    assert alive() == before
    value[0][0].append(1)


@pytest.mark.parametrize("loop", [
    "tx.send([numbers, memoryview(data), small]); rx.recv()",
    "tx.send([numbers, memoryview(data)]); v = rx.recv(copy=False)[0]; v == v; v.dtype; v.shape; repr(v); v.value()",
    "refused(lambda: tx.send([numbers, memoryview(data)[::2]]))",
    "refused(lambda: tx.send([numbers, memoryview(data), object()]))",
    "xichan.loads(xichan.dumps([numbers, numbers]))",
])  # fmt: skip
def test_arrays_leak_no_memory(loop):
    loop_without_leak(
        loop,
        """
        import array
        numbers, data, small = array.array('d', range(200)), bytes(1000), array.array('b', [1])
        """,
        rounds=2000,
    )


def test_array_resized_by_another_thread_is_sent_whole():
    numbers, stop = array.array("q", range(100)), threading.Event()

    def resize():
        while not stop.is_set():
            try:
                numbers.append(len(numbers))
                del numbers[100:]
            except BufferError:
                pass

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        for _ in range(2000):
            found = deliver([numbers, {"x": numbers}])
            assert found[0].tolist() == list(range(len(found[0])))
    finally:
        stop.set()
        thread.join()


def test_numpy_arrays_are_views_where_numpy_is_missing():
    pytest.importorskip("numpy")
    run_script("""
    import pickle, sys, numpy, xichan
    grid = numpy.asfortranarray(numpy.arange(12, dtype="i4").reshape(3, 4))
    values = [grid, numpy.float64(2.5), numpy.datetime64("2020-01-01"), numpy.zeros(2, [("a", "i4"), ("b", "U3")])]
    tx, rx = xichan.channel(2)
    tx.send(values)
    data = xichan.dumps(values)
    for name in [name for name in sys.modules if name.partition(".")[0] == "numpy"]:
        del sys.modules[name]
    sys.modules["numpy"] = None
    for grid, number, day, pairs in (rx.recv(), xichan.loads(data)):
        for view in (grid, number, day, pairs):
            assert type(view) is xichan.ArrayView, view
        assert (grid.shape, grid.strides, grid.format, grid.dtype) == ((3, 4), (4, 12), "i", "<i4")
        assert memoryview(grid).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
        assert number.shape == () and number.dtype == "<f8" and memoryview(number).tolist() == 2.5
        assert day.dtype == "<M8[D]" and memoryview(day).tolist() == 18262
        assert pairs.dtype == [("a", "<i4"), ("b", "<U3")] and pairs.nbytes == 32 and pairs.format == "16x"
        assert type(grid.value()) is xichan.ArrayView and grid.value() == grid
        try:
            pickle.dumps(grid)
        except TypeError:
            pass
        else:
            raise AssertionError
        tx.send((grid, day))
        assert rx.recv() == (grid, day)
    """)


def test_loads_does_not_import_numpy(tmp_path):
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "dump"
    path.write_bytes(xichan.dumps(numpy.arange(5, dtype="f8")))
    run_script(f"""
    import sys, xichan
    view = xichan.loads(open({str(path)!r}, "rb").read())
    assert type(view) is xichan.ArrayView and "numpy" not in sys.modules
    assert memoryview(view).tolist() == [0, 1, 2, 3, 4]
    import numpy
    assert numpy.asarray(view).tolist() == view.value().tolist() == [0, 1, 2, 3, 4]
    assert type(xichan.loads(open({str(path)!r}, "rb").read())) is numpy.ndarray
    """)
