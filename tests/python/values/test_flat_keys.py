"""A key with a __hash__ of its own is hashed only when no container around it is unfilled."""

import collections
import dataclasses
import gc
import sys
import uuid

import pytest

import xichan

UNIQUE = uuid.UUID(int=5)


class Empty(collections.namedtuple("Empty", "")):  # noqa: PYI024  without fields
    __slots__ = ()

    def __hash__(self):
        return 5


EMPTY = Empty()


@dataclasses.dataclass
class Holder:
    held: object


def unfilled():
    """Return the tuples and lists of three elements that lack some."""
    found = (each for each in gc.get_objects() if type(each) in (tuple, list) and len(each) == 3)
    return [type(each) for each in found if len(gc.get_referents(each)) < 3]


@pytest.mark.parametrize("key", [UNIQUE, EMPTY], ids=["UUID", "namedtuple"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda key: [key, ({key: 1}, 777, 888), "end"],
        lambda key: [key, [{key: 1}, 777, 888], "end"],
        lambda key: (key, Holder(0), Holder([{key: 1}, 777, 888])),
        lambda key: [key, {"a": ({key: 1}, 777, 888)}, "end"],
    ],
    ids=["tuple", "list", "record", "dict"],
)
def test_no_container_is_unfilled_while_a_key_is_hashed(key, wrap):
    tx, rx = xichan.channel()
    value = wrap(key)
    for _ in range(2):
        tx.send(value)
    seen = []

    def look(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "__hash__":
            seen.append(unfilled())

    gc.collect()
    before = unfilled()
    sys.setprofile(look)
    try:
        received = [rx.recv() for _ in range(2)]
    finally:
        sys.setprofile(None)
    assert received == [value, value]
    assert seen and all(sorted(map(repr, found)) == sorted(map(repr, before)) for found in seen)
