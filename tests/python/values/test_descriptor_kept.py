"""Descriptors in values for several receivers, which are refused, and in views."""

import collections
import copy
import pickle

import pytest

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def keep_calls():
    cell, table = xichan.Cell(0), xichan.Map()
    sender = xichan.broadcast(4)[0]
    return {
        "share": xichan.share,
        "share pickled": lambda value: xichan.share(value, pickle=True),
        "publish": lambda value: xichan.publish("a descriptor", value),
        "cell": cell.set,
        "map": lambda value: table.set("key", value),
        "broadcast": sender.send,
    }


@pytest.mark.parametrize("keep", ["share", "share pickled", "publish", "cell", "map", "broadcast"])
def test_values_for_several_receivers_refuse_it(line, keep):
    remedy = r"is not shareable, because it has one receiver; send each receiver its own xichan\.descriptor\(\)"
    for value, path in ((line.descriptor, "value"), ([1, {"k": line.descriptor}], r"value\[1\]\['k'\]")):
        with pytest.raises(xichan.NotShareableError, match=rf"^{path}: xichan\.Descriptor {remedy}"):
            keep_calls()[keep](value)
        line.check_usable()


def test_dumps_refuses_it(line):
    for value, path in ((line.descriptor, "value"), ([1, line.descriptor], r"value\[1\]")):
        text = rf"^{path}: xichan\.Descriptor cannot leave its process; dump the content that it gives access to$"
        with pytest.raises(xichan.NotShareableError, match=text):
            xichan.dumps(value)
    tx, rx = xichan.channel()
    tx.send((1, line.descriptor))
    view = rx.recv(copy=False)
    with pytest.raises(xichan.NotShareableError, match=r"^value\[1\]: xichan\.Descriptor cannot leave its process$"):
        xichan.dumps(view)
    line.check(view[1])


def test_copy_false_returns_the_descriptor(line):
    tx, rx = xichan.channel()
    tx.send(line.descriptor)
    line.check(rx.recv(copy=False))


def test_looking_at_a_record_in_a_view_leaves_it(line):
    """Objects of standard types are made to be compared or printed."""
    tx, rx = xichan.channel()
    tx.send((collections.deque([line.descriptor]), collections.deque([1])))
    view = rx.recv(copy=False)
    assert repr(view) == "xichan.TupleView((..., deque([1])))"
    assert view == view and xichan.share((view,)).view()[0] == view
    assert view != (collections.deque([1]), collections.deque([1]))
    with pytest.raises(TypeError, match="unhashable"):
        hash(view)
    line.check(view[0][0])


@pytest.mark.parametrize("read", [lambda view: view["c"][0], lambda view: view.value()["c"][0]])
def test_first_access_takes_it_out_of_a_view(line, read):
    tx, rx = xichan.channel()
    tx.send({"c": [line.descriptor], "n": 1})
    view = rx.recv(copy=False)
    assert repr(view) == "xichan.DictView({'c': [<xichan.Descriptor>], 'n': 1})" and view == view
    again = xichan.share(view).view()
    received = read(view)
    for other in (view, again):
        with pytest.raises(
            (ValueError, xichan.DecodeError), match="the Descriptor was received before; each Descriptor has one"
        ):
            other["c"][0]
        with pytest.raises((ValueError, xichan.DecodeError), match="received before"):
            other.value()
    line.check(received)


def test_dropped_view_closes(line):
    tx, rx = xichan.channel()
    tx.send((1, line.descriptor))
    view = rx.recv(copy=False)
    part = view[:1]
    del view
    assert line.is_open()
    del part
    assert not line.is_open()


@pytest.mark.parametrize("make_copy", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickle_and_copy_of_a_view_leave_it(line, make_copy):
    tx, rx = xichan.channel()
    tx.send([1, {"k": line.descriptor}])
    view = rx.recv(copy=False)
    with pytest.raises(
        TypeError, match=r"^cannot pickle or copy a view of a Descriptor; take it out, by view\.value\(\)$"
    ):
        make_copy(view)
    with pytest.raises(TypeError, match="unhashable"):
        hash(xichan.share((view,)).view())
    line.check(view[1]["k"])
