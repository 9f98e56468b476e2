"""Every method that a view has in common with its value gives the same result, or raises the same exception."""

import operator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import viewed

import xichan

TEXTS = ("the quick brown fox " * 50, "café \xff" * 200, "\u20acuro \ud800" * 200, "{0}{name!r:>5} %s %(name)s" * 30)
VALUES = {
    "bytes": (b"abc" * 300, b"\0\xff %b %d" * 100, b"x" * 513),
    "str": TEXTS,
    "tuple": ((1, 2, 3), ("a", ("x" * 1000, 2.5), b"y" * 1000, "a"), (None,), ((), (())), (1,) * 50),
}
# About the object, not about the value.
LEFT_OUT = {
    "__class__", "__class_getitem__", "__delattr__", "__dir__", "__doc__", "__getattribute__", "__getnewargs__",
    "__getstate__", "__init__", "__init_subclass__", "__new__", "__reduce__", "__reduce_ex__", "__repr__",
    "__eq__", "__ge__", "__gt__", "__le__", "__lt__", "__ne__",  # among the operators
    "__setattr__", "__sizeof__", "__str__", "__subclasshook__", "__buffer__", "__iter__",
}  # fmt: skip
# Only views of bytes: bytes itself rejects what memoryview.hex() rejects with another type.
OPERATORS = {
    "%": operator.mod, "*": operator.mul, "+": operator.add, "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge, "[]": operator.getitem, "in": operator.contains,
    "format": format, "reversed *": lambda a, b: b * a, "reversed +": lambda a, b: b + a,
    "reversed %": lambda a, b: b % a, "reversed in": lambda a, b: a in b, "reversed ==": lambda a, b: b == a,
}  # fmt: skip


class Index:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number

    def __repr__(self):
        return f"Index({self.number})"


arguments = st.one_of(
    st.none(),
    st.sampled_from((0, 1, 2, -1, -2, 3, 200, 255, 256, 899, 900, 901, -900, 2**63 - 1, 2**63, -(2**63), 2**100)),
    st.integers(-1100, 1100),
    st.sampled_from((b"", b"a", b"abc", b"ca", b"c" * 600, b"x", bytearray(b"bc"), memoryview(b"ab"))),
    st.sampled_from(
        ("", "a", "fox", "quick ", "\ud800", ">2000", "<", "5", "s", "d", " ", "utf-8", "ignore", "{", "%")
    ),
    st.sampled_from(
        ((), (1,), (1, 2), ("a",), ("the", "x"), (b"abc", b"x"), {"name": 1}, {}, [], ["a", "b"], {97: "b"})
    ),
    st.sampled_from((1.0, True, Index(1), Index(-1), slice(1, 5), slice(None, None, -2), slice(5, 1), ..., object)),
)


def outcome(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        return type(error)
    return TypeError if result is NotImplemented else result


def plain(result):
    """Return a result with its views replaced by their values."""
    if isinstance(result, (xichan.TupleView, xichan.BytesView, xichan.StrView)):
        return plain(result.value())
    if isinstance(result, (tuple, list)):
        return type(result)(plain(item) for item in result)
    return result


def assert_same(function, view, value, *args):
    found, expected = outcome(function, view, *args), outcome(function, value, *args)
    assert type(plain(found)) is type(plain(expected)) or found is expected, (found, expected)
    assert plain(found) == plain(expected)
    if isinstance(value, str):
        pieces = found if isinstance(found, (tuple, list)) else [found]
        assert not any(type(piece) is xichan.StrView for piece in pieces), "operations of a StrView return a plain str"


def methods_of(kind):
    view_type = type(viewed(VALUES[kind][0]))
    base = type(VALUES[kind][0])
    return sorted((set(dir(view_type)) & set(dir(base))) - LEFT_OUT)


CALLS = {kind: [*methods_of(kind), *OPERATORS] for kind in VALUES}
for kind in ("bytes", "tuple"):
    CALLS[kind].remove("reversed %")  # str and bytes take a view, which has __getitem__, for a dict


@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=500)
@given(data=st.data())
def test_methods_agree_with_the_value(kind, data):
    value = data.draw(st.sampled_from(VALUES[kind]))
    name = data.draw(st.sampled_from(CALLS[kind]))
    if name in OPERATORS:
        args, function = [data.draw(arguments)], OPERATORS[name]
        if isinstance(args[0], int) and abs(args[0]) > 1000 and "*" in name and args[0] < 2**62:
            args = [3]
    else:
        args = data.draw(st.lists(arguments, max_size=4))

        def function(each, *args):
            return getattr(each, name)(*args)

        if name in ("__mul__", "__rmul__", "zfill", "center", "ljust", "rjust", "expandtabs"):
            args = [3 if isinstance(arg, int) and 1000 < abs(arg) < 2**62 else arg for arg in args]
    if kind != "str" and name in ("format", "__format__") and args[:1] == [""]:
        return  # str() of a view shows the view
    if kind == "bytes" and name == "hex" and args and args[0] is not None:
        args = args[:2] if isinstance(args[0], (str, bytes)) else []
    assert_same(function, viewed(value), value, *args)


CASES = [
    (b"abc" * 300, "index", (b"", 901)),
    (b"abc" * 300, "index", (b"", 900)),
    (b"abc" * 300, "index", (b"", 5, 4)),
    (b"abc" * 300, "index", (97, None)),
    (b"abc" * 300, "index", (b"c", None, None)),
    (b"abc" * 300, "index", (b"c", 1, -898)),
    (b"abc" * 300, "index", (b"c", -1)),
    (b"abc" * 300, "count", (b"", 901)),
    (b"abc" * 300, "count", (b"", 3, 3)),
    (b"abc" * 300, "count", (b"abc", 1, -1)),
    (b"abc" * 300, "count", (b"abc", None, 2**100)),
    (TEXTS[0], "__mod__", ((),)),
    (TEXTS[0], "__format__", (">10",)),
    (TEXTS[0], "__format__", ("",)),
    (TEXTS[0], "__format__", (">2000",)),
    (TEXTS[0], "format", ()),
    (TEXTS[0], "format_map", ({},)),
    (b"abc" * 300, "__mod__", ((),)),
    (b"abc" * 300, "__mul__", (-1,)),
    (b"abc" * 300, "__add__", (b"d",)),
    ((1, "x" * 1000), "__mul__", (3,)),
    ((1, "x" * 1000), "__rmul__", (3,)),
    ((1, "x" * 1000), "__mul__", (-3,)),
    ((1, "x" * 1000), "__mul__", (2**70,)),
    ((1, "x" * 1000), "index", (1, None)),
]


@pytest.mark.parametrize("value, name, args", CASES, ids=lambda case: repr(case)[:20])
def test_edge_cases_agree_with_the_value(value, name, args):
    assert_same(lambda each: getattr(each, name)(*args), viewed(value), value)


def test_every_operation_of_a_str_view_returns_a_plain_str():
    for text in TEXTS[:3]:
        view = viewed(text)
        found = [
            f"{view:>10}", f"{view}", f"{view!s:<3}", view % (), view % {}, "%s" % view,  # noqa: UP031
            f"{view:>3}", view.strip("\1"), view.lower(), view.replace("nothing", ""), view.center(1),
            view.zfill(0), view.removeprefix("nothing"), view.removesuffix("nothing"), view.expandtabs(), view[:],
            view + "", "" + view, view * 1, "".join([view]), view.translate({}), view.partition("nothing")[0],
            view.split("nothing")[0], view.splitlines()[0], view.ljust(0), view.casefold(), str(view), view.title(),
        ]  # fmt: skip
        found += [view.format(), view.format_map({})]
        assert [type(each) for each in found] == [str] * len(found)


def test_repetition_works_from_both_sides():
    view = viewed((1, "x" * 1000))
    for total in (view * 2, 2 * view, view[::-1][::-1] * 2):
        assert type(total) is tuple and total == (1, "x" * 1000) * 2
    assert view * 0 == () and view[:0] * 5 == () and True * view == (1, "x" * 1000)
    for factor in (1.0, None, "2", (1,), view):
        with pytest.raises(TypeError):
            view * factor
    data = viewed(b"ab" * 300)
    for total in (data * 2, 2 * data):
        assert type(total) is bytes and total == b"ab" * 600
    for total, expected in (
        (data + b"c", bytes),
        (b"c" + data, bytes),
        (data + data, bytes),
        (bytearray() + data, bytearray),
    ):
        assert type(total) is expected and b"abab" in total
    with pytest.raises(TypeError):
        data + "text"
    assert type(viewed(b"%d" * 300) % ((1,) * 300)[:300]) is bytes


@example(nbytes=0)
@example(nbytes=1)
@given(nbytes=st.integers(0, 100))
def test_buffer_is_true_unless_empty_or_frozen(nbytes):
    """A Buffer is true unless it is empty or frozen."""
    buffer = xichan.Buffer(nbytes)
    assert bool(buffer) is (nbytes != 0)
    buffer.freeze()
    assert bool(buffer) is False and not buffer
