"""dumps() and loads(): values out of the process and back, and everything else refused."""

import array
import mmap
import os
import random
import struct
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import (
    TEXT,
    alive,
    interpreter,
    left_over,
    on_a_small_stack,
    random_value,
    rich,
    run_python,
    run_script,
    same,
)
from test_out_of_memory import PRELUDE
from test_values import FLOAT_PATTERNS, HUGE, values

import xichan
from xichan import _core

STRESS = max(1, int(os.environ.get("XICHAN_STRESS", "1")))
HEADER = struct.Struct("<4sHHQ")
CELL = struct.Struct("<BB6sQ")  # tag, byte 1, length, word


def again(value):
    return xichan.loads(xichan.dumps(value))


def with_body(body):
    return HEADER.pack(b"\x89XCH", 1, 0, len(body)) + body


def cell(tag, length=0, word=0, mark=0):
    return CELL.pack(tag, mark, length.to_bytes(6, "little"), word)


def refusal(data):
    with pytest.raises(ValueError) as caught:
        xichan.loads(data)
    assert str(caught.value).startswith("xichan.loads: ")
    return str(caught.value).removeprefix("xichan.loads: ")


def test_a_bit_of_everything():
    assert same(again(rich()), rich())
    for value in rich():
        assert same(again(value), value)
    assert type(xichan.dumps(1)) is bytes


@settings(max_examples=1000 * STRESS)
@given(values)
def test_any_value(value):
    data = xichan.dumps(value)
    back = xichan.loads(data)
    assert same(back, value)
    assert same(again(back), value)


def test_generated_values():
    rng = random.Random(30_000)
    for i in range(20_000 * STRESS):
        value = random_value(rng)
        assert same(again(value), value), f"value number {i}: {value!r}"


@pytest.mark.parametrize("name", HUGE)
def test_huge_ints(name):
    assert same(again((HUGE[name], [name][0])), (HUGE[name], name))


def test_ints_and_floats_to_the_last_bit():
    numbers = tuple(sign * (2**k + off) for k in range(4097) for off in (-1, 0, 1) for sign in (1, -1))
    assert same(again(numbers), numbers)
    floats = tuple(struct.unpack("<d", struct.pack("<Q", pattern))[0] for pattern in FLOAT_PATTERNS)
    assert same(again(floats), floats)


@pytest.mark.parametrize("depth", [10, 1000, 1_000_000])
def test_any_depth_on_a_small_stack(depth):
    value = ("bottom", 2**1_000_000)
    for _ in range(depth):
        value = (value, None)
    assert on_a_small_stack(lambda: same(again(value), value), 250)


def test_the_same_value_has_the_same_bytes():
    assert xichan.dumps(rich()) == xichan.dumps(rich())
    assert xichan.dumps(xichan.loads(xichan.dumps(rich()))) == xichan.dumps(rich())


def test_a_channel_changes_nothing_of_it():
    tx, rx = xichan.channel(1)
    tx.send(rich())
    assert xichan.dumps(rx.recv()) == xichan.dumps(rich())


def test_layout():
    data = xichan.dumps(5)
    assert HEADER.unpack(data[:16]) == (b"\x89XCH", 1, 0, 16)
    assert data[16:] == cell(4, 0, 5)


def test_another_process_reads_it(tmp_path):
    file = tmp_path / "dump"
    file.write_bytes(xichan.dumps(rich()))
    source = """if True:
        import sys, xichan
        with open(sys.argv[1], "r+b") as file:
            value = xichan.loads(file.read())
            file.seek(0)
            file.write(xichan.dumps((value, "changed")))
    """
    run_python("-c", source, file, env={"PYTHONHASHSEED": "77"})
    assert same(xichan.loads(file.read_bytes()), (rich(), "changed"))


@pytest.mark.skipif(sys.version_info < (3, 14), reason="needs CPython 3.14")
def test_another_interpreter_reads_it():
    there, requests = xichan.channel(1)
    replies, back = xichan.channel(1)
    with interpreter(requests=requests, replies=replies) as interp:
        there.send(xichan.dumps(rich()))
        interp.exec("import xichan; replies.send(xichan.dumps(xichan.loads(requests.recv())))")
        assert same(xichan.loads(back.recv()), rich())


def test_what_cannot_leave_is_named_with_its_place():
    tx, rx = xichan.channel(1)
    cases = {
        "value: Sender cannot leave its process": tx,
        "value[1]: Sender cannot leave its process": (0, tx),
        "value[1][2][0]: Receiver cannot leave its process": (0, (1, 2, (rx,))),
        "value: Queue cannot leave its process": xichan.Queue(),
        "value[0][1]: Queue cannot leave its process": ((0, xichan.Queue()), 1, 2),
        "value[2]: list is not shareable": (0, TEXT, []),
    }
    for message, value in cases.items():
        before = alive()
        with pytest.raises(xichan.NotShareableError) as caught:
            xichan.dumps(value)
        assert str(caught.value) == message
        assert alive() == before
    tx.close()  # a closed one as well
    with pytest.raises(xichan.NotShareableError, match="Sender cannot leave"):
        xichan.dumps((tx,))


class Exporter:
    def __init__(self, buffer):
        self.buffer = buffer

    def __buffer__(self, flags):
        return memoryview(self.buffer)


def test_any_contiguous_buffer():
    data = xichan.dumps(rich())
    shifted = memoryview(b"x" + data)[1:]
    with mmap.mmap(-1, len(data)) as pages:
        pages[:] = data
        for buffer in (data, bytearray(data), memoryview(data), array.array("B", data), shifted, pages, Exporter(data)):
            assert same(xichan.loads(buffer), rich())
    buffer = bytearray(data)
    xichan.loads(buffer)
    buffer.append(0)  # nothing of it is held any more


def test_what_is_no_buffer():
    for wrong in (None, 5, "text", (), [1], 1.5):
        with pytest.raises(TypeError):
            xichan.loads(wrong)
    with pytest.raises(BufferError):
        xichan.loads(memoryview(xichan.dumps(rich()))[::2])
    with pytest.raises(TypeError):
        xichan.loads()
    with pytest.raises(TypeError):
        xichan.dumps(1, 2)


def test_what_is_no_dump():
    data = xichan.dumps(rich())
    assert refusal(b"") == "input ends within the header (at byte 0)"
    assert refusal(b"some text that is long enough") == "not a dump of xichan (at byte 0)"
    assert refusal(b"text") == "not a dump of xichan (at byte 0)"
    for length in range(len(data)):
        place = "header" if length < 16 else "body"
        assert refusal(data[:length]) == f"input ends within the {place} (at byte {length})"
    assert refusal(data + b"\0") == f"bytes after the end of the body (at byte {len(data)})"
    assert refusal(data + data) == f"bytes after the end of the body (at byte {len(data)})"
    newer = data[:4] + b"\2" + data[5:]
    assert refusal(newer) == "version of the format that this release does not know (at byte 4)"
    assert refusal(data[:6] + b"\1" + data[7:]) == "reserved bytes that are not zero (at byte 6)"
    assert refusal(with_body(b"")) == "shorter than a cell (at byte 16)"
    assert refusal(with_body(cell(1) + b"\0" * 8)) == "not a multiple of 16 bytes long (at byte 40)"
    assert refusal(with_body(cell(0))) == "cell without a value (at byte 16)"
    assert refusal(with_body(cell(0x30))) == "unknown tag (at byte 16)"


FORGED = [0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**47, 2**48 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def test_forged_lengths_and_offsets():
    """Each field of each cell, set to each number: refused, unless it is another value of the same form."""
    data = xichan.dumps(rich())
    blocks = xichan.memory_stats().blocks
    end = min(CELL.unpack_from(data, 16 + 16 * i)[3] for i in range(len(rich())) if data[16 + 16 * i] in range(11, 17))
    taken = 0
    for place in (8, *range(16, 16 + end, 16)):
        for number in FORGED:
            for size, at in ((8, 0),) if place == 8 else ((6, 2), (8, 8), (1, 1)):
                changed = bytearray(data)
                changed[place + at : place + at + size] = (number % 256**size).to_bytes(size, "little")
                if changed == data:
                    continue
                try:
                    value = xichan.loads(changed)
                except ValueError:
                    continue
                taken += 1
                assert data[place] < 11 or at == 1, "only what lies in the cell, and a mark, may change"
                assert same(again(value), value)
    assert xichan.memory_stats().blocks == blocks
    assert taken > 50


def test_every_flipped_bit():
    data = xichan.dumps(rich())
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            value = xichan.loads(changed)
        except ValueError:
            continue
        assert bit >= 128, "no bit of the header"
        assert same(again(value), value)


@given(st.binary(max_size=200), st.booleans())
def test_garbage(garbage, header):
    try:
        xichan.loads(with_body(garbage) if header else garbage)
    except ValueError:
        pass


def test_spliced_dumps():
    """Pieces of valid dumps put together anyhow."""
    rng = random.Random(11)
    bodies = [xichan.dumps(value)[16:] for value in (*rich(), rich())]
    for _ in range(3000 * STRESS):
        pieces = []
        for _ in range(rng.randrange(1, 5)):
            body = rng.choice(bodies)
            begin = rng.randrange(0, len(body), 8)
            pieces.append(body[begin : begin + 8 * rng.randrange(1, 12)])
        try:
            value = xichan.loads(with_body(b"".join(pieces)))
        except ValueError:
            continue
        assert same(again(value), value)


def test_small_input_makes_no_large_value():
    """A million elements that are all one text of a megabyte."""
    count, size = 1_000_000, 1 << 20
    text = cell(0x0B, size, 16 * (count + 1), mark=1)
    payload = b"x" * size + b"\0" * 16
    value = xichan.loads(with_body(cell(0x11, count, 16) + text + cell(0x16, 0, 16) * (count - 1) + payload))
    assert len(value) == count
    assert all(item is value[0] for item in value)
    # Without the mark, or as so many cells of the same payload, it is none.
    text = cell(0x0B, size, 16 * 4)
    assert "not next in order" in refusal(with_body(cell(0x11, 3, 16) + text * 3 + payload))
    assert "not marked" in refusal(with_body(cell(0x11, 3, 16) + text + cell(0x16, 0, 16) * 2 + payload))


def test_objects_are_proportional_to_the_input():
    """As the documentation says: up to six bytes of objects for a byte of dump."""
    kinds = ["é" * 14, "\u20ac" * 7, "\U0001f600" * 3, "a" * 14, b"x" * 14, "a" * 15, "\u20ac" * 8, b"x" * 15]
    for kind in (*kinds, 2**40, 2**64, 1.5, (None,)):
        dumped = len(xichan.dumps((kind,))) - len(xichan.dumps((None,))) + 16
        made = -(-sys.getsizeof(kind) // 16) * 16 + 8  # as the allocator rounds, and its place in a tuple
        assert made <= 6 * dumped, kind


def test_tuples_that_contain_themselves():
    def loop(*words):
        return with_body(cell(0x11, 2, words[0]) + b"".join(cell(0x11, 2, word) for word in words[1:]))

    for words in ((0, 0, 0), (16, 16, 16), (16, 48, 16), (16, 48, 48), (16, 0, 0)):
        refusal(loop(*words))
    bomb = cell(0x11, 2, 16) + b"".join(cell(0x11, 2, 16 + 32 * level) * 2 for level in range(1, 60)) + cell(1) * 2
    assert "not next in order" in refusal(with_body(bomb))


def test_memory_limit():
    data = xichan.dumps(("x" * 100_000,))
    xichan.set_memory_limit(50_000)
    with pytest.raises(xichan.ArenaFull):
        xichan.loads(data)
    with pytest.raises(xichan.ArenaFull):
        xichan.dumps(("x" * 100_000,))


@pytest.mark.parametrize("call", [lambda: xichan.dumps(rich()), lambda: xichan.loads(DATA)], ids=["dumps", "loads"])
def test_failing_each_arena_allocation(call):
    before = alive()
    failures = 0
    while True:
        _core._fail_after(failures)
        try:
            call()
            break
        except MemoryError:
            failures += 1
        finally:
            _core._fail_after(-1)
        assert alive() == before
    assert failures >= 1
    assert left_over(before) == {}


DATA = xichan.dumps(rich())


def test_failing_each_allocation_of_python():
    pytest.importorskip("_testcapi", reason="only _testcapi can make Python's own allocators fail")
    run_script(
        PRELUDE
        + """
    from support import rich

    tx, rx = xichan.channel(1)
    value = rich()
    data = xichan.dumps(value)

    def refused():
        try:
            xichan.dumps((1, (2, tx)))
        except xichan.NotShareableError:
            return "refused"

    def malformed():
        try:
            xichan.loads(data[:-1])
        except ValueError:
            return "malformed"

    for call in (lambda: xichan.dumps(value), lambda: xichan.loads(data), refused, malformed):
        for n in range(1000):
            done, result = without_memory(n, call)
            if done:
                break
        assert done and n >= 1, n
        assert result in ("refused", "malformed") or same(result, value) or result == data
    del tx, rx, refused, call
    assert left_over(before) == {}
    """,
        timeout=200,
    )


def test_input_that_changes_while_it_is_read():
    """Another process writes to the memory that is read: a value or a refusal, and nothing worse."""
    run_script(
        """
    import mmap, os, random, signal
    import xichan
    from support import rich

    DATA = xichan.dumps(rich())

    pages = mmap.mmap(-1, len(DATA))
    pages[:] = DATA
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        rng = random.Random(1)
        while os.getppid() == parent:
            at = rng.randrange(len(DATA))
            pages[at] = rng.randrange(256)
            pages[at] = DATA[at]
        os._exit(0)
    try:
        for _ in range(20_000):
            try:
                value = xichan.loads(pages)
            except ValueError:
                continue
            xichan.dumps(value)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    pages[:] = DATA
    assert xichan.dumps(xichan.loads(pages)) == DATA
    """,
        timeout=200,
    )
