"""xichan.compat.channels where it differs from CPython's wrapper, and its internal failure modes."""

import pickle
import random

import pytest
from support import Call, execute, interpreter, run_script, wait_until

import xichan
from xichan.compat import channels


def queued(end):
    return len(end._parts[1])


@pytest.fixture
def pair():
    """Return the ends of a channel that is empty and closed after the test."""
    ends = list(channels.create())
    yield ends
    for end in ends:
        if not end.is_closed:
            end.close()
    ends.clear()


def test_names_and_error_families_match():
    theirs = pytest.importorskip("test.support.channels")
    assert set(theirs.__all__) <= set(channels.__all__)
    for name in channels.__all__:
        one, other = getattr(channels, name), getattr(theirs, name)
        if isinstance(one, type) and issubclass(one, Exception):
            assert issubclass(one, xichan.Error) and issubclass(one, RuntimeError) and issubclass(other, RuntimeError)
            assert issubclass(one, channels.ChannelError) and type(pickle.loads(pickle.dumps(one("x")))) is one
        elif name.startswith("UNBOUND"):
            assert pickle.loads(pickle.dumps(one)) is one
    assert issubclass(channels.ChannelClosedError, xichan.ChannelClosed)
    assert issubclass(channels.ChannelEmptyError, xichan.ChannelEmpty)
    assert issubclass(channels.ChannelNotFoundError, xichan.NotFound)


@pytest.mark.parametrize("buffer", [b"", memoryview(b"abcdefgh").cast("B", (2, 4)), memoryview(b"abcd").cast("c")])
def test_buffers_are_copies(pair, buffer):
    recv, send = pair
    original = bytearray(b"spam")
    send.send_buffer_nowait(original)
    send.send_buffer_nowait(buffer)
    original[:] = b"eggs"
    assert recv.recv() == b"spam" and recv.recv() == buffer


def test_send_races_its_timeout(pair):
    """An item is received if and only if its send did not raise."""
    recv, send = pair
    rng, sent, given_up = random.Random(1), [], 0
    taker = Call(lambda: list(iter(recv.recv, None)))
    for i in range(1500):
        try:
            send.send(i, timeout=rng.choice((0, 1e-6, 2e-5, 5e-5)))
            sent.append(i)
        except TimeoutError:
            given_up += 1
    send.send(None)
    assert taker.result() == sent and sent and given_up
    recv.close()


def test_send_received_at_its_timeout_succeeds(pair, monkeypatch):
    recv, send = pair
    got = []

    def wait_for_claim(token_tx, timeout):
        got.append(recv.recv())
        raise TimeoutError

    monkeypatch.setattr(channels, "wait_for_claim", wait_for_claim)
    send.send("item", 1)
    assert got == ["item"]


def test_invalid_timeout_sends_nothing(pair):
    recv, send = pair
    receiver = Call(recv.recv)
    wait_until(lambda: recv._parts[1].stats().waiting_receivers == 1)
    for timeout, error in ((-1, ValueError), ("1", TypeError)):
        with pytest.raises(error):
            send.send("refused", timeout)
    send.send("item")
    assert receiver.result() == "item"


def test_lost_envelope_blocks_no_sender(pair):
    recv, send = pair
    call = Call(send.send, "item")
    wait_until(lambda: queued(recv) == 1)
    recv._parts[1].drain()  # as a receiver that is interrupted before it has a name for what it took
    call.result()


def test_closed_end_in_an_item_does_not_close_the_channel(pair):
    tx, _ = xichan.channel()
    tx.close()
    with pytest.raises(xichan.ChannelClosed) as caught:
        pair[1].send_nowait((tx,))
    assert not isinstance(caught.value, channels.ChannelError) and queued(pair[0]) == 0


@pytest.mark.parametrize("call", ["recv.recv()", "send.send(1)"])
def test_ctrl_c_interrupts_send(call):
    run_script(
        """
        import os, signal, sys
        from support import Call, alive, left_over, wait_until
        from xichan.compat import channels

        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = alive()
        recv, send = channels.create()
        tx, rx, *_ = recv._parts
        waiting = lambda: rx.stats().waiting_receivers or len(rx)
        for _ in range(5):
            helper = Call(lambda: (wait_until(waiting), os.kill(os.getpid(), signal.SIGINT)))
            try:
                eval(sys.argv[1])
            except KeyboardInterrupt:
                helper.result()
            else:
                raise AssertionError
            assert recv.recv_nowait("nothing") == "nothing"

        def receive_and_interrupt(number, frame):
            assert recv.recv() == "item"
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, receive_and_interrupt)
        helper = Call(lambda: (wait_until(waiting), os.kill(os.getpid(), signal.SIGINT)))
        try:
            send.send("item")
        except KeyboardInterrupt:
            helper.result()
        else:
            raise AssertionError
        recv.close()
        del recv, send, tx, rx, helper, waiting
        assert left_over(before) == {}
        """,
        call,
    )


def test_channels_work_between_interpreters(pair):
    interpreters = pytest.importorskip("concurrent.interpreters")
    recv, send = pair
    queue = interpreters.create_queue()
    with interpreter() as interp:
        interp.exec(f"""if True:
            from xichan.compat import channels
            send = channels.SendChannel({send.id})
            send.send_nowait("kept, though its interpreter ends", unbounditems=channels.UNBOUND_REMOVE)
        """)
        work = execute(interp, "send.send('waited for')")
        wait_until(lambda: queued(recv) == 2)
        assert recv.recv() == "kept, though its interpreter ends" and recv.recv() == "waited for"
        work.result()
        interp.call(channels.SendChannel.send_nowait, send, "argument")
        assert interp.call(recv.recv) == "argument"
        queue.put((recv, send))
        interp.prepare_main(queue=queue)
        interp.exec("recv, send = queue.get(); del queue; send.send_nowait(('last', recv))")
        text, same = recv.recv()
        assert text == "last" and same == recv
        work = execute(interp, "try: recv.recv()\nexcept channels.ChannelClosedError: pass\nelse: raise AssertionError")
        wait_until(lambda: recv._parts[1].stats().waiting_receivers == 1)
        recv.close()
        work.result()


@pytest.mark.parametrize("send", ["s.send('x')", "s.send('x', 60)", "s.send_buffer(b'x')"])
def test_send_that_the_process_end_interrupts_raises(send):
    code = f"""
import os, threading
from xichan.compat import channels
r, s = channels.create()
def work():
    try:
        {send}
        os.write(1, b"returned")
    except channels.ChannelClosedError as error:
        os.write(1, str(error).encode())
threading.Thread(target=work).start()
"""
    assert run_script(code).stdout == "the interpreter is shutting down"


def test_send_received_while_the_process_ends_returns():
    code = """
import os, threading, time
from xichan.compat import channels
r, s = channels.create()
def work():
    s.send("x")
    os.write(1, b"returned")
def receive():
    time.sleep(0.2)
    assert r.recv() == "x"
threading.Thread(target=work).start()
threading.Thread(target=receive).start()
"""
    assert run_script(code).stdout == "returned"
