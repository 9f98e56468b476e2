"""xichan.Buffer: writable memory that becomes a Shared without a copy. See test_buffer_moved.py for sending it."""

import copy
import ctypes
import io
import pickle
import socket
import weakref

import pytest
from support import alive, left_over, viewed

import xichan


def address(buffer):
    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


@pytest.mark.parametrize("size", [0, 1, 14, 15, 63, 64, 1000, 1024, 100_000, 1 << 22])
def test_buffer_starts_zeroed_and_freezes_to_a_shared(size):
    before = alive()
    buffer = xichan.Buffer(size)
    assert len(buffer) == buffer.nbytes == size and alive()["blocks"] == before["blocks"] + 1
    assert 0 <= alive()["bytes"] - before["bytes"] - size <= 256
    seen = memoryview(buffer)
    assert not seen.readonly and seen.nbytes == size and seen == bytes(size) and seen.format == "B"
    content = bytes(i * 7 % 251 for i in range(min(size, 5000))) + bytes(max(size - 5000, 0))
    seen[:] = content
    seen.release()
    held = alive()
    shared = buffer.freeze()
    assert type(shared) is xichan.Shared and alive() == held, "no copy"
    assert shared == content and shared.value() == content and memoryview(shared) == content
    assert type(viewed((shared,))[0]) is xichan.Shared and hash(shared) == hash(content)
    del shared, buffer
    assert left_over(before) == {}


@pytest.mark.parametrize("size", [1, 63, 64, 1000, 4096, 1 << 20])
def test_buffer_is_aligned_to_64_bytes(size):
    buffers = [xichan.Buffer(size) for _ in range(8)]
    assert all(address(buffer) % 64 == 0 for buffer in buffers)


def test_freeze_accepts_a_length():
    for part in (0, 1, 14, 15, 99, 100, None):
        buffer = xichan.Buffer(100)
        memoryview(buffer)[:] = bytes(range(100))
        assert buffer.freeze(part) == bytes(range(100))[:part]
        buffer = xichan.Buffer(100)
        assert buffer.freeze(nbytes=part) == bytes(100)[:part]
    buffer = xichan.Buffer(100)
    for part in (-1, 101, 2**63, 2**64, -(2**100)):
        with pytest.raises(ValueError, match="from 0 to 100"):
            buffer.freeze(part)
    for part in (1.0, "1", True, ()):
        with pytest.raises(TypeError):
            buffer.freeze(part)
    with pytest.raises(TypeError):
        buffer.freeze(1, 2)
    assert buffer.freeze() == bytes(100)


def test_freeze_fails_while_exports_exist():
    buffer = xichan.Buffer(100)
    seen = memoryview(buffer)
    part = seen[10:20]
    seen.release()
    pointer = (ctypes.c_char * 100).from_buffer(buffer)
    with pytest.raises(BufferError, match="^cannot freeze: the buffer has 2 active exports$"):
        buffer.freeze()
    del pointer
    with pytest.raises(BufferError, match="^cannot freeze: the buffer has 1 active export$"):
        buffer.freeze()
    part[0] = 7
    part.release()
    assert memoryview(buffer.freeze())[10] == 7


def test_frozen_buffer_is_unusable():
    buffer = xichan.Buffer(100)
    assert repr(buffer) == "<xichan.Buffer of 100 bytes>"
    buffer.freeze()
    for use in (
        buffer.freeze,
        lambda: memoryview(buffer),
        lambda: len(buffer),
        lambda: buffer.nbytes,
        lambda: bytes(buffer),
    ):
        with pytest.raises(ValueError, match="frozen"):
            use()
    assert repr(buffer) == "<xichan.Buffer frozen>"


def test_freeze_argument_may_freeze_the_buffer():
    buffer = xichan.Buffer(100)

    class Sly:
        def __index__(self):
            buffer.freeze()
            return 5

    with pytest.raises(ValueError, match="frozen"):
        buffer.freeze(Sly())


def test_buffer_can_be_filled_by_readinto():
    buffer = xichan.Buffer(1000)
    assert io.BytesIO(b"from a file").readinto(buffer) == 11
    left, right = socket.socketpair()
    with left, right:
        right.sendall(b"from a socket")
        assert left.recv_into(memoryview(buffer)[11:], 13) == 13
    assert buffer.freeze(24) == b"from a filefrom a socket"


def test_buffer_rejects_invalid_sizes():
    before = alive()
    for size in (-1, 2**48, 2**63, 2**64, 10**100, -(2**70)):
        with pytest.raises(ValueError):
            xichan.Buffer(size)
    for size in (1.0, "1", None, (), True, b"x"):
        with pytest.raises(TypeError):
            xichan.Buffer(size)
    for make in (lambda: xichan.Buffer(), lambda: xichan.Buffer(1, 2), lambda: xichan.Buffer(size=1)):
        with pytest.raises(TypeError):
            make()
    xichan.set_memory_limit(alive()["bytes"] + 10_000)
    for size in (10_000, 2**48 - 1):
        with pytest.raises(xichan.MemoryLimitExceeded):
            xichan.Buffer(size)
    xichan.Buffer(9_000)
    xichan._core._fail_after(0)
    with pytest.raises(MemoryError):
        xichan.Buffer(10)
    xichan._core._fail_after(-1)
    assert alive() == before
    assert len(xichan.Buffer(nbytes=10)) == 10


def test_buffer_cannot_be_copied():
    buffer = xichan.Buffer(10)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(buffer)
    assert weakref.ref(buffer)() is buffer
    with pytest.raises(TypeError):
        type("B", (xichan.Buffer,), {})
