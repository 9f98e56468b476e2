"""xichan.TupleView: reads a tuple in place and decodes elements on access."""

import collections.abc
import copy
import itertools
import operator
import pickle
import random
import weakref

import pytest
from support import alive, float_of, random_value, run_on_small_stack, same, viewed

import xichan

VALUE = (1, "a", ("x" * 1000, b"y" * 5000, (2.5, None)), 2**200, True, (), "a", -0.0)
VIEWS = (xichan.TupleView, xichan.BytesView, xichan.StrView)


def test_tuple_view_type_and_protocols():
    view = viewed(VALUE)
    assert type(view) is xichan.TupleView and not isinstance(view, tuple)
    assert isinstance(view, collections.abc.Sequence) and not isinstance(view, collections.abc.Buffer)
    assert weakref.ref(view)() is view
    for make in (
        lambda: xichan.TupleView(),
        lambda: xichan.TupleView((1,)),
        lambda: type("T", (xichan.TupleView,), {}),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises((AttributeError, TypeError)):
        view.attribute = 1
    with pytest.raises(TypeError):
        xichan.TupleView.attribute = 1


def test_tuple_view_elements():
    view = viewed(VALUE)
    assert len(view) == len(VALUE) and bool(view)
    for i in range(-len(VALUE), len(VALUE)):
        assert view[i] == VALUE[i]
    assert [type(item) for item in view] == [int, str, xichan.TupleView, int, bool, tuple, str, float]
    assert [type(item) for item in view[2]] == [xichan.StrView, xichan.BytesView, xichan.TupleView]

    class Index:
        def __index__(self):
            return 1

    assert view[Index()] == "a" and view[True] == "a"
    for index in (len(VALUE), -len(VALUE) - 1, 2**100, -(2**100)):
        with pytest.raises(IndexError):
            view[index]
    for index in (1.0, "1", None, (1,)):
        with pytest.raises(TypeError):
            view[index]
    assert list(view) == list(VALUE) and list(reversed(view)) == list(reversed(VALUE))


def test_tuple_view_slices_share_the_block():
    value = tuple(range(5))
    view = viewed((value, "beside it"))[0]
    before = alive()
    steps = (None, 1, 2, 3, 7, -1, -2, -3, -7)
    limits = (None, *range(-7, 8))
    for start, stop, step in itertools.product(limits, limits, steps):
        piece = view[start:stop:step]
        expected = value[start:stop:step]
        assert (
            type(piece) is xichan.TupleView
            and piece.value() == expected
            and piece == expected
            and len(piece) == len(expected)
        )
        assert hash(piece) == hash(expected) and list(piece) == list(expected)
        again = piece[::-2]
        assert again == expected[::-2] and again[1:] == expected[::-2][1:]
    assert alive() == before, "slices take no memory of the arena"
    with pytest.raises(ValueError):
        view[::0]
    with pytest.raises(TypeError):
        view["a":]
    assert view[:] is view


def test_tuple_view_searching():
    view = viewed(VALUE)
    for item in (*VALUE, "b", 2, (), 2**200, b"y" * 5000, 1.0, view[2], view[2].value()):
        assert (item in view) == (item in VALUE)
        assert view.count(item) == VALUE.count(item)
        if item in VALUE:
            assert view.index(item) == VALUE.index(item)
    assert view.index("a", 2) == 6 and view.index("a", -2, 100) == 6 and view.index("a", -100, 2**200) == 1
    for arguments in [("b",), ("a", 2, 6), ("a", 7), (1, 1, 4), (1, -2, -9), ("a", 2**70)]:
        with pytest.raises(ValueError):
            view.index(*arguments)
    for arguments in [(), ("a", 1, 2, 3), ("a", "1"), ("a", 1.0)]:
        with pytest.raises(TypeError):
            view.index(*arguments)

    class Hostile:
        def __eq__(self, other):
            raise KeyError("asked")

    for call in (lambda: Hostile() in view, lambda: view.index(Hostile()), lambda: view.count(Hostile())):
        with pytest.raises(KeyError):
            call()


ORDERED = [(), (1,), (1, 2), (1, 2, 3), (1, 3), (0, 9, 9), (2,), ((1, 2), 3), ((1, 2), 4), ((1,), 5), ("a",), ("b", 1)]


def outcome(compare, one, other):
    try:
        return compare(one, other)
    except TypeError:
        return TypeError


def test_tuple_view_compares_like_a_tuple():
    for one, other in itertools.product(ORDERED, repeat=2):
        for a, b in [(viewed(one), viewed(other)), (one, viewed(other)), (viewed(one), other)]:
            for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
                assert outcome(compare, a, b) == outcome(compare, one, other), (a, compare, b)
        assert one != other or hash(viewed(one)) == hash(other)
    view = viewed(VALUE)
    for other in (None, 1, list(VALUE), "abc", object(), viewed(VALUE)[:-1], view[::-1]):
        assert view != other and not view == other
    with pytest.raises(TypeError):
        view < list(VALUE)  # noqa: B015
    assert {view: 1}[VALUE] == 1 and {VALUE: 1}[view] == 1


def test_tuple_view_with_a_nan_equals_itself():
    nan = float_of(0x7FF8DEADBEEF1234)
    value = (1, (nan, "text"), nan)
    view = viewed(value)
    other_object = viewed((view,))[0]
    assert other_object is not view
    for same_place in (view, other_object, view[:], view[0:3]):
        assert view == same_place and not view != same_place and view <= same_place and not view < same_place
    assert view[1] == other_object[1] and view[::-1] == other_object[::-1]
    assert view != viewed(value) and view != value  # other NaNs
    assert same(view.value(), value)


def test_tuple_view_supports_pattern_matching():
    match viewed(VALUE):
        case [1, str(), [text, data, [float(), None]], *rest, last]:
            assert (type(text), type(data)) == (xichan.StrView, xichan.BytesView)
            assert rest == list(VALUE[3:-1]) and last == 0.0
        case _:
            raise AssertionError
    match viewed((1, 2)):
        case (a, b):
            assert (a, b) == (1, 2)
    first, *others = viewed(VALUE)
    assert first == 1 and others == list(VALUE[1:])


def test_tuple_view_concatenation_returns_tuples():
    view = viewed((1, (2,)))
    for total in (view + view, view + (1, (2,)), (1, (2,)) + view):
        assert same(total, (1, (2,), 1, (2,)))
    assert same(view[::-1] + (), ((2,), 1))
    for other in ([], None, 1, "text"):
        with pytest.raises(TypeError):
            view + other
        with pytest.raises(TypeError):
            other + view


def test_tuple_view_repr():
    assert repr(viewed((1, ("a", 2.5), ()))) == "xichan.TupleView((1, ('a', 2.5), ()))"
    assert repr(viewed((1, 2, 3))[::2]) == "xichan.TupleView((1, 3))"


@pytest.mark.parametrize(
    "take", [lambda view: view, lambda view: view[2], lambda view: view[::-2], lambda view: view[:0]]
)
def test_copies_of_a_tuple_view_are_tuples(take):
    view, plain = take(viewed(VALUE)), take(VALUE)
    for copied in (view.value(), copy.copy(view), copy.deepcopy(view), tuple(view.value())):
        assert same(copied, plain)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert same(pickle.loads(pickle.dumps(view, protocol)), plain)


def check_deeply(view, value):
    """Compare element by element, at every depth."""
    pairs = [(view, value)]
    while pairs:
        seen, item = pairs.pop()
        if type(item) is tuple and item:
            assert type(seen) is xichan.TupleView and len(seen) == len(item)
            pairs.extend(zip(seen, item, strict=True))
        else:
            assert same(seen.value() if type(seen) in VIEWS else seen, item)


def test_tuple_views_of_generated_values_equal_them():
    rng = random.Random(20_000)
    tx, rx = xichan.channel(1)
    for i in range(20_000):
        value = random_value(rng)
        tx.send_nowait(value)
        view = rx.recv_nowait(copy=False)
        check_deeply(view, value)
        if type(view) is xichan.TupleView:
            assert same(view.value(), value), f"value number {i}: {value!r}"
            assert same(view[::-1].value(), value[::-1])


@pytest.mark.parametrize("small_stack", [False, True], ids=["main stack", "256 KiB stack"])
def test_tuple_view_of_a_deeply_nested_value(small_stack):
    depth = 1_000_000

    def look():
        value = ("bottom",)
        for _ in range(depth):
            value = (value, None)
        view, other = viewed(value), viewed(value)
        assert same(view.value(), value)
        for recursing in (lambda: hash(view), lambda: repr(view), lambda: view == other, lambda: view < other,
                          lambda: view == value, lambda: view != value, lambda: value in other):  # fmt: skip
            with pytest.raises(RecursionError):
                recursing()
        assert view == view[:] and view in [view]
        inner = view
        for _ in range(depth):
            inner = inner[0]
        assert inner == ("bottom",) and hash(inner) == hash(("bottom",))
        assert viewed((view, 1))[0].value()[0][0][1] is None

    if small_stack:
        run_on_small_stack(look, 120)
    else:
        look()
