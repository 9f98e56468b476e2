"""Arrays and scalars of NumPy, sent as what they are."""

import pickle

import pytest
from support import alive, run_script
from support.memory import loop_without_leak

import xichan

numpy = pytest.importorskip("numpy")

DTYPES = [
    "?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g", "c8", "c16", "G", ">i4", ">f8", ">u2",
    "S5", "U3", ">U3", "V7", "M8[us]", "M8[D]", "m8[25s]", ">M8[ns]", "M8", "m8",
]  # fmt: skip
STRUCTURES = {
    "fields": [("a", "i4"), ("b", "f8")],
    "aligned": numpy.dtype([("a", "u1"), ("b", "f8"), ("c", "u1")], align=True),
    "nested": [("a", [("x", "i2"), ("y", "M8[s]")]), ("b", "U4")],
    "with shape": [("a", "i4", (2, 3)), ("b", "S3")],
    "with titles": [(("the title", "a"), "i4"), ("b", ">f8")],
}


def deliver(value, **options):
    tx, rx = xichan.channel(1)
    tx.send(value)
    return rx.recv(**options)


ROUTES = {
    "channel": deliver,
    "dump": lambda value: xichan.loads(xichan.dumps(value)),
    "share": lambda value: xichan.share(value).value(),
}


def filled(dtype, shape):
    dtype = numpy.dtype(dtype)
    count = 1
    for length in shape:
        count *= length
    if dtype.kind in "SU":
        return numpy.array([f"{i % 7}x" for i in range(count)], dtype).reshape(shape)
    if dtype.kind == "b":
        return numpy.array([i % 3 == 0 for i in range(count)], dtype).reshape(shape)
    return numpy.frombuffer(bytes(i * 7 % 61 for i in range(count * dtype.itemsize)), dtype).reshape(shape).copy()


def assert_same(found, expected):
    assert type(found) is type(expected) and found.dtype == expected.dtype and found.dtype.str == expected.dtype.str
    assert found.shape == expected.shape and found.tobytes("A") == expected.tobytes("A")
    if isinstance(expected, numpy.ndarray):
        assert found.flags.c_contiguous == expected.flags.c_contiguous
        assert found.flags.f_contiguous == expected.flags.f_contiguous
        assert found.flags.writeable and found.flags.aligned
        assert found.dtype.isnative == expected.dtype.isnative and found.dtype.descr == expected.dtype.descr


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_array_arrives_with_dtype_shape_and_order(dtype, route):
    for shape in ((), (1,), (0,), (5,), (3, 4), (2, 0, 3), (2, 3, 4)):
        value = filled(dtype, shape)
        assert_same(route(value), value)
        fortran = numpy.asfortranarray(value)
        assert_same(route([fortran])[0], fortran)


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("dtype", STRUCTURES.values(), ids=STRUCTURES)
def test_structured_array_keeps_its_fields(dtype, route):
    for shape in ((), (4,), (2, 3), (0,)):
        value = numpy.zeros(shape, dtype)
        if value.size:
            value.flat[0] = numpy.ones((), dtype)[()]
        found = route({"rows": [value, value]})["rows"]
        assert found[0] is found[1]
        assert_same(found[0], value)
        assert found[0].dtype.fields.keys() == value.dtype.fields.keys()
    scalar = numpy.ones(2, dtype)[1]
    found = route(scalar)
    assert type(found) is numpy.void and found.dtype == scalar.dtype and found.tobytes() == scalar.tobytes()


SCALARS = [
    numpy.bool_(True), numpy.int8(-1), numpy.uint64(2**64 - 1), numpy.float16(0.5), numpy.float64("nan"),
    numpy.longdouble(1) / 3, numpy.complex64(1j), numpy.str_("text €"), numpy.str_(""), numpy.bytes_(b"ab"),
    numpy.bytes_(b""), numpy.datetime64("2020-01-01T10:00:00.123456"), numpy.timedelta64(5, "D"),
    numpy.datetime64("NaT", "s"), numpy.void(b"abcd"), numpy.longlong(5), numpy.str_("x" * 1000),
]  # fmt: skip


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize("value", SCALARS, ids=lambda value: f"{type(value).__name__} {value!r:.20}")
def test_numpy_scalar_arrives_as_the_same_type(value, route):
    for found in (route(value), route([1, {"a": value}])[1]["a"]):
        if type(value) is not numpy.longlong:
            assert type(found) is type(value)
        assert found.dtype == value.dtype and found.tobytes() == value.tobytes()
    assert_same(deliver(value, copy=False), found)


def test_numpy_scalars_are_keys():
    value = {numpy.int64(3): "int", numpy.str_("k"): 1, (numpy.float32(0.5), 1): frozenset([numpy.int8(1)])}
    for found in (deliver(value), xichan.loads(xichan.dumps(value))):
        assert found == value and [type(key) for key in found] == [numpy.int64, numpy.str_, tuple]
    assert deliver(value, copy=False)[numpy.int64(3)] == "int"


def test_large_numpy_array_is_read_in_place():
    value = numpy.arange(5000, dtype="f8").reshape(50, 100)
    view = deliver({"a": value}, copy=False)["a"]
    assert type(view) is xichan.ArrayView
    assert (view.shape, view.strides, view.format, view.dtype) == ((50, 100), (800, 8), "d", "<f8")
    seen = numpy.asarray(view)
    assert (seen == value).all() and not seen.flags.writeable and not seen.flags.owndata
    assert_same(view.value(), value)
    assert_same(pickle.loads(pickle.dumps(view)), value)
    assert (view == value).all() and (value == view).all()
    assert_same(deliver(view), value)
    assert view == deliver(value, copy=False) and view != deliver(value.T, copy=False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_view_shows_each_dtype(dtype):
    for value in (filled(dtype, (30, 40)), numpy.asfortranarray(filled(dtype, (30, 40)))):
        view = deliver(value, copy=False)
        assert type(view) is xichan.ArrayView and view.dtype == value.dtype.str and view.strides == value.strides
        seen = memoryview(view)
        assert seen.shape == value.shape and seen.itemsize == value.itemsize and seen.tobytes() == value.tobytes()
        if value.dtype.kind not in "mMV":
            read = numpy.asarray(view)
            assert read.dtype == value.dtype and read.tobytes("A") == value.tobytes("A")
        assert bytes(memoryview(view).tobytes("A")) == value.tobytes("A")


def test_received_array_is_independent():
    value = numpy.arange(1000.0)
    tx, rx = xichan.channel(1)
    tx.send(value)
    value[:] = 0
    found = rx.recv()
    assert found[999] == 999
    found[0] = 5
    value.resize(2000, refcheck=False)


REFUSED = {
    "steps": (lambda: numpy.arange(10)[::2], "ascontiguousarray"),
    "columns": (lambda: numpy.zeros((4, 4))[:, 1:], "ascontiguousarray"),
    "structured steps": (lambda: numpy.zeros(10, [("a", "i4")])[::2], "ascontiguousarray"),
    "broadcast": (lambda: numpy.broadcast_to(numpy.float64(1), (3, 3)), "ascontiguousarray"),
    "objects": (lambda: numpy.array([1, "a"], object), "tolist"),
    "fields of objects": (lambda: numpy.zeros(2, [("a", "i4"), ("b", "O")]), "tolist"),
    "variable strings": (lambda: numpy.array(["a", "b"], numpy.dtypes.StringDType()), "tolist"),
    "overlapping fields": (
        lambda: numpy.zeros(2, {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 2]}), "fields overlap",
    ),
    "masked": (lambda: numpy.ma.masked_array([1, 2], [True, False]), "send its data and mask"),
    "recarray": (lambda: numpy.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "asarray"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_other_numpy_array_is_refused_with_a_remedy(name):
    make, remedy = REFUSED[name]
    tx, rx = xichan.channel(1)
    before = alive()
    for value, path in ((make(), "value"), ({"k": [make()]}, r"value\['k'\]\[0\]")):
        with pytest.raises(xichan.NotShareableError, match=rf"^{path}: .*{remedy}") as info:
            tx.send(value)
        assert isinstance(info.value.item, numpy.ndarray)
        assert not xichan.is_shareable(value)
    assert alive() == before and len(rx) == 0
    assert deliver(numpy.arange(3)).tolist() == [0, 1, 2], "others are sent after a refusal"
    assert deliver(numpy.zeros(3, [("a", "i4")])).shape == (3,)


@pytest.mark.parametrize("name", REFUSED)
def test_share_refuses_the_numpy_arrays_that_send_refuses(name):
    value = REFUSED[name][0]()
    contiguous = value.flags.c_contiguous or value.flags.f_contiguous
    with pytest.raises(xichan.NotShareableError if contiguous else BufferError):
        xichan.share(value)


def test_shared_numpy_array_is_a_buffer_with_its_format_and_shape():
    for grid in (filled("f8", (3, 4)), numpy.asfortranarray(filled("f8", (30, 40))), filled(">i2", (5,))):
        shared = xichan.share(grid)
        seen = numpy.asarray(shared)
        assert seen.dtype == grid.dtype and seen.shape == grid.shape and (seen == grid).all()
        assert seen.strides == grid.strides and not seen.flags.writeable
        assert memoryview(shared).format == memoryview(grid).format and (shared == grid).all()
        grid.fill(0)
        assert seen.any(), "copied when it was shared"
        with pytest.raises(TypeError, match="unhashable"):
            hash(shared)
    assert numpy.asarray(xichan.share(numpy.float32(1.5))) == 1.5 == xichan.share(numpy.float32(1.5))
    assert hash(xichan.share(numpy.float64(1.5))) == hash(1.5)


def test_shared_numpy_arrays_are_equal_if_dtype_shape_and_bytes_are():
    for count in (3, 1000):
        one = xichan.share(numpy.arange(count))
        assert (one == xichan.share(numpy.arange(count))) is True and (
            one != xichan.share(numpy.arange(count))
        ) is False
        others = (numpy.arange(count)[::-1].copy(), numpy.arange(count, dtype="f8"), numpy.arange(count).reshape(1, -1))
        for other in (*others, 1, list(range(count)), b"x"):
            assert (one == xichan.share(other)) is False and (xichan.share(other) == one) is False


def test_numpy_arrays_inside_objects_of_classes():
    run_script("""
    import dataclasses, numpy, xichan

    @dataclasses.dataclass
    class Sample:
        name: str
        data: numpy.ndarray
        scale: numpy.float32

    tx, rx = xichan.channel(1)
    tx.send([Sample("a", numpy.arange(100), numpy.float32(0.5))] * 2)
    one, two = rx.recv()
    assert one is two and one.data.tolist() == list(range(100)) and type(one.scale) is numpy.float32
    tx.send(Sample("a", numpy.arange(100), numpy.float32(0.5)))
    view = rx.recv(copy=False)
    assert type(view.data) is xichan.ArrayView and view.scale == 0.5
    """)


def test_foreign_dump_cannot_make_objects_of_addresses():
    data = xichan.dumps(numpy.zeros(2, [("a", "<i8"), ("b", "<i8")]))
    assert xichan.loads(data).shape == (2,)
    for wrong in (b"|O8", b"|O\0", b"i,O", b"<T8", b"zzz"):
        damaged = data.replace(b"<i8", wrong)
        assert damaged != data
        with pytest.raises(ValueError):
            xichan.loads(damaged)
    long = xichan.dumps(numpy.zeros(8, "<M8[25us]"))
    with pytest.raises(ValueError):
        xichan.loads(long.replace(b"<M8[25us]", b"M8[s],O,a"))
    with pytest.raises(ValueError):
        xichan.loads(long.replace(b"<M8[25us]", b"<M8[s],O]"))


@pytest.mark.parametrize("loop", [
    "tx.send([grid, number, day]); rx.recv()",
    "tx.send([rows, rows, rows[0]]); rx.recv()",
    "tx.send([grid]); v = rx.recv(copy=False)[0]; numpy.asarray(v); v == v; v.dtype; v.value()",
    "refused(lambda: tx.send([grid, grid[::2]]))",
    "refused(lambda: tx.send([rows, object()]))",
    "xichan.loads(xichan.dumps([rows, grid, number]))",
])  # fmt: skip
def test_numpy_arrays_leak_no_memory(loop):
    setup = """
        import numpy
        grid, number, day = numpy.zeros((20, 30)), numpy.float64(1), numpy.datetime64("2020-01-01")
        rows = numpy.zeros(50, [("a", "i4"), ("b", "M8[s]")])
        """
    loop_without_leak(loop, setup, rounds=5000)  # what NumPy caches comes first
