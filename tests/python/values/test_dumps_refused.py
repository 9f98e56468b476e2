"""What dumps() and loads() refuse: unportable values and invalid input raise an error and do no other harm."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import TEXT, alive, rich, run_script, same
from support.dump_format import CELL, STRESS, cell, loads_error, round_trip, with_body

import xichan


def test_dumps_names_the_path_of_an_unportable_value():
    tx, rx = xichan.channel(1)
    cases = {
        "value: xichan.Sender cannot leave its process": tx,
        "value[1]: xichan.Sender cannot leave its process": (0, tx),
        "value[1][2][0]: xichan.Receiver cannot leave its process": (0, (1, 2, (rx,))),
        "value: xichan.Queue cannot leave its process": xichan.Queue(),
        "value[0][1]: xichan.Queue cannot leave its process": ((0, xichan.Queue()), 1, 2),
        "value[2]: object is not shareable": (0, TEXT, object()),
        "value[1]['k']: xichan.Sender cannot leave its process": [0, {"k": tx}],
    }
    for message, value in cases.items():
        before = alive()
        with pytest.raises(xichan.NotShareableError) as caught:
            xichan.dumps(value)
        assert str(caught.value).startswith(message)
        assert alive() == before
    tx.close()  # a closed one as well
    with pytest.raises(xichan.NotShareableError, match=r"value\[0\]: xichan\.Sender cannot leave"):
        xichan.dumps((tx,))


def test_loads_rejects_non_buffers():
    for wrong in (None, 5, "text", (), [1], 1.5):
        with pytest.raises(TypeError):
            xichan.loads(wrong)
    with pytest.raises(BufferError):
        xichan.loads(memoryview(xichan.dumps(rich()))[::2])
    with pytest.raises(TypeError):
        xichan.loads()
    with pytest.raises(TypeError):
        xichan.dumps(1, 2)


def test_loads_rejects_invalid_dumps():
    data = xichan.dumps(rich())
    assert loads_error(b"") == "input ends within the header (at byte 0)"
    assert loads_error(b"some text that is long enough") == "not a dump of xichan (at byte 0)"
    assert loads_error(b"text") == "not a dump of xichan (at byte 0)"
    for length in range(len(data)):
        place = "header" if length < 16 else "body"
        assert loads_error(data[:length]) == f"input ends within the {place} (at byte {length})"
    assert loads_error(data + b"\0") == f"bytes after the end of the body (at byte {len(data)})"
    assert loads_error(data + data) == f"bytes after the end of the body (at byte {len(data)})"
    newer = data[:4] + b"\2" + data[5:]
    assert loads_error(newer) == "unsupported format version (at byte 4)"
    assert loads_error(data[:6] + b"\1" + data[7:]) == "reserved bytes are not zero (at byte 6)"
    assert loads_error(with_body(b"")) == "body is shorter than a cell (at byte 16)"
    assert loads_error(with_body(cell(1) + b"\0" * 8)) == "body size is not a multiple of 16 (at byte 40)"
    assert loads_error(with_body(cell(0))) == "cell has no value (at byte 16)"
    assert loads_error(with_body(cell(0x30))) == "unknown tag (at byte 16)"


FORGED = [0, 1, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**47, 2**48 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def test_loads_rejects_forged_lengths_and_offsets():
    """Sets each field of each cell to each number: loads refuses it unless the result is a valid value."""
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
                assert same(round_trip(value), value)
    assert xichan.memory_stats().blocks == blocks
    assert taken > 50


def test_loads_survives_every_flipped_bit():
    data = xichan.dumps(rich())
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            value = xichan.loads(changed)
        except ValueError:
            continue
        assert bit >= 128, "no bit of the header"
        assert same(round_trip(value), value)


cells = st.builds(cell, st.integers(0, 0x25), st.integers(0, 3), st.one_of(st.just(0), st.integers(0, 2**64 - 1)))
garbage = st.one_of(st.binary(max_size=200), st.lists(cells, min_size=1, max_size=4).map(b"".join))


def test_loads_rejects_garbage():
    taken = 0

    @settings(max_examples=1000 * STRESS)
    @given(garbage, st.booleans())
    def check(data, header):
        nonlocal taken
        try:
            value = xichan.loads(with_body(data) if header else data)
        except ValueError:
            return
        taken += 1
        assert same(round_trip(value), value)

    check()
    print(f"{taken} taken")
    assert taken > 0


def test_loads_survives_spliced_dumps():
    """Input: pieces of valid dumps joined at random."""
    rng = random.Random(11)
    bodies = [xichan.dumps(value)[16:] for value in (*rich(), rich())]
    taken = 0
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
        taken += 1
        assert same(round_trip(value), value)
    print(f"{taken} taken")
    assert taken > 0


def test_loads_rejects_tuples_that_contain_themselves():
    def loop(*words):
        return with_body(cell(0x11, 2, words[0]) + b"".join(cell(0x11, 2, word) for word in words[1:]))

    for words in ((0, 0, 0), (16, 16, 16), (16, 48, 16), (16, 48, 48), (16, 0, 0)):
        loads_error(loop(*words))
    bomb = cell(0x11, 2, 16) + b"".join(cell(0x11, 2, 16 + 32 * level) * 2 for level in range(1, 60)) + cell(1) * 2
    assert "not next in order" in loads_error(with_body(bomb))


def test_loads_survives_input_that_changes_meanwhile():
    """Another process writes to the input meanwhile: loads returns a value or raises."""
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
