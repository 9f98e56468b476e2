"""fileno(): watching an endpoint from any event loop."""

import os
import select
import selectors

import pytest
from support import BOUNDED, FLAVORS, PATIENCE, Call, alive, counts, execute, interpreter, left_over, wait_for_blocked

import xichan

TEXT = "text that needs a block"


class Watched:
    """An endpoint and a poll object that watches it."""

    def __init__(self, end):
        self.end = end
        self.poll = select.poll()
        self.poll.register(end, select.POLLIN)  # asks for its fileno()

    def ready(self, timeout=0):
        events = self.poll.poll(timeout * 1000)
        assert all(event & select.POLLIN and not event & (select.POLLERR | select.POLLNVAL) for _, event in events)
        return bool(events)


def attempt(call):
    """Return the result of a _nowait call, or the error for a channel that is not ready."""
    try:
        return call()
    except (xichan.ChannelEmpty, xichan.ChannelFull) as error:
        return type(error)


@pytest.mark.parametrize("options", FLAVORS.values(), ids=FLAVORS)
def test_descriptor_of_a_receiver_becomes_readable(options):
    tx, rx = xichan.channel(**options)
    watched = Watched(rx)
    for i in range(5):
        while attempt(rx.recv_nowait) is not xichan.ChannelEmpty:
            pytest.fail("nothing was sent")
        assert not watched.ready()
        sender = Call(tx.send, (i, TEXT))
        assert watched.ready(PATIENCE)
        assert rx.recv_nowait() == (i, TEXT)
        sender.result()
    assert rx.fileno() == rx.fileno() and type(rx.fileno()) is int


@pytest.mark.parametrize("options", BOUNDED.values(), ids=BOUNDED)
def test_descriptor_of_a_sender_becomes_readable(options):
    tx, rx = xichan.channel(**options)
    tx.send_many(range(options["capacity"]))
    watched = Watched(tx)
    for i in range(5):
        assert attempt(lambda: tx.send_nowait(TEXT)) is xichan.ChannelFull
        assert not watched.ready()
        rx.recv()
        assert watched.ready()
        tx.send_nowait(i)
        assert attempt(lambda: tx.send_nowait(TEXT)) is xichan.ChannelFull
        assert not watched.ready()


def test_descriptor_of_a_rendezvous_sender_becomes_readable():
    tx, rx = xichan.channel(0)
    watched = Watched(tx)
    for i in range(5):
        assert attempt(lambda: tx.send_nowait(TEXT)) is xichan.ChannelFull
        assert not watched.ready()
        receiver = Call(rx.recv)
        assert watched.ready(PATIENCE)
        wait_for_blocked(rx, receivers=1)
        tx.send_nowait(i)
        assert receiver.result() == i


def test_descriptor_stays_readable_until_an_attempt_fails():
    tx, rx = xichan.channel(8)
    watched = Watched(rx)
    assert attempt(rx.recv_nowait) is xichan.ChannelEmpty
    tx.send_many([1, 2, 3])
    for i in (1, 2, 3):
        assert watched.ready() and rx.recv_nowait() == i
    assert attempt(rx.recv_nowait) is xichan.ChannelEmpty and not watched.ready()


def test_new_descriptor_of_a_ready_endpoint_is_readable():
    tx, rx = xichan.channel(1)
    tx.send(1)
    assert Watched(rx).ready()
    other = xichan.channel(1)
    assert Watched(other[0]).ready() and not Watched(other[1]).ready()
    done, finished = xichan.channel()
    done.close()
    assert Watched(finished).ready()


ENDS = {
    "other side": lambda mine, theirs: theirs.close(),
    "shutdown": lambda mine, theirs: mine.shutdown(),
    "immediate": lambda mine, theirs: theirs.shutdown(immediate=True),
}


@pytest.mark.parametrize("way", ENDS)
@pytest.mark.parametrize("kind", ["recv", "send"])
@pytest.mark.parametrize("capacity", [0, 1])
def test_closing_a_channel_makes_the_descriptor_readable(way, kind, capacity):
    tx, rx = xichan.channel(capacity)
    if kind == "send" and capacity:
        tx.send("full")
    mine, theirs = (rx, tx) if kind == "recv" else (tx, rx)
    use = rx.recv_nowait if kind == "recv" else lambda: tx.send_nowait(TEXT)
    watched = Watched(mine)
    assert attempt(use) in (xichan.ChannelEmpty, xichan.ChannelFull) and not watched.ready()
    ENDS[way](mine, theirs)
    assert watched.ready()
    with pytest.raises(xichan.ChannelClosed):
        use()


def open_files():
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("how", ["close", "drop"])
def test_descriptor_is_closed_with_its_endpoint(how):
    tx, rx = xichan.channel(1)
    second = rx.clone()
    before = open_files()
    assert len({tx.fileno(), rx.fileno(), second.fileno()}) == 3 and len(open_files()) == len(before) + 3
    assert not any(os.get_inheritable(end.fileno()) or os.get_blocking(end.fileno()) for end in (tx, rx, second))
    number = rx.fileno()
    if how == "close":
        rx.close()
        with pytest.raises(xichan.ChannelClosed):
            rx.fileno()
    else:
        del rx
    with pytest.raises(OSError):
        os.fstat(number)
    assert attempt(second.recv_nowait) is xichan.ChannelEmpty
    # The descriptor number is reused; no peer may write into the new file.
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    assert number in (reader, writer)
    tx.send(TEXT)
    assert Watched(second).ready() and not select.select([reader], [], [], 0)[0]
    os.close(reader)
    os.close(writer)
    tx.close()
    second.close()
    assert open_files() == before


@pytest.mark.parametrize("side", ["receiver", "sender"])
def test_descriptor_stays_armed_when_another_interpreter_ends(side):
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(1)
    if side == "sender":
        tx.send(TEXT)
    end, call, failure = (rx, rx.recv_nowait, xichan.ChannelEmpty)
    if side == "sender":
        end, call, failure = (tx, lambda: tx.send_nowait(TEXT), xichan.ChannelFull)
    watched = Watched(end)
    assert attempt(call) is failure and not watched.ready()
    with interpreter() as interp:
        interp.exec("import xichan")
    while watched.ready():  # it may be readable once without cause
        assert attempt(call) is failure
    rx.recv() if side == "sender" else tx.send(TEXT)
    assert watched.ready(PATIENCE)
    assert attempt(call) is not failure


@pytest.mark.parametrize("kind", ["recv", "send"])
def test_descriptor_takes_no_wake_token(kind):
    """A blocked call is woken whether it started before the watch or after it."""
    for order in ("watch first", "waiter first"):
        tx, rx = xichan.channel(1)
        if kind == "send":
            tx.send("full")
        mine = (rx if kind == "recv" else tx).clone()
        fail = mine.recv_nowait if kind == "recv" else lambda: mine.send_nowait(TEXT)  # noqa: B023
        watched = Watched(mine)
        if order == "watch first":
            attempt(fail)
        before = tx.stats()
        waiting = [Call(rx.recv) if kind == "recv" else Call(tx.send, TEXT) for _ in range(2)]
        side = "waiting_receivers" if kind == "recv" else "waiting_senders"
        wait_for_blocked(tx, **{side[8:]: getattr(before, side) + 2})
        if order == "waiter first":
            attempt(fail)
        for _ in range(2):
            tx.send(TEXT) if kind == "recv" else rx.recv()
        for call in waiting:
            call.result()
        assert watched.ready() or order == "waiter first"
        assert attempt(fail) in (xichan.ChannelEmpty, xichan.ChannelFull)
        tx.send(TEXT) if kind == "recv" else rx.recv()
        assert watched.ready(), "no other call waits now"


def nowait(call, watched):
    """Retry the call until it succeeds."""
    while True:
        try:
            return call()
        except (xichan.ChannelEmpty, xichan.ChannelFull):
            assert watched.ready(PATIENCE), "a hint was lost"


@pytest.mark.parametrize("where", ["thread", "interpreter"])
@pytest.mark.parametrize("capacity", [1, 8, None])
def test_5000_round_trips_by_poll_succeed(capacity, where):
    (there, requests), (replies, back) = xichan.channel(capacity), xichan.channel(capacity)

    def echo():
        with requests, replies:
            incoming, outgoing = Watched(requests), Watched(replies)
            try:
                while True:
                    value = nowait(requests.recv_nowait, incoming)
                    nowait(lambda: replies.send_nowait(value), outgoing)  # noqa: B023
            except xichan.ChannelClosed:
                return

    def play():
        incoming, outgoing = Watched(back), Watched(there)
        for i in range(5000):
            nowait(lambda: there.send_nowait(i), outgoing)  # noqa: B023
            assert nowait(back.recv_nowait, incoming) == i
        there.close()

    if where == "thread":
        other = Call(echo)
        play()
        other.result()
    else:
        pytest.importorskip("concurrent.interpreters")
        with interpreter(requests=requests, replies=replies) as interp:
            requests.close()
            replies.close()
            other = execute(interp, "for value in requests: replies.send(value)\nreplies.close()")
            play()
            other.result()
    with pytest.raises(xichan.ChannelClosed):
        back.recv()


def test_many_endpoints_share_one_selector():
    pairs = [xichan.channel(2) for _ in range(50)]
    before = alive()
    with selectors.DefaultSelector() as selector:
        for i, (_, rx) in enumerate(pairs):
            selector.register(rx, selectors.EVENT_READ, i)
            assert attempt(rx.recv_nowait) is xichan.ChannelEmpty
        assert selector.select(0) == []
        sender = Call(lambda: [pairs[i * 7 % 50][0].send((i * 7 % 50, TEXT)) for i in range(2000)])
        received = 0
        while received < 2000:
            for key, _ in selector.select(PATIENCE):
                while (value := attempt(key.fileobj.recv_nowait)) is not xichan.ChannelEmpty:
                    assert value == (key.data, TEXT)
                    received += 1
        sender.result()
    assert left_over(before) == {} and counts(pairs[0][0]) == (1, 1)
