"""Buffers move between interpreters; whose memory it is when an interpreter ends, or memory is exhausted."""

import textwrap

import pytest
from support import alive, counts, interpreter, left_over, run_script
from support.memory import run_without_memory
from test_buffer_moved import CONTENT, address, check_unusable, filled

import xichan


def test_another_interpreter_writes_to_the_memory():
    (tx, there), (back, rx) = xichan.channel(), xichan.channel()
    buffer = filled()
    place = address(buffer)
    with interpreter(there=there, back=back) as other:
        tx.send({"data": [buffer, buffer]})
        other.exec(
            textwrap.dedent("""
            import xichan
            one, again = there.recv()["data"]
            assert type(one) is xichan.Buffer and one is again
            memoryview(one)[:4] = b"done"
            back.send((one, len(one)))
            assert not one
            """)
        )
        check_unusable(buffer)
        received, size = rx.recv()
    assert size == len(CONTENT) and address(received) == place
    assert bytes(received) == b"done" + CONTENT[4:]


def test_buffer_outlives_the_interpreter_that_sent_it():
    tx, rx = xichan.channel()
    before = alive()
    with interpreter(tx=tx) as other:
        other.exec("import xichan; b = xichan.Buffer(5000); memoryview(b)[0] = 7; tx.send([b]); tx.send(b'x' * 100)")
    [received] = rx.recv()
    assert rx.recv() == b"x" * 100 and received and memoryview(received)[0] == 7 and len(received) == 5000
    del received
    assert left_over(before).keys() <= {"channels"}


def test_end_of_the_receiving_interpreter_frees_queued_and_received_buffers():
    before = alive()
    tx, rx = xichan.channel()
    with interpreter(rx=rx) as other:
        rx.close()
        buffers = [filled() for _ in range(5)]
        for buffer in buffers:
            tx.send([buffer])
        other.exec("kept = [rx.recv() for _ in range(2)]; view = rx.recv(copy=False)")
        assert not any(buffers)
    with pytest.raises(xichan.ChannelClosed):
        tx.send(1)
    assert counts(tx) == (1, 0)
    del tx, rx
    assert left_over(before) == {}


@pytest.mark.parametrize(
    "form", ["send([1, b])", "send(b)", "send_many([[b], 'text that needs a block' * 9, c])", "select"]
)
def test_interpreter_may_end_while_a_send_of_a_buffer_waits(form):
    run_script(
        """
        import sys, _interpreters as low, xichan
        from support import alive, wait_for_blocked, wait_until

        before = alive()
        tx, rx = xichan.channel(1)
        tx.send(0)
        interp = low.create(low.new_config("isolated", allow_daemon_threads=True))
        low.set___main___attrs(interp, {"tx": tx})
        tx.close()
        form = sys.argv[1]
        work = f"tx.{form}" if form != "select" else "xichan.select([(tx, [b, 1]), (tx, c)])"
        low.exec(interp, f'''if True:
            import threading, xichan
            def work():
                b, c = xichan.Buffer(5000), xichan.Buffer(6000)
                {work}
            for _ in range(3):
                threading.Thread(target=work, daemon=True).start()
        ''')
        wait_for_blocked(rx, senders=6 if form == "select" else 3)
        low.destroy(interp)
        assert rx.recv() == 0
        left = []
        try:
            while True:
                left.append(rx.recv())
        except xichan.ChannelClosed:
            pass
        del left, rx, tx
        # Python objects of a thread that never returns are not released. These are: Buffers that were not to be sent.
        wait_until(lambda: alive()["channels"] == before["channels"])
        others = 6000 if form in ("send([1, b])", "send(b)") else 0
        most = 3 * others + (1000 if others else 0)
        wait_until(lambda: 3 * others <= alive()["bytes"] - before["bytes"] <= most)
        """,
        form,
    )


RECEIVES = {
    "recv": "rx.recv",
    "recv_nowait": "rx.recv_nowait",
    "iterate": "rx.__next__",
    "select": "lambda: xichan.select([rx])[1]",
    "recv_many": "lambda: rx.recv_many(1)[0]",
    "drain": "lambda: rx.drain()[0]",
}


@pytest.mark.parametrize("how", RECEIVES)
def test_buffer_is_not_lost_if_memory_is_exhausted(how):
    run_without_memory(
        """
    tx, rx = xichan.channel(8)
    receive = eval(sys.argv[1])
    values = {
        "alone": lambda b: b,
        "first": lambda b: [b, "second, which needs memory", ["third, which does as well"] * 3],
        "last": lambda b: ["first, which needs memory", {"key": (2.5, b)}, b],
        "two": lambda b: (b, xichan.Buffer(77), "text that needs memory"),
    }
    for name, wrap in values.items():
        buffer = xichan.Buffer(1000)
        memoryview(buffer)[:] = b"x" * 1000
        tx.send(wrap(buffer))
        n = 0
        while True:
            done, value = without_memory(n, receive)
            if done:
                break
            n += 1
        assert n > 0, name
        received = value if name == "alone" else value[2] if name == "last" else value[0]
        assert bytes(received) == b"x" * 1000, name
        if name == "last":
            assert value[1]["key"][1] is received
        if name == "two":
            assert len(value[1]) == 77
        value = received = buffer = None
        assert len(rx) == 0
    tx.close()
    del tx, rx, receive, values, wrap
    assert left_over(before) == {}
    """,
        RECEIVES[how],
    )


def test_send_is_undone_if_python_has_no_memory():
    run_without_memory("""
    tx, rx = xichan.channel(8)
    for send in (tx.send, tx.send_nowait, lambda v: tx.send_many([v]), lambda v: xichan.select([(tx, v)])):
        for wrap in (lambda b: b, lambda b: [b, [b]]):
            buffer = xichan.Buffer(1000)
            value = wrap(buffer)
            n = 0
            while not without_memory(n, lambda: send(value))[0]:
                assert len(rx) == 1 or len(buffer) == 1000
                if len(rx) == 1:
                    break
                n += 1
            assert not buffer
            received = rx.recv()
            del received
    tx.close()
    del tx, rx, send, buffer, value, wrap
    assert left_over(before) == {}
    """)


class Holder:
    def __init__(self, memory):
        self.memory = memory


@pytest.fixture
def register_holder():
    """Return a function that registers Holder with a function that decodes it."""
    yield lambda decode: xichan.register(Holder, lambda holder: holder.memory, decode)
    xichan._core._forget_plan(Holder)


def test_undecodable_message_keeps_the_buffer_in_its_record(register_holder):
    def decode(memory):
        raise ValueError("not today")

    register_holder(decode)
    tx, rx = xichan.channel()
    tx.send([Holder(filled())])
    with pytest.raises(xichan.DecodeError, match="not today") as caught:
        rx.recv()
    assert bytes(caught.value.record.encoded) == CONTENT


def test_buffer_kept_by_a_failing_decode_is_unusable(register_holder):
    kept = []

    def decode(memory):
        kept.append(memory)
        raise ValueError("not today")

    register_holder(decode)
    tx, rx = xichan.channel()
    tx.send([Holder(filled())])
    with pytest.raises(xichan.DecodeError) as caught:
        rx.recv()
    check_unusable(kept[0], "unusable", "the buffer is unusable: the message that it arrived in could not be decoded")
    assert bytes(caught.value.record.encoded) == CONTENT
