"""Values of up to 64 bytes pass through a bounded channel without a block, in all ways to send and to receive."""

import asyncio
import itertools

import pytest
from support import Call, alive, execute, interpreter, run_script, same, wait_for_blocked

import xichan
from xichan import _core

TEXTS = [letter * length for letter in "aé€\U0001f600" for length in range(20)]
VALUES = [
    *TEXTS,
    *("x" * length for length in (31, 32, 33, 63, 64, 65)),
    *("é" * length for length in (63, 64, 65)),
    *("€" * length for length in (31, 32, 33)),
    "\U0001f600" * 16,
    "\U0001f600" * 17,
    *(bytes(range(length)) for length in range(70)),
    (),
    (1,),
    ("a", b"b", None, 1.5),
    (True, False, ..., ()),
    (2**62, -1, "12345678901234", b"12345678901234"),
    (1, 2, 3, 4, 5),
    ("a str that does not fit", 1),
    ((1,), 2),
    (2**80,),
]
SENDS = {
    "send": lambda tx, value: tx.send(value),
    "send with timeout": lambda tx, value: tx.send(value, 60),
    "send_nowait": lambda tx, value: tx.send_nowait(value),
    "send_many": lambda tx, value: tx.send_many([value]),
    "select": lambda tx, value: xichan.select([(tx, value)]),
    "asend": lambda tx, value: asyncio.run(tx.asend(value)),
}
RECEIVES = {
    "recv": lambda rx: rx.recv(),
    "recv with timeout": lambda rx: rx.recv(60),
    "recv_nowait": lambda rx: rx.recv_nowait(),
    "recv_many": lambda rx: rx.recv_many(1)[0],
    "drain": lambda rx: rx.drain()[0],
    "next": next,
    "select": lambda rx: xichan.select([rx])[1],
    "arecv": lambda rx: asyncio.run(rx.arecv()),
    "a view": lambda rx: xichan.dumps(rx.recv(copy=False)),
}
KEPT = {
    "recv": lambda rx, copy: rx.recv(copy=copy),
    "recv_nowait": lambda rx, copy: rx.recv_nowait(copy=copy),
    "recv_many": lambda rx, copy: rx.recv_many(3, copy=copy),
    "drain": lambda rx, copy: rx.drain(copy=copy),
    "select": lambda rx, copy: xichan.select((rx,), copy=copy),
}


@pytest.mark.parametrize("flavor", ["mpmc", "spsc"])
@pytest.mark.parametrize(
    "receive", ["recv", "recv with timeout", "recv_nowait", "recv_many", "drain", "next", "select"]
)
def test_value_arrives_unchanged(receive, flavor):
    tx, rx = xichan.channel(3, flavor=flavor)
    for value, send in zip(
        VALUES, itertools.cycle(["send", "send with timeout", "send_nowait", "send_many", "select"])
    ):
        SENDS[send](tx, value)
        received = RECEIVES[receive](rx)
        assert same(received, value), value


@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("send", SENDS)
def test_every_call_sends_and_receives_small_values(send, receive):
    tx, rx = xichan.channel(1)
    for value in ("a text of 21 letters.", b"q" * 64, (1, 2, 3)):
        SENDS[send](tx, value)
        received = RECEIVES[receive](rx)
        assert same(xichan.loads(received) if receive == "a view" else received, value)


def test_tuple_is_received_as_view():
    tx, rx = xichan.channel(4)
    tx.send((1, "two", 3.0))
    view = rx.recv(copy=False)
    assert type(view) is xichan.TupleView and tuple(view) == (1, "two", 3.0)
    for receive in (rx.recv, rx.recv_nowait, lambda copy: rx.recv_many(3, copy=copy)[0]):
        tx.send((1, "two", 3.0))
        _core._fail_after(0)
        try:
            received = receive(copy=False)
        finally:
            _core._fail_after(-1)
        assert received == (1, "two", 3.0)


@pytest.mark.parametrize("receive", KEPT)
def test_small_value_that_cannot_be_made_is_kept(receive):
    testcapi = pytest.importorskip("_testcapi")
    tx, rx = xichan.channel(10)
    sent = ["a text that takes a line", b"q" * 40, (1, 2.5, "three"), 2**70, "the last of these texts"]
    for copy in (True, False):
        for allocations in range(40):
            for value in sent:
                tx.send(value)
            testcapi.set_nomemory(allocations)
            _core._fail_after(0)
            received = None
            try:
                received = KEPT[receive](rx, copy)
            except MemoryError:
                pass
            finally:
                testcapi.remove_mem_hooks()
                _core._fail_after(-1)
            values = [received] if receive.startswith("recv") and receive != "recv_many" else list(received or ())
            assert [value for value in [*values, *rx.drain()] if value is not None and value is not rx] == sent


def test_small_values_take_no_blocks():
    tx, rx = xichan.channel(100)
    before = xichan.memory_stats()
    for i in range(100):
        tx.send(f"a text that takes a line: {i:3}") if i % 2 else tx.send_nowait(bytes(64))
    now = xichan.memory_stats()
    assert now.blocks == before.blocks
    assert now.rings == before.rings + 100 * 64
    assert len(rx.drain()) == 100
    del tx, rx
    assert xichan.memory_stats().rings == before.rings - 100 * 24


def test_queued_small_value_takes_about_88_bytes():
    before = xichan.memory_stats()
    tx, rx = xichan.channel(10_000)
    for _ in range(10_000):
        tx.send(b"q" * 64)
    now = xichan.memory_stats()
    assert now.blocks == before.blocks and now.rings - before.rings == 10_000 * 88
    assert rx.drain() == [b"q" * 64] * 10_000


@pytest.mark.parametrize("send", ["send", "send_nowait", "send_many"])
def test_every_send_of_small_values_takes_lines(send):
    tx, rx = xichan.channel(10)
    before = xichan.memory_stats().blocks
    for value in ("a text that takes a line", b"q" * 64, (1, 2.5, "three", None), 2**200, -(2**500), 1 - 2**509):
        SENDS[send](tx, value)
        assert xichan.memory_stats().blocks == before
        assert same(rx.recv(), value)


def test_send_that_blocks_waits_without_block():
    tx, rx = xichan.channel(1)
    tx.send(b"q" * 64)
    before = xichan.memory_stats().blocks
    sender = Call(tx.send, b"r" * 64)
    wait_for_blocked(rx, senders=1)
    assert xichan.memory_stats().blocks == before
    assert [rx.recv(), rx.recv()] == [b"q" * 64, b"r" * 64]
    sender.join()


def test_batches_of_mixed_values_keep_their_order():
    tx, rx = xichan.channel(64)
    values = [(i, f"a text that takes a line: {i}", b"q" * i, (i, 1.5), [i], 2**70 + i)[i % 6] for i in range(64)]
    for _ in range(3):
        assert tx.send_many(values) == 64
        assert rx.recv_many(30) + rx.drain() == values


def test_channel_of_ints_takes_no_lines():
    before = xichan.memory_stats().rings
    tx, rx = xichan.channel(1000)
    for i in range(1000):
        tx.send(i)
    assert xichan.memory_stats().rings == before + 24_000
    del rx


def test_order_is_kept_between_all_sizes():
    tx, rx = xichan.channel(1000)
    sent = [(i, "x" * i, b"q" * (200 - i))[i % 3] for i in range(200)]
    for value in sent[:100]:
        tx.send(value)
    tx.send_many(sent[100:])
    assert [*rx.recv_many(37), rx.recv(), *rx.recv_many(1000)] == sent


def test_sends_that_block_deliver_small_values_in_order():
    tx, rx = xichan.channel(1)
    texts = [f"a text that takes a line: {i:3}" for i in range(200)]

    def send_all():
        for text in texts:
            tx.send(text)

    sender = Call(send_all)
    wait_for_blocked(rx, senders=1)
    assert [rx.recv() for _ in texts] == texts
    sender.join()


def test_receive_that_blocks_gets_small_value():
    tx, rx = xichan.channel(1)
    for receive in (rx.recv, lambda: rx.recv_many(5)[0], lambda: xichan.select([rx])[1]):
        receiver = Call(receive)
        wait_for_blocked(tx, receivers=1)
        tx.send(b"q" * 40)
        assert receiver.result() == b"q" * 40


def test_full_channel_refuses_small_value():
    tx, rx = xichan.channel(1)
    tx.send("a text that takes a line")
    with pytest.raises(xichan.ChannelFull):
        tx.send_nowait("another text that takes one")
    with pytest.raises(xichan.ChannelTimeout):
        tx.send("another text that takes one", 0)
    assert rx.drain() == ["a text that takes a line"]
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        tx.send("a text that takes a line")


def test_undelivered_small_values_are_discarded():
    before = alive()
    for end in ("shutdown", "close", "drop"):
        tx, rx = xichan.channel(10)
        for _ in range(5):
            tx.send("a text that takes a line")
        if end == "shutdown":
            tx.shutdown(immediate=True)
            with pytest.raises(xichan.ChannelClosed):
                rx.recv()
        elif end == "close":
            rx.close()
            assert tx.stats().depth == 0
        del tx, rx
        assert alive() == before


def test_small_values_outlive_their_interpreter():
    tx, rx = xichan.channel(10)
    with interpreter(tx=tx) as interp:
        execute(interp, "for i in range(5): tx.send(f'from an interpreter that ended: {i}')\ntx.close()").result()
    tx.close()
    assert list(rx) == [f"from an interpreter that ended: {i}" for i in range(5)]


def test_byte_bound_counts_small_values():
    tx, rx = xichan.channel(10, max_bytes=500)
    tx.send(b"q" * 64)
    assert tx.stats().bytes >= 64
    with pytest.raises(xichan.ChannelFull):
        for _ in range(10):
            tx.send_nowait(b"q" * 64)
    assert 1 < len(rx) < 10


@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_overflow_drops_small_values(overflow):
    tx, rx = xichan.channel(2, overflow=overflow)
    texts = [f"a text that takes a line: {i:3}" for i in range(5)]
    for text in texts:
        tx.send(text)
    assert rx.drain() == (texts[3:] if overflow == "drop_oldest" else texts[:2])


def test_lines_count_against_memory_limit():
    run_script("""
import xichan
channels = [xichan.channel(16_000) for _ in range(12)]
xichan.set_memory_limit(5 << 20)
with_lines = 0
for tx, rx in channels:
    before = xichan.memory_stats()
    tx.send(b"q" * 64)
    now = xichan.memory_stats()
    with_lines += now.rings == before.rings + 16_000 * 64
    assert now.blocks == before.blocks + (now.rings == before.rings) and now.bytes <= 5 << 20
assert 0 < with_lines < 12, with_lines
for tx, rx in channels:
    assert rx.recv() == b"q" * 64
""")


def test_limit_does_not_lose_small_values():
    run_script("""
import xichan
tx, rx = xichan.channel(50)
large, _rx = xichan.channel(1000)
tx.send("a text that takes a line")
xichan.set_memory_limit(1 << 20)
try:
    while True:
        large.send(b"q" * 5000)
except xichan.MemoryLimitExceeded:
    pass
for _ in range(49):
    tx.send("another text that takes one")
assert rx.recv() == "a text that takes a line"
assert rx.recv_many(10) == ["another text that takes one"] * 10
assert xichan.select([rx])[1] == "another text that takes one"
assert rx.drain() == ["another text that takes one"] * 38
""")


@pytest.mark.parametrize("send", ["send", "send_nowait", "send_many"])
def test_view_of_a_short_value_in_a_small_tuple_arrives(send):
    view = xichan.share((b"x" * 100, ("a", 1))).view()
    value = (view[0][3:7], view[1][1:1], 5)
    tx, rx = xichan.channel(4)
    with tx, rx:
        tx.send_many([value]) if send == "send_many" else getattr(tx, send)(value)
        assert rx.recv() == (b"xxxx", (), 5)
