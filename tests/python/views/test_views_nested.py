"""Views of containers in containers: forwarding, cycles, sharing, time and memory."""

import copy
import itertools
import pickle

import pytest
from support import alive, execute, interpreter, left_over, run_on_small_stack, viewed

import xichan

VIEWS = (xichan.TupleView, xichan.ListView, xichan.DictView, xichan.SetView)
VALUE = {
    "list": [1, ["x" * 1000], {"k": [b"y" * 50_000]}],
    "table": {f"a key of some length {i}": [i] for i in range(100)},
    "sets": ({1, "a"}, frozenset({(1, "z" * 100), None})),
    "empty": [[], {}, set(), frozenset(), ()],
}


def through(value, **options):
    tx, rx = xichan.channel(1)
    with tx, rx:
        assert xichan.is_shareable(value)
        tx.send_nowait(value)
        return rx.recv_nowait(**options)


def shape(value):
    """Return the types and leaves of a value. The items of a set are sorted: their order depends on its history."""
    if isinstance(value, dict):
        return type(value), [(shape(key), shape(each)) for key, each in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(shape(each)) for each in value)
    if isinstance(value, (list, tuple)):
        return type(value), [shape(each) for each in value]
    return type(value), value


def parts():
    """Return views of every kind on one value by name, each with its plain value."""
    view = viewed(VALUE)
    return {
        "dict": (view, VALUE),
        "large dict": (view["table"], VALUE["table"]),
        "list": (view["list"], VALUE["list"]),
        "inner list": (view["list"][1], VALUE["list"][1]),
        "slice of a list": (view["list"][1:], VALUE["list"][1:]),
        "every other": (view["list"][::2], VALUE["list"][::2]),
        "backwards": (view["list"][::-1], VALUE["list"][::-1]),
        "empty slice": (view["list"][2:2], []),
        "tuple": (view["sets"], VALUE["sets"]),
        "set": (view["sets"][0], VALUE["sets"][0]),
        "frozenset": (view["sets"][1], VALUE["sets"][1]),
        **{f"empty {type(each).__name__}": (view["empty"][i], each) for i, each in enumerate(VALUE["empty"])},
        "list alone": (viewed([1, [2]]), [1, [2]]),
    }


NAMES = list(parts())


@pytest.mark.parametrize("name", NAMES)
def test_sent_view_of_a_container_arrives_as_its_value(name):
    view, plain = parts()[name]
    for value, expected in [(view, plain), ([view], [plain]), ({"k": (view, view, "x")}, {"k": (plain, plain, "x")})]:
        received = through(value)
        assert shape(received) == shape(expected)
        seen = through(value, copy=False)
        assert seen == expected and (type(seen) in VIEWS or seen == ())
        assert through(seen) == expected and through([seen], copy=False)[0] == expected
        assert xichan.loads(xichan.dumps(value)) == expected
        shared = xichan.share(value)
        assert shared == expected and shared.value() == expected and shared.view() == expected
        assert through([shared], copy=False)[0] == expected


@pytest.mark.parametrize("name", NAMES)
def test_sending_a_view_of_a_container_copies_nothing(name):
    view, _ = parts()[name]
    before = alive()["bytes"]
    for value, most in [(view, 700), ([view], 800), ({"k": (view, view, "x")}, 1000)]:
        tx, rx = xichan.channel(1)
        tx.send(value)
        assert alive()["bytes"] - before <= most
        seen = rx.recv(copy=False)
        assert alive()["bytes"] - before <= most
        shared = xichan.share(seen)
        assert alive()["bytes"] - before <= most + 200
        del tx, rx, seen, shared


def test_views_of_containers_travel_to_interpreters():
    with interpreter(view=viewed(VALUE)) as interp:
        execute(
            interp,
            """
            import xichan
            assert type(view) is xichan.DictView and view["list"][2]["k"][0][0] == ord("y")
            assert view["table"]["a key of some length 77"] == [77] and "a" in view["sets"][0]
            """,
        ).result()


def cycles():
    """Return values that contain themselves by name, each as a function that makes a new one."""

    def in_list():
        value = [1]
        value.append(value)
        return value

    def in_dict():
        value = {"a": 1}
        value["self"] = value
        return value

    def through_tuple():
        value = [1]
        value.append((value, {"k": value}))
        return value

    return {"list": in_list, "dict": in_dict, "through a tuple": through_tuple}


@pytest.mark.parametrize("name", cycles())
def test_views_of_values_that_contain_themselves(name):
    make = cycles()[name]
    value, view, other = make(), viewed(make()), viewed(make())
    assert repr(view) == f"xichan.{type(view).__name__}({value!r})"
    assert view == view and not view != view and view in [view]
    for compare in (lambda: view == other, lambda: view == value, lambda: value == view, lambda: view != other):
        with pytest.raises(RecursionError):
            compare()
    assert view != [1] and view != {"a": 1} and view != viewed([1, 2]) and view != [1, [1, [1]]]
    with pytest.raises(TypeError):
        hash(view)
    for copied in (view.value(), copy.copy(view), copy.deepcopy(view), pickle.loads(pickle.dumps(view)), through(view)):
        assert repr(copied) == repr(value) and type(copied) is type(value)
    inner = copied["self"] if name == "dict" else copied[1]
    assert (inner[0] if name == "through a tuple" else inner) is copied


def test_shared_parts_of_containers_are_compared_once():
    def grow(make):
        value = [1]
        for _ in range(200):
            value = make(value)
        return value

    for make in (lambda v: [v, v], lambda v: {"a": v, "b": v}, lambda v: (v, [v]), lambda v: [{"a": v}, v]):
        one, other, plain = viewed(grow(make)), viewed(grow(make)), grow(make)
        assert one == other and one == plain and not one != other and one.value() is not None
        assert len(one) == 2 and one != viewed(make(grow(make)))


@pytest.mark.parametrize("small_stack", [False, True], ids=["main stack", "256 KiB stack"])
def test_views_of_deeply_nested_containers(small_stack):
    depth = 100_000

    def look():
        for make in (lambda v: [v], lambda v: {"k": v}):
            value = []
            for _ in range(depth):
                value = make(value)
            view, other = viewed(value), viewed(value)
            for compared in (other, value):
                with pytest.raises(RecursionError):
                    _ = view == compared
                with pytest.raises(RecursionError):
                    _ = compared == view
            with pytest.raises(RecursionError):
                repr(view)
            inner = view
            for _ in range(depth):
                inner = inner["k"] if type(inner) is xichan.DictView else inner[0]
            assert inner == [] and view == view
            while value:  # CPython's deallocation of dicts is bounded by the trashcan
                value = value["k"] if type(value) is dict else value[0]

    if small_stack:
        run_on_small_stack(look, 120)
    else:
        look()


def test_views_of_containers_release_their_memory():
    before = alive()
    view = viewed(VALUE)
    pieces = [view["list"][1:], iter(view["table"].items()), view["sets"][1], view.keys(), view["list"][::-1]]
    next(pieces[1])
    assert view["table"] == VALUE["table"] and frozenset({5}) not in view["sets"][1]
    del view
    assert pieces[3].isdisjoint(["z"]) and pieces[0] == VALUE["list"][1:]
    pieces.clear()
    assert not left_over(before)


def test_views_of_generated_containers_equal_them():
    leaves = [1, None, "a", "x" * 600, 2.5, b"y", ()]
    for first, second, third in itertools.product(leaves, repeat=3):
        value = [first, {"a": [second, {third}], second: (third, [first])}, frozenset({first, third})]
        view = viewed(value)
        assert view == value and value == view and view == viewed(value) and shape(view.value()) == shape(value)
        assert list(view[1].items()) == list(value[1].items()) and third in view[2]
