"""Forwarding views: no copy, and the value arrives."""

import copy
import pickle
import random

import pytest
from support import alive, execute, interpreter, left_over, random_value, same, viewed

import xichan

VALUE = (1, "text" * 1000, (b"x" * 50_000, (2.5, None)), 2**100, "short", b"y" * 600)


def through(value, **options):
    tx, rx = xichan.channel(1)
    with tx, rx:
        assert xichan.is_shareable(value)
        tx.send_nowait(value)
        return rx.recv_nowait(**options)


def parts():
    """Return views of every kind on one value by name, each with its plain value."""
    view = viewed(VALUE)
    return {
        "whole": (view, VALUE),
        "tuple": (view[2], VALUE[2]),
        "small tuple": (view[2][1], VALUE[2][1]),
        "slice": (view[1:4], VALUE[1:4]),
        "slice of one": (view[3:4], VALUE[3:4]),
        "empty slice": (view[2:2], ()),
        "every other": (view[::2], VALUE[::2]),
        "backwards": (view[::-1], VALUE[::-1]),
        "backwards from inside": (view[2][::-1], VALUE[2][::-1]),
        "str": (view[1], VALUE[1]),
        "bytes": (view[2][0], VALUE[2][0]),
        "some bytes": (view[2][0][100:20_000], VALUE[2][0][100:20_000]),
        "few bytes": (view[2][0][5:10], VALUE[2][0][5:10]),
        "no bytes": (view[2][0][5:5], b""),
        "str alone": (viewed(VALUE[1]), VALUE[1]),
        "bytes alone": (viewed(VALUE[5]), VALUE[5]),
    }


NAMES = list(parts())


@pytest.mark.parametrize("name", NAMES)
def test_sent_view_arrives_as_its_value(name):
    view, plain = parts()[name]
    for value, expected in [(view, plain), ((view,), (plain,)), ((0, (view, view, "x")), (0, (plain, plain, "x")))]:
        assert same(through(value), expected)
        seen = through(value, copy=False)
        assert seen == expected and same(
            seen.value() if type(seen) in (xichan.TupleView, xichan.BytesView, xichan.StrView) else seen, expected
        )
        assert same(through(seen), expected) and same(through(through((seen,), copy=False))[0], expected)


@pytest.mark.parametrize("name", NAMES)
def test_sending_a_view_copies_nothing(name):
    view, _ = parts()[name]
    before = alive()["bytes"]
    for value, most in [(view, 700), ((view,), 800), ((0, (view, view, "x")), 1000)]:
        tx, rx = xichan.channel(1)
        tx.send(value)
        assert alive()["bytes"] - before <= most
        seen = rx.recv(copy=False)
        assert alive()["bytes"] - before <= most
        del seen, tx, rx
        if "every" not in name and "backwards" not in name:
            assert alive()["bytes"] == before


def test_strided_view_is_made_contiguous_once():
    view = viewed(VALUE)[::2]
    through(view)
    before = alive()
    for _ in range(10):
        assert through((view, view)) == (VALUE[::2],) * 2
    assert alive() == before and view == VALUE[::2] and view[::-1] == VALUE[::2][::-1] and view.value() == VALUE[::2]


def test_forwarding_a_view_builds_no_chain():
    before = alive()["blocks"]
    view = viewed((VALUE, "beside it" * 100))[0]
    for _ in range(50):
        view = through(view, copy=False)
        view = through((view, 1), copy=False)[0]
    assert alive()["blocks"] == before + 1 and view == VALUE
    part = view[2][0][1:]
    del view
    for _ in range(50):
        part = through((1, part), copy=False)[1]
    assert alive()["blocks"] == before + 1 and part == VALUE[2][0][1:]


def test_generated_values_containing_views_round_trip():
    rng = random.Random(7)
    tx, rx = xichan.channel(1)
    for i in range(3000):
        value = random_value(rng)
        tx.send_nowait(value)
        view = rx.recv_nowait(copy=False)
        plain = (value, i, (value,))
        tx.send_nowait((view, i, (view,)))
        assert same(rx.recv_nowait(), plain)
        if type(view) is xichan.TupleView:
            inner = view[rng.randrange(len(view))]
            step = rng.choice((-2, -1, 1, 2))
            tx.send_nowait((view[::step], inner))
            assert rx.recv_nowait()[0] == value[::step]


def test_unshareable_value_beside_views_is_refused():
    view = viewed(VALUE)
    before = alive()
    tx, rx = xichan.channel(1)
    with pytest.raises(xichan.NotShareableError, match=r"value\[2\]\[1\]: object is not shareable"):
        tx.send((view, view[::2], (view[1], object())))
    assert len(rx) == 0
    del tx, rx
    assert left_over(before) == {}


def test_message_with_views_is_charged_for_its_own_block():
    view = viewed(VALUE)
    tx, rx = xichan.channel(4, max_bytes=1000)
    with pytest.raises(ValueError):
        tx.send_nowait(view)  # its block is the message
    for _ in range(4):
        tx.send_nowait((view,))  # a block of its own, small
    assert rx.drain() == [(VALUE,)] * 4


def test_views_can_be_published_and_looked_up():
    view = viewed(VALUE)
    before = alive()["bytes"]
    xichan.publish("test_views_sending", view)
    assert alive()["bytes"] - before < 200
    assert same(xichan.lookup("test_views_sending"), VALUE)
    xichan.unpublish("test_views_sending")


def test_view_passes_through_three_interpreters():
    """1 MiB is copied by the first send only."""
    pytest.importorskip("concurrent.interpreters")
    before = alive()["bytes"]
    ends = [xichan.channel(1) for _ in range(4)]
    names = ("first", "second", "third")
    relay = "data = rx.recv(copy=False); tx.send((data[0], {0!r}, *data[1:])); del data"
    with interpreter() as one, interpreter() as two, interpreter() as three:
        calls = []
        for i, interp in enumerate((one, two, three)):
            interp.prepare_main(rx=ends[i][1], tx=ends[i + 1][0])
            calls.append(execute(interp, relay.format(names[i])))
        high_water = xichan.memory_stats().high_water
        ends[0][0].send((b"x" * 2**20, "origin"))
        arrived = ends[3][1].recv(30, copy=False)
        for call in calls:
            call.result()
        assert type(arrived[0]) is xichan.BytesView and arrived[0] == b"x" * 2**20
        assert arrived[1:] == ("third", "second", "first", "origin")
        assert alive()["bytes"] - before < 2**20 + 2000
        assert xichan.memory_stats().high_water <= max(high_water, before + 2**20 + 5000)
    assert arrived[0][-1] == ord("x"), "the interpreters are gone"
    del arrived, ends


def test_eight_interpreters_hold_one_value():
    pytest.importorskip("concurrent.interpreters")
    size = 8_000_000  # takes the memory of one
    before = alive()["bytes"]
    shared = xichan.share((bytes(size), "text" * 1000))
    interpreters = [interpreter(shared=shared) for _ in range(8)]
    opened = []
    try:
        for context in interpreters:
            interp = context.__enter__()
            opened.append(context)
            interp.exec("view = shared.view(); data = view[0]; text = view[1]; assert len(data) == 8_000_000")
            assert alive()["bytes"] - before < size + 10_000
    finally:
        for context in opened:
            context.__exit__(None, None, None)
    assert alive()["bytes"] - before < size + 10_000
    del shared
    assert alive()["bytes"] == before


def test_view_outlives_the_sending_interpreter():
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(4)
    with interpreter(tx=tx) as interp:
        interp.exec("tx.send((b'x' * 10_000, 'y' * 10_000, (1, 2)))")
    view = rx.recv(copy=False)
    assert view == (b"x" * 10_000, "y" * 10_000, (1, 2)) and hash(view[1]) == hash("y" * 10_000)


@pytest.mark.parametrize("name", NAMES)
def test_views_travel_through_the_standard_library(name):
    pytest.importorskip("concurrent.interpreters")
    from concurrent import interpreters

    view, plain = parts()[name]
    queue = interpreters.create_queue()
    with interpreter(view=view, inside=(view, 1), queue=queue) as interp:
        assert interpreters.is_shareable(view)
        interp.exec("kind = type(view).__name__, type(inside[0]).__name__; queue.put(kind); queue.put(view)")
        small = type(plain).__name__ if len(plain) == 0 or name == "few bytes" else type(view).__name__
        assert queue.get() == (small, small)
        assert queue.get() == plain
        assert interp.call(len, view) == len(plain)


def test_copied_and_pickled_views_release_the_block():
    view, _ = parts()["whole"]
    before = alive()["blocks"]
    copies = [copy.copy(view), copy.deepcopy((view, view[1]))[1], pickle.loads(pickle.dumps(view[2]))]
    del view
    assert alive()["blocks"] < before and copies[0] == VALUE
