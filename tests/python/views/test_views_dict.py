"""xichan.DictView: reads a dict in place and finds keys by their hash."""

import collections
import collections.abc
import copy
import gc
import json
import pickle
import types
import weakref

import pytest
from support import alive, viewed

import xichan

VALUE = {"a": 1, "b": [1, "x" * 1000], 3: {"inside": (1, 2)}, None: b"y" * 1000, (1, "k"): {1}}
LARGE = {f"a key of some length {i}": [i, str(i)] for i in range(10_000)}


def test_dict_view_type_and_protocols():
    view = viewed(VALUE)
    assert type(view) is xichan.DictView and isinstance(view, collections.abc.Mapping)
    assert not isinstance(view, (dict, collections.abc.MutableMapping)) and weakref.ref(view)() is view
    for make in (
        lambda: xichan.DictView(),
        lambda: xichan.DictView({}),
        lambda: type("T", (xichan.DictView,), {}),
        lambda: hash(view),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        view["a"] = 1


def test_dict_view_reads_entries():
    view = viewed(VALUE)
    assert len(view) == 5 and list(view) == list(VALUE) and list(reversed(view)) == list(reversed(VALUE))
    assert [type(each) for each in view.values()] == [
        int, xichan.ListView, xichan.DictView, xichan.BytesView, xichan.SetView
    ]  # fmt: skip
    assert view["b"][1] == "x" * 1000 and view[3]["inside"] == (1, 2) and view[1, "k"] == {1}
    assert view.get("c") is None and view.get("c", 5) == 5 and view.get("a", 5) == 1
    assert "a" in view and "c" not in view and 3.0 in view and list(view.items()) == list(VALUE.items())
    for key in ("c", (), (1, 2), 4):
        with pytest.raises(KeyError) as raised:
            view[key]
        assert raised.value.args == (key,)
    for unhashable in ([], {}, set(), view, view["b"], (1, [])):
        with pytest.raises(TypeError):
            view[unhashable]
        with pytest.raises(TypeError):
            unhashable in view  # noqa: B015


def test_large_dict_view_finds_every_key():
    view = viewed(LARGE)
    assert all(view[key] == value for key, value in LARGE.items()) and view == LARGE and LARGE == view
    assert view == viewed(LARGE) and view.value() == LARGE and "missing" not in view and 5 not in view
    changed = {**LARGE, "a key of some length 77": [77, "78"]}
    assert view != changed and viewed(changed) != view and view != dict(list(LARGE.items())[1:])


class Equal:
    def __init__(self, held):
        self.held = held

    def __eq__(self, other):
        return self.held == other

    def __hash__(self):
        return hash(self.held)


def test_dict_view_finds_keys_that_python_must_compare():
    for value in (LARGE, VALUE, {frozenset({i}): i for i in range(100)}, {(i, (i,)): i for i in range(50)}):
        view = viewed(value)
        for key, expected in list(value.items())[:50]:
            assert view[Equal(key)] == expected and view[key] == expected
        assert view.get(Equal("missing")) is None and Equal(5.5) not in view

    class Broken:
        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        viewed(VALUE)[Broken()]


def test_dict_view_with_python_keys_is_collected():
    view = viewed({frozenset({i}): i for i in range(100)})
    assert not gc.is_tracked(view) and view[frozenset({5})] == 5 and gc.is_tracked(view)
    gc.collect()
    assert view[frozenset({6})] == 6
    before = weakref.ref(view)
    del view
    assert before() is None


def test_views_are_found_as_keys():
    key = ("part", "x" * 1000)
    table = viewed({key: 1, "x" * 1000: 2, b"y" * 1000: 3})
    parts = viewed((key, "x" * 1000, b"y" * 1000, (0, *key), b"_" + b"y" * 1000))
    assert [table[part] for part in (parts[0], parts[1], parts[2], parts[3][1:], parts[4][1:])] == [1, 2, 3, 1, 3]
    assert table[parts[0].value()] == 1 and parts[0][::-1] not in table
    plain = {key: 1, "x" * 1000: 2, b"y" * 1000: 3}
    assert [plain[part] for part in list(parts)[:3]] == [1, 2, 3]


def test_dict_view_equality():
    view = viewed(VALUE)
    for other in (VALUE, dict(reversed(VALUE.items())), collections.OrderedDict(VALUE), viewed(VALUE),
                  types.MappingProxyType(VALUE), viewed(dict(reversed(VALUE.items())))):  # fmt: skip
        assert view == other and other == view and not view != other
    for other in ({**VALUE, "a": 2}, {**VALUE, "c": 1}, {}, None, list(VALUE), viewed({**VALUE, "b": []})):
        assert view != other and other != view
    with pytest.raises(TypeError):
        view < VALUE  # noqa: B015


def test_dict_view_union_returns_a_dict():
    view = viewed({"a": 1, "b": 2})
    for union, expected in [(view | {"a": 3}, {"a": 3, "b": 2}), ({"c": 0} | view, {"c": 0, "a": 1, "b": 2}),
                            (view | view, {"a": 1, "b": 2})]:  # fmt: skip
        assert type(union) is dict and union == expected and list(union) == list(expected)
    alias = updated = {"c": 0}
    updated |= view
    assert updated is alias and alias == {"c": 0, "a": 1, "b": 2}
    with pytest.raises(TypeError):
        view | [("a", 1)]


def test_dict_view_is_unpacked_and_converted():
    view = viewed({"a": 1, "b": [2]})
    assert dict(view) == {**view} == {"a": 1, "b": [2]} and (lambda **names: names)(**view) == {"a": 1, "b": [2]}
    assert json.dumps(view.value()) == '{"a": 1, "b": [2]}'
    assert "%(a)d" % view == "1"  # noqa: UP031
    assert "{a}".format_map(view) == "1"
    match view:
        case {"a": 1, **rest}:
            assert rest == {"b": [2]}
        case _:
            raise AssertionError


def test_dict_view_parts():
    view = viewed(VALUE)
    assert isinstance(view.keys(), collections.abc.KeysView) and isinstance(view.items(), collections.abc.ItemsView)
    assert isinstance(view.values(), collections.abc.ValuesView) and len(view.items()) == 5
    assert view.keys() == VALUE.keys() and VALUE.keys() == view.keys() and view.keys() & {"a", "z"} == {"a"}
    assert list(reversed(view.items())) == list(reversed(VALUE.items())) and 1 in view.values()
    assert list(reversed(view.values())) == list(reversed(VALUE.values())) and 2 not in view.values()
    assert ("a", 1) in view.items() and ("a", 2) not in view.items() and 5 not in view.items()
    assert iter(view.items()).__length_hint__() == 5
    with pytest.raises(ValueError):
        view._iterate(3, False)


@pytest.mark.parametrize("value", [VALUE, {}, LARGE], ids=["small", "empty", "large"])
def test_copies_of_a_dict_view_are_dicts(value):
    view = viewed(value)
    pickles = [pickle.loads(pickle.dumps(view, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for copied in (view.value(), copy.copy(view), copy.deepcopy(view), *pickles):
        assert type(copied) is dict and repr(copied) == repr(value)
    assert repr(view) == f"xichan.DictView({value})"


def test_reading_one_key_decodes_nothing_else():
    view = viewed({"wanted": 1, **{f"other {i}": "x" * 400 for i in range(1000)}})
    gc.collect()
    before = alive()
    for _ in range(1000):
        assert view["wanted"] == 1
    assert alive() == before
