"""xichan.ListView: reads a list in place."""

import collections.abc
import copy
import itertools
import pickle
import weakref

import pytest
from support import alive, viewed

import xichan

VALUE = [1, "a", ["x" * 1000, b"y" * 5000, (2.5, None)], {"k": [1]}, {1, 2}, [], {}, 2**200]


def test_list_view_type_and_protocols():
    view = viewed(VALUE)
    assert type(view) is xichan.ListView and isinstance(view, collections.abc.Sequence)
    assert not isinstance(view, (list, collections.abc.Hashable)) and weakref.ref(view)() is view
    for make in (
        lambda: xichan.ListView(),
        lambda: xichan.ListView([1]),
        lambda: type("T", (xichan.ListView,), {}),
        lambda: hash(view),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises(AttributeError):
        view.append(1)


def test_list_view_elements_are_views():
    view = viewed(VALUE)
    types = [int, str, xichan.ListView, xichan.DictView, xichan.SetView, xichan.ListView, xichan.DictView, int]
    assert [type(item) for item in view] == types
    assert [type(item) for item in view[2]] == [xichan.StrView, xichan.BytesView, xichan.TupleView]
    assert view[3]["k"] == [1] and view[-1] == 2**200 and list(reversed(view)) == VALUE[::-1]
    assert type(viewed([])) is xichan.ListView and not viewed([])
    with pytest.raises(IndexError, match=r"^xichan.ListView index out of range$"):
        view[8]
    with pytest.raises(TypeError, match=r"^xichan.ListView indices must be integers or slices, got str$"):
        view["a"]
    with pytest.raises(ValueError, match=r"^xichan.ListView.index\(x\): x not in xichan.ListView$"):
        view.index("b")


def test_list_view_slices_share_the_block():
    value = list(range(5))
    view = viewed((value, "beside it"))[0]
    before = alive()
    limits = (None, *range(-7, 8))
    for start, stop, step in itertools.product(limits, limits, (None, 1, 2, 3, 7, -1, -2, -7)):
        piece, expected = view[start:stop:step], value[start:stop:step]
        assert type(piece) is xichan.ListView and piece.value() == expected and piece == expected
        assert (
            list(piece) == expected and piece[::-2] == expected[::-2] and repr(piece) == f"xichan.ListView({expected})"
        )
    assert alive() == before, "slices take no memory of the arena"
    assert view[:] is view


def test_list_view_equals_lists_only():
    view = viewed([1, [2]])
    for other in ([1, [2]], viewed([1, [2]]), viewed(([1, [2]],))[0], view[:], viewed([0, 1, [2]])[1:]):
        assert view == other and other == view and not view != other
    for other in ((1, [2]), viewed((1, [2])), [1, (2,)], [1], viewed([1, [3]]), None, "ab"):
        assert view != other and other != view and not view == other
    assert view < [2] and view > viewed([1]) and view <= view and viewed((1,)) != [1]
    with pytest.raises(TypeError):
        view < (2,)  # noqa: B015


def test_list_view_concatenation():
    view = viewed([1, [2]])
    for total in (view + view, view + [1, [2]], view * 2, 2 * view):  # noqa: RUF005
        assert type(total) is list and total == [1, [2], 1, [2]]
    alias = total = [0]
    total += view
    assert total is alias and alias == [0, 1, [2]] and type(alias[2]) is xichan.ListView
    assert [0, *view] == [0, 1, [2]] and (lambda *args: args)(*view) == (1, [2])
    for other in ((1,), None, 1, viewed((1,))):
        with pytest.raises(TypeError):
            view + other


def test_list_view_supports_pattern_matching():
    match viewed(VALUE):
        case [1, str(), [text, *_], {"k": [1]}, *rest]:
            assert type(text) is xichan.StrView and rest == VALUE[4:]
        case _:
            raise AssertionError


@pytest.mark.parametrize("take", [lambda v: v, lambda v: v[2], lambda v: v[::-2], lambda v: v[:0]])
def test_copies_of_a_list_view_are_lists(take):
    view, plain = take(viewed(VALUE)), take(VALUE)
    pickles = [pickle.loads(pickle.dumps(view, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for copied in (view.value(), copy.copy(view), copy.deepcopy(view), *pickles):
        assert type(copied) is list and repr(copied) == repr(plain)


def test_list_that_changes_during_a_comparison_is_compared_safely():
    class Shrinking:
        def __eq__(self, other):
            other_list.clear()
            return True

    for count in (1, 2, 5):
        other_list = [Shrinking() for _ in range(count)]
        for compare in (lambda a, b: a == b, lambda a, b: (a,) == b, lambda a, b: a < b):
            other_list[:] = [Shrinking() for _ in range(count)]
            compare(viewed(list(range(count))), other_list)
            compare(viewed((list(range(count)),)), (other_list,)) if compare is not None else None
