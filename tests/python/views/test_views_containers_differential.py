"""Every method that a view of a container has in common with its value gives the same result, or the same exception."""

import collections.abc
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import viewed

import xichan

VIEWS = (
    xichan.TupleView, xichan.ListView, xichan.DictView, xichan.SetView, xichan.RecordView, xichan.BytesView,
    xichan.StrView,
)  # fmt: skip
LONG = "a key of more than fourteen characters"
KEYS = (
    None, True, False, 0, 1, -1, 2**70, 1.0, 2.5, "", "a", "b", "é", LONG, LONG * 30, b"a", b"long bytes" * 9, ...,
    (), (1, "a"), (1.0, LONG), ((1,), 2), tuple(range(20)), frozenset({1, "a"}), frozenset(), 1 + 2j, range(3),
)  # fmt: skip
MANY = [*range(30), *map(str, range(30)), LONG, None, b"x", (1, 2)]
VALUES = {
    "list": [
        [1, 2, 3], ["a", ("x" * 1000, 2.5), [b"y" * 1000], "a", {"k": [1]}], [], [[], [[]]], [1] * 50, [{1, 2}, None],
    ],
    "dict": [
        {}, {"a": 1, "b": [1, 2], 3: {"a": "x" * 1000}, None: (1, 2)}, dict.fromkeys(MANY, 0),
        {key: i for i, key in enumerate(MANY)}, dict.fromkeys([*MANY, (1, (2, 3)), frozenset({1})], "v"),
        {True: "bool", 2.5: 1, LONG: LONG, (1, "a"): None, ((1,), 2): 5},
        dict.fromkeys(KEYS, [1]),
    ],
    "set": [
        set(), {1, 2, 3}, {"a", LONG, None, b"a", (1, "a")}, set(MANY), {frozenset({1, "a"}), (1, (2,)), 1.0},
        set(KEYS),
    ],
    "frozenset": [frozenset(), frozenset({1, 2}), frozenset(MANY), frozenset({(1, (2, 3)), frozenset()})],
}  # fmt: skip
# About the object, not about the value; and what is only for str(), or changes a plain value in place.
LEFT_OUT = {
    "__class__", "__class_getitem__", "__delattr__", "__dir__", "__doc__", "__getattribute__", "__getstate__",
    "__init__", "__init_subclass__", "__new__", "__reduce__", "__reduce_ex__", "__repr__", "__setattr__", "__sizeof__",
    "__str__", "__subclasshook__", "__format__", "__hash__",
    "__and__", "__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__", "__or__", "__rand__", "__ror__", "__rsub__",
    "__rxor__", "__sub__", "__xor__",  # among the operators
}  # fmt: skip
OPERATORS = {
    "*": operator.mul, "+": operator.add, "-": operator.sub, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "[]": operator.getitem, "in": operator.contains, "reversed *": lambda a, b: b * a, "reversed -": lambda a, b: b - a,
    "reversed &": lambda a, b: b & a, "reversed |": lambda a, b: b | a, "reversed ^": lambda a, b: b ^ a,
    "reversed ==": lambda a, b: b == a, "reversed <": lambda a, b: b < a, "hash": lambda a, _: hash(a),
    "bool": lambda a, _: bool(a), "list": lambda a, _: list(a), "iter": lambda a, _: iter(a),
    "reversed": lambda a, _: reversed(a), "tuple": lambda a, _: tuple(a),
}  # fmt: skip


class Index:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


class Equal:
    """Equals what it holds, so that Python must compare it."""

    def __init__(self, held):
        self.held = held

    def __eq__(self, other):
        return self.held == other

    def __hash__(self):
        return hash(self.held)


class Text(str):
    pass


arguments = st.one_of(
    st.sampled_from(KEYS),
    st.sampled_from(KEYS).map(lambda key: Equal(key)),
    st.integers(-60, 60),
    st.sampled_from((2**63, -(2**63), 2**100)),
    st.sampled_from(
        (Index(1), Index(-1), slice(1, 5), slice(None, None, -2), slice(5, 1), object, Text("a"), Text(LONG))
    ),
    st.sampled_from(([], [1, 2], [1, 2, 3], ["a"], {}, {"a": 1}, {1: 2}, set(), {1, 2}, {1, 2, 3}, frozenset({1}))),
    st.sampled_from((dict.fromkeys(MANY, 0), set(MANY), list(VALUES["list"][1]), dict(VALUES["dict"][1]))),
    st.sampled_from(({"a": 1}.keys(), {"a": 1}.items(), [("a", 1)], iter, bytearray(b"a"))),
)


def outcome(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        return type(error)
    return TypeError if result is NotImplemented else result


def plain(result):
    """Return a result with its views replaced by their values, and the parts of dicts and iterators by lists."""
    if isinstance(result, VIEWS):
        return result.value()
    if isinstance(result, (type({}.keys()), type({}.items()), collections.abc.KeysView, collections.abc.ItemsView)):
        return plain(list(result))
    if isinstance(result, (type({}.values()), collections.abc.ValuesView, collections.abc.Iterator)):
        return plain(list(result))
    if type(result) in (list, tuple, set, frozenset):
        return type(result)(plain(item) for item in result)
    return result


def in_order(result):
    """Return the repr of a result, and that of a set without its order, which depends on its history."""
    return sorted(map(repr, result)) if isinstance(result, (set, frozenset)) else repr(result)


def assert_same(function, view, value, *args):
    found, expected = plain(outcome(function, view, *args)), plain(outcome(function, value, *args))
    assert type(found) is type(expected) and found == expected
    if isinstance(found, list) and isinstance(value, (set, frozenset)):
        found, expected = set(map(repr, found)), set(map(repr, expected))
    assert repr(found) == repr(expected) or in_order(found) == in_order(expected)


def methods_of(kind):
    value = VALUES[kind][0]
    return sorted((set(dir(type(viewed(value)))) & set(dir(type(value)))) - LEFT_OUT)


CALLS = {kind: [*methods_of(kind), *OPERATORS] for kind in VALUES}


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=600)
@given(data=st.data())
def test_methods_agree_with_the_value(kind, data):
    value = data.draw(st.sampled_from(VALUES[kind]))
    name = data.draw(st.sampled_from(CALLS[kind]))
    if name in OPERATORS:
        args, function = [data.draw(arguments)], OPERATORS[name]
    else:
        args = data.draw(st.lists(arguments, max_size=3))

        def function(each, *args):
            return getattr(each, name)(*args)

    if kind in ("set", "frozenset") and name in ("list", "tuple", "iter"):
        return  # the order of a new set is another
    assert_same(function, viewed(value), value, *args)


@pytest.mark.parametrize("kind", VALUES)
def test_every_key_is_found_as_in_the_value(kind):
    for value in VALUES[kind]:
        view = viewed(value)
        assert len(view) == len(value) and bool(view) == bool(value)
        for key in [*KEYS, *MANY, *value]:
            assert (key in view) == (key in value), key
            assert (viewed((key,))[0] in view) == (key in value), key
            if kind == "dict":
                assert plain(view.get(key, "missing")) == value.get(key, "missing")
                assert_same(operator.getitem, view, value, key)


@pytest.mark.parametrize("kind", VALUES)
def test_views_compare_as_their_values(kind):
    every = [value for values in VALUES.values() for value in values]
    for value in VALUES[kind]:
        for other in every:
            for a, b in [(viewed(value), viewed(other)), (viewed(value), other), (other, viewed(value))]:
                expected = (value, other) if a is not other else (other, value)
                for name in ("==", "!=", "<", "<=", ">", ">="):
                    assert outcome(OPERATORS[name], a, b) == outcome(OPERATORS[name], *expected), (name, value, other)


@pytest.mark.parametrize("operation", "-&|^")
def test_dict_parts_work_as_sets(operation):
    for value in VALUES["dict"][:4]:
        view = viewed(value)
        for other in ([], ["a"], {"a": 1}, {"a", None}, value, viewed(value), viewed({"a", 1})):
            plain_other = plain(other)
            assert outcome(OPERATORS[operation], view.keys(), other) == outcome(
                OPERATORS[operation], value.keys(), plain_other
            )
            assert_same(OPERATORS["reversed " + operation], view.keys(), value.keys(), set(plain_other))
    view = viewed({"a": 1, "b": 2})
    assert OPERATORS[operation](view.items(), {("a", 1)}) == OPERATORS[operation]({"a": 1, "b": 2}.items(), {("a", 1)})
