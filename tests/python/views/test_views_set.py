"""xichan.SetView: reads a set or frozenset in place."""

import collections.abc
import copy
import pickle
import weakref

import pytest
from support import viewed

import xichan

ITEMS = [1, "a", None, b"x" * 1000, "y" * 1000, (1, "k"), ("x" * 1000, 2.5), 2**100, True, ..., frozenset({1, (2,)})]
PLAIN = [set(ITEMS), frozenset(ITEMS), set(), frozenset(), set(range(1000)), frozenset(map(str, range(1000)))]


def test_set_view_type_and_protocols():
    view = viewed({1, 2})
    assert type(view) is xichan.SetView and isinstance(view, collections.abc.Set)
    assert not isinstance(view, (set, frozenset, collections.abc.MutableSet)) and weakref.ref(view)() is view
    for make in (
        lambda: xichan.SetView(),
        lambda: xichan.SetView([1]),
        lambda: type("T", (xichan.SetView,), {}),
        lambda: hash(view),
        lambda: view[0],
    ):
        with pytest.raises(TypeError):
            make()


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: f"{type(value).__name__} of {len(value)}")
def test_set_view_reads_and_copies(value):
    view = viewed(value)
    assert len(view) == len(value) and set(view) == set(value) and view == value and value == view
    assert all(item in view for item in value) and "missing" not in view and view == viewed(value)
    pickles = [pickle.loads(pickle.dumps(view, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for copied in (view.value(), copy.copy(view), copy.deepcopy(view), *pickles):
        assert type(copied) is type(value) and copied == value
    assert repr(view).startswith("xichan.SetView(" + repr(value)[:1]) and len(repr(view)) == len(repr(value)) + 16


def test_set_view_items_are_views():
    types = {type(item) for item in viewed(set(ITEMS))}
    assert {xichan.BytesView, xichan.StrView, xichan.TupleView, xichan.SetView} < types


def test_set_view_of_a_frozenset_hashes_like_it():
    for value in (*PLAIN[1::2], frozenset({-1, -2}), frozenset({frozenset({()}), ((frozenset(),),)})):
        view = viewed(value)
        assert hash(view) == hash(value) and {value: 1}[view] == 1 and view in {value}
        assert hash(viewed((value, 1))) == hash((value, 1))
    with pytest.raises(TypeError, match="unhashable type: 'set'"):
        hash(viewed(({1}, 2))[0])
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        hash(viewed(([1], 2)))


def test_set_view_operators_return_plain_sets():
    for kind in (set, frozenset):
        value, other = kind({1, 2, 3}), {2, 3, 4}
        view = viewed(value)
        for right in (other, frozenset(other), viewed(other)):
            plain = set(right)
            found = [view & right, view | right, view - right, view ^ right]
            assert [type(each) for each in found] == [kind] * 4
            assert found == [value & plain, value | plain, value - plain, value ^ plain]
        assert {1} | view == {1, 2, 3} and {1, 9} - view == {9} and {1: 0}.keys() & view == {1}
        assert view <= {1, 2, 3} and view < {1, 2, 3, 4} and view >= viewed({1}) and not view > view
        assert view.isdisjoint([7]) and view.issubset(range(9)) and view.issuperset({1})
        assert view.union([7], [8]) == {1, 2, 3, 7, 8} and view.difference([1]) == {2, 3}
        assert view.intersection([1, 9]) == {1} and view.symmetric_difference([1, 9]) == {2, 3, 9}
        for wrong in ([1], (1,), None, {1: 2}):
            with pytest.raises(TypeError):
                view & wrong
            assert view != wrong


def test_set_view_contains_an_equal_set():
    view = viewed({frozenset({1, 2}), frozenset()})
    assert {1, 2} in view and set() in view and {1} not in view and viewed(frozenset({1, 2})) in view
    with pytest.raises(TypeError):
        [] in view  # noqa: B015
