"""The parts of the dump format that tests forge; docs/reference/block-format.md describes it."""

import os
import struct

import pytest

import xichan

STRESS = max(1, int(os.environ.get("XICHAN_STRESS", "1")))
HEADER = struct.Struct("<4sHHQ")
SHORT_ASCII, DICT, SET, RANGE, RECORD, INDEX = 6, 20, 22, 24, 29, 31
CELL = struct.Struct("<BB6sQ")  # tag, byte 1, length, word


def round_trip(value):
    return xichan.loads(xichan.dumps(value))


def with_body(body):
    return HEADER.pack(b"\x89XCH", 1, 0, len(body)) + body


def cell(tag, length=0, word=0, mark=0):
    return CELL.pack(tag, mark, length.to_bytes(6, "little"), word)


def text(value):
    """Return the cell of a short ASCII text."""
    data = value.encode()
    return bytes([SHORT_ASCII, len(data)]) + data.ljust(14, b"\0")


def of_type(module, name, form, names, *fields):
    """Return a dump of a record of any type: that of a tuple, with the tag of a record."""
    data = bytearray(xichan.dumps(((module, name, form, tuple(names)), *fields)))
    data[HEADER.size] = RECORD
    return bytes(data)


def retagged(items, tag):
    """Return a dump of a list, with the tag of another container. A large dict or set ends in an index."""
    indexed = tag == SET and len(items) > 32 or tag == DICT and len(items) > 64
    data = bytearray(xichan.dumps([*items, None] if indexed else items))
    data[HEADER.size] = tag
    if indexed:
        data[HEADER.size + CELL.size * (len(items) + 1)] = INDEX
    return bytes(data)


def slow_keys():
    """Return dumps of small size, whose keys have parts that occur again and again."""

    def doubled(levels, make):
        part = make(1, 2)
        for _ in range(levels):
            part = make(part, part)
        return part

    shared = doubled(17, slice)  # no slice keeps its hash
    long, texts = 10**100_000, [("a" * 10**6)[:n] + "b" for n in (10**6, 10**6)]
    return {
        "doubled tuples": retagged([doubled(40, lambda one, other: (one, other))], SET),
        "doubled slices": retagged([(i, shared) for i in range(500)], SET),
        "equal texts": retagged([(texts[i % 2], (2**61 - 1) * i) for i in range(1024, 4024)], SET),
        "a long int": retagged([(i, long) for i in range(200_000)], SET),
    }


def loads_error(data):
    with pytest.raises(ValueError) as caught:
        xichan.loads(data)
    assert str(caught.value).startswith("xichan.loads: ")
    return str(caught.value).removeprefix("xichan.loads: ")
