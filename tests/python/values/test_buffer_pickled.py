"""A view of a message that holds a Buffer cannot be pickled or copied; the Buffer stays in it."""

import copy
import pickle

import pytest
from test_buffer_moved import Frame, check_usable, filled

import xichan


@pytest.mark.parametrize("make_copy", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
@pytest.mark.parametrize(
    ("wrap", "find"),
    [
        (lambda buffer: (1, buffer), lambda value: value[1]),
        (lambda buffer: [[buffer]], lambda value: value[0][0]),
        (lambda buffer: {"frame": buffer}, lambda value: value["frame"]),
        (lambda buffer: Frame(1, buffer), lambda value: value.pixels),
        (lambda buffer: {"frame": Frame(1, buffer)}, lambda value: value["frame"].pixels),
    ],
    ids=["tuple", "list", "dict", "record", "record in dict"],
)
def test_pickle_and_copy_of_a_view_leave_its_buffer(wrap, find, make_copy):
    tx, rx = xichan.channel()
    tx.send(wrap(filled()))
    view = rx.recv(copy=False)
    with pytest.raises(TypeError, match=r"^cannot pickle or copy a view of a Buffer; take it out, by view\.value\(\)$"):
        make_copy(view)
    check_usable(find(view.value()))


def test_pickle_of_a_slice_of_a_view_refuses_only_its_own_buffer():
    tx, rx = xichan.channel()
    tx.send((filled(), [1], "text", [2], 5))
    view = rx.recv(copy=False)
    assert pickle.loads(pickle.dumps(view[1::2])) == ([1], [2])
    with pytest.raises(TypeError, match="a view of a Buffer"):
        pickle.dumps(view[::2])
    check_usable(view[0])
