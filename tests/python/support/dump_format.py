"""The parts of the dump format that tests forge; docs/reference/block-format.md describes it."""

import os
import struct

import pytest

import xichan

STRESS = max(1, int(os.environ.get("XICHAN_STRESS", "1")))
HEADER = struct.Struct("<4sHHQ")
CELL = struct.Struct("<BB6sQ")  # tag, byte 1, length, word


def round_trip(value):
    return xichan.loads(xichan.dumps(value))


def with_body(body):
    return HEADER.pack(b"\x89XCH", 1, 0, len(body)) + body


def cell(tag, length=0, word=0, mark=0):
    return CELL.pack(tag, mark, length.to_bytes(6, "little"), word)


def loads_error(data):
    with pytest.raises(ValueError) as caught:
        xichan.loads(data)
    assert str(caught.value).startswith("xichan.loads: ")
    return str(caught.value).removeprefix("xichan.loads: ")
