"""loads() of a standard type with a field that is a repeat, which dumps() never writes."""

import struct
import uuid

import pytest

import xichan

HEADER = 16
BYTES, REPEAT = 15, 35  # tags of cells, see docs/reference/block-format.md
CONTENT = bytes(range(16, 32))


def test_uuid_whose_bytes_are_a_repeat():
    value = [CONTENT, CONTENT, uuid.UUID(bytes=CONTENT)]
    dump = bytearray(xichan.dumps(value))
    cells = range(HEADER, len(dump) - 15, 16)
    own = [at for at in cells if dump[at : at + 8] == struct.pack("<Q", BYTES | len(CONTENT) << 16)]
    first = [at for at in cells if dump[at : at + 8] == struct.pack("<Q", BYTES | 1 << 8 | len(CONTENT) << 16)]
    if len(own) != 1 or len(first) != 1:
        pytest.fail(f"expected one repeated and one other cell of bytes, got {len(first)} and {len(own)}")
    dump[own[0] : own[0] + 16] = struct.pack("<QQ", REPEAT, first[0] - HEADER)
    del dump[-16:]  # the payload of the cell that was replaced, which is the last
    struct.pack_into("<Q", dump, 8, len(dump) - HEADER)
    assert xichan.loads(bytes(dump)) == value
