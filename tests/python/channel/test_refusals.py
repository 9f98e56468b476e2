"""Unshareable values are refused by an error that names their path, and nothing leaks."""

import pytest
from support import alive, counts, same

import xichan


class MyStr(str):
    pass


class MyBytes(bytes):
    pass


class MyFloat(float):
    pass


class MyInt(int):
    pass


class MyTuple(tuple):
    pass


class MyList(list):
    pass


class MyDict(dict):
    pass


class Slotted:
    __slots__ = ()


FOREIGN = [
    MyStr("a"), MyBytes(b"a"), MyFloat(1), MyInt(1), MyTuple(), MyTuple((1,)), MyList(), MyDict(), object(), Slotted(),
    lambda: None, len, type, int, Slotted, pytest, NotImplemented, (i for i in ()), xichan.Sender, xichan.Sender[int],
]  # fmt: skip


def name(value):
    return type(value).__name__


def full_name(value):
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@pytest.fixture
def pair():
    tx, rx = xichan.channel(4)
    yield tx, rx
    tx.close()
    rx.close()


@pytest.mark.parametrize("bad", FOREIGN, ids=name)
@pytest.mark.parametrize("how", ["send", "send_nowait", "send with timeout"])
def test_foreign_types_are_refused(pair, bad, how):
    tx, rx = pair
    send = {"send": tx.send, "send_nowait": tx.send_nowait, "send with timeout": lambda v: tx.send(v, timeout=1)}[how]
    before = alive()
    for value, place in [
        (bad, "value"),
        ((bad,), "value[0]"),
        (("a", 1, (), ("b" * 100, bad)), "value[3][1]"),
        (((((((bad,),),),),),), "value[0][0][0][0][0][0]"),
        ((((), (), ((),), ((), bad)),), "value[0][3][1]"),
        ([0, {"k": bad}], "value[1]['k']"),
    ]:
        with pytest.raises(xichan.NotShareableError) as caught:
            send(value)
        assert str(caught.value).startswith(f"{place}: {full_name(bad)} is not shareable; ")
        assert caught.value.path == place and caught.value.item is bad
        assert not xichan.is_shareable(value)
    assert alive() == before
    assert len(rx) == 0


def test_not_shareable_error_is_a_type_error(pair):
    with pytest.raises(TypeError, match=r"^value\[3\]\[1\]: object is not shareable"):
        pair[0].send((0, 1, 2, (3, object())))
    with pytest.raises(TypeError, match=r"^value: object is not shareable"):
        pair[0].send(object())


def leaf(i):
    return (i, "short", "text too long for a cell", b"bytes too long for a cell", 2**100 + i, 0.5, None, ())[i % 8]


def tree(bad_place=None, bad=None):
    """Return 1000 leaves in tuples of uneven depth with their paths; one leaf is unshareable."""
    places = []

    def put(place):
        places.append(place)
        return bad if place == bad_place else leaf(len(places))

    value = []
    for i in range(10):
        branch = []
        for j in range(10):
            if (i + j) % 3:
                twig = tuple(put(f"value[{i}][{j}][{k}]") for k in range(10))
            else:
                twig = tuple((put(f"value[{i}][{j}][{k}][0]"), ()) for k in range(10))
            branch.append(twig)
        value.append(tuple(branch))
    return tuple(value), places


def test_bad_leaf_is_located_at_each_of_1000_positions(pair):
    tx, rx = pair
    good, places = tree()
    assert len(places) == 1000
    before = alive()
    for place in places:
        value, _ = tree(place, bad=object())
        with pytest.raises(xichan.NotShareableError) as caught:
            tx.send(value)
        assert str(caught.value).startswith(f"{place}: object is not shareable")
        assert alive() == before
        tx.send(place)
        assert rx.recv() == place
    tx.send(good)
    assert same(rx.recv(), good)


def test_endpoints_before_a_bad_leaf_are_not_counted(pair):
    tx, rx = pair
    before = alive()
    with pytest.raises(xichan.NotShareableError):
        tx.send((tx, rx, "text too long for a cell", (tx, rx, [tx, object()])))
    assert counts(tx) == (1, 1)
    assert alive() == before


@pytest.mark.parametrize("depth", [31, 32, 33, 34, 1000, 10**5])
def test_path_of_a_deep_value_is_abridged(pair, depth):
    value = object()
    for _ in range(depth):
        value = (0, value)
    with pytest.raises(xichan.NotShareableError) as caught:
        pair[0].send(value)
    place = caught.value.path
    assert str(caught.value).startswith(f"{place}: object is not shareable")
    shown, hidden = place.count("[1]"), 0
    if "more" in place:
        before, _, after = place.partition("[... ")
        hidden = int(after.split(" more ...]")[0])
        assert before.count("[1]") == 16
    assert shown + hidden == depth
    assert len(place) < 200
    while type(value) is tuple:
        value = value[1]  # so that this test does not depend on deep deallocation


def test_one_of_two_bad_leaves_is_named(pair):
    with pytest.raises(xichan.NotShareableError) as caught:
        pair[0].send(((), (object(), 1), len))
    assert caught.value.path in ("value[1][0]", "value[2]")


@pytest.mark.parametrize("good", [leaf(i) for i in range(1, 9)] + [("a", ("b", 2**70))], ids=str)
def test_is_shareable_agrees_with_send(pair, good):
    tx, rx = pair
    assert xichan.is_shareable(good) is True
    tx.send(good)
    assert same(rx.recv(), good)


def test_is_shareable_accepts_endpoints(pair):
    tx, rx = pair
    spare = tx.clone()
    assert xichan.is_shareable((tx, (rx, spare)))
    assert counts(tx) == (2, 1)
    spare.close()
    assert not xichan.is_shareable((tx, (rx, spare))), "a closed end cannot be sent"


def test_closed_endpoint_in_a_message_is_refused(pair):
    tx, rx = pair
    spare, other = rx.clone(), tx.clone()
    spare.close()
    other.close()
    before = alive()
    for value in [spare, other, (1, "text too long for a cell", (tx, rx, spare)), (other,)]:
        with pytest.raises(xichan.ChannelClosed):
            tx.send(value)
    assert counts(tx) == (1, 1)
    assert alive() == before
    tx.send("goes on")
    assert rx.recv() == "goes on"


def test_is_shareable_leaks_nothing(pair):
    before = alive()
    for value in [("x" * 1000, 2**1000), ("x" * 1000, object()), pair, (pair, [object()])]:
        xichan.is_shareable(value)
    assert alive() == before
    assert counts(pair[0]) == (1, 1)
