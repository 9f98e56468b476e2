"""xichan.compat.channels. Behavior shared with CPython's own wrapper is tested on both."""

import array
import copy
import importlib
import pickle

import pytest
from support import Call, wait_until

from xichan.compat import channels as ours

MISSING = 987_654_321


@pytest.fixture(params=["xichan.compat.channels", "test.support.channels"])
def channels(request):
    return pytest.importorskip(request.param)


def outcome(call):
    """Return the result of a call, or the name of the error that it raised."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def close(recv, send):
    """Close a channel, discarding its items."""
    outcome(send.close)
    while outcome(recv.recv_nowait) != "ChannelClosedError":
        pass


@pytest.fixture
def create(channels):
    """Return `create` of the module; the channels it makes are closed after the test."""
    pairs = []

    def create(**options):
        pairs.append(channels.create(**options))
        return pairs[-1]

    yield create
    while pairs:
        close(*pairs.pop())


def queued(end):
    """Return the number of items in the channel of an end."""
    if type(end).__module__ == ours.__name__:
        return len(end._parts[1])
    return importlib.import_module("_interpchannels").get_count(int(end.id))


def sending(recv, send, *args, **kwargs):
    """Start a send that blocks until its item is received, behind everything queued."""
    before = queued(recv)
    call = Call(send.send, *args, **kwargs)
    wait_until(lambda: queued(recv) == before + 1)
    return call


def test_create_returns_a_pair_of_ends(channels, create):
    recv, send = create()
    assert type(recv) is channels.RecvChannel and type(send) is channels.SendChannel
    assert int(recv.id) == int(send.id) and repr(recv) == f"RecvChannel(id={int(recv.id)})"
    assert not recv.is_closed and not send.is_closed
    with pytest.raises(AttributeError):
        recv.id = 2


def test_ends_are_equal_by_side_and_id(channels, create):
    (recv, send), (other, _) = create(), create()
    for again in (channels.RecvChannel(int(recv.id)), copy.copy(recv), pickle.loads(pickle.dumps(recv))):
        assert again == recv and hash(again) == hash(recv) and {recv: 1}[again] == 1
    assert recv != send and recv != other and recv != recv.id and len({recv, send, other}) == 3


def test_list_all_lists_open_channels(channels, create):
    before = channels.list_all()
    pairs = [create() for _ in range(3)]
    assert set(channels.list_all()) - set(before) == set(pairs)
    pairs[0][1].send_nowait(1)
    for _, send in pairs[:2]:
        send.close()
    assert set(channels.list_all()) - set(before) == {pairs[0], pairs[2]}, "one is not drained, one is open"


def test_channel_outlives_its_forgotten_ends(channels, create):
    number = int(create()[0].id)
    channels.SendChannel(number).send_nowait("kept")
    assert channels.RecvChannel(number).recv() == "kept"


@pytest.mark.parametrize("bad, error", [("1", TypeError), (1.0, TypeError), (None, TypeError), (-1, ValueError)])
def test_invalid_ids_are_rejected(channels, bad, error):
    for cls in (channels.RecvChannel, channels.SendChannel):
        with pytest.raises(error, match="^channel ID must be a"):
            cls(bad)


def test_unknown_ids_raise_channel_not_found(channels):
    recv, send = channels.RecvChannel(MISSING), channels.SendChannel(MISSING)
    for call in (recv.recv, recv.recv_nowait, recv.close, lambda: recv.recv_nowait(1), lambda: recv.is_closed,
                 send.close, lambda: send.send(1), lambda: send.send_nowait(1), lambda: send.is_closed,
                 lambda: send.send_buffer(b""), lambda: send.send_buffer_nowait(b"")):  # fmt: skip
        with pytest.raises(channels.ChannelNotFoundError):
            call()


def test_items_arrive_in_order_and_unchanged(create):
    recv, send = create()
    items = [1, None, b"spam", "eggs", (1, (2, None), ()), 2**100, [1, {"a": {2}}], ([],), (), (b"", None, None)]
    for item in items:
        assert send.send_nowait(item) is None
    assert [recv.recv() if i % 2 else recv.recv_nowait() for i in range(len(items))] == items


def test_ends_travel_through_channels(create):
    (recv, send), (other_recv, other_send) = create(), create()
    send.send_nowait((recv, [other_send]))
    same, (sender,) = recv.recv()
    assert same == recv and sender == other_send
    sender.send_nowait(1)
    assert other_recv.recv() == 1


def test_recv_nowait_on_an_empty_channel(channels, create):
    recv, send = create()
    default = object()
    with pytest.raises(channels.ChannelEmptyError):
        recv.recv_nowait()
    assert recv.recv_nowait(default) is default and recv.recv_nowait(None) is None
    send.send_nowait(None)
    assert recv.recv_nowait(default) is None
    with pytest.raises(TimeoutError):
        recv.recv(timeout=0)
    with pytest.raises(ValueError):
        recv.recv(timeout=-1)


def test_send_blocks_until_its_item_is_received(create):
    recv, send = create()
    send.send_nowait(0)
    calls = [sending(recv, send, i) for i in (1, 2, 3)]
    for i in range(4):
        assert all(call.is_alive() for call in calls[i:])
        assert recv.recv() == i
        if i:
            assert calls[i - 1].result() is None


def test_send_times_out(channels, create):
    recv, send = create()
    send.send_nowait(1)
    for timeout in (0, 0.01):
        with pytest.raises(TimeoutError):
            send.send("given up", timeout)
    send.send_nowait(2)
    with pytest.raises(TimeoutError):
        send.send_buffer(b"given up", timeout=0.01)
    with pytest.raises(ValueError):
        send.send("refused", timeout=-1)
    waiting = sending(recv, send, 3, timeout=60)
    assert [recv.recv(), recv.recv(timeout=1), recv.recv_nowait(), recv.recv_nowait("nothing")] == [1, 2, 3, "nothing"]
    waiting.result()
    send.send_nowait(4)
    with pytest.raises(channels.ChannelNotEmptyError):
        recv.close()
    with pytest.raises(TimeoutError):
        send.send("given up", 0)
    assert recv.recv() == 4
    recv.close()  # there is nothing to receive


# Each row: what is done in turn, and what comes of it. r? is r.is_closed, ! is ChannelClosedError.
CLOSING = {
    "receiver closes": """r.close=None r?=True s?=True r.recv=! r.recv_nowait=! s.send=! s.send_nowait=! r.close=!
        s.close=!""",
    "sender closes": "s.close=None r?=True s?=True r.recv=! s.send_nowait=! s.close=! r.close=!",
    "receiver may not": """s.send_nowait=None r.close=ChannelNotEmptyError r?=False s?=False r.recv=item r.close=None
        r?=True""",
    "sender may": """s.send_nowait=None s.send_nowait=None s.close=None r?=False s?=True s.send_nowait=! s.send=!
        s.close=! r.close=ChannelNotEmptyError r.recv=item r?=False r.recv_nowait=item r?=True r.recv=! r.recv_nowait=!
        s.close=!""",
}


@pytest.mark.parametrize("row", CLOSING.values(), ids=CLOSING)
def test_closed_channel_rejects_operations(create, row):
    recv, send = create()
    actions = {
        "s.send": lambda: send.send("item"),
        "s.send_nowait": lambda: send.send_nowait("item"),
        "s.close": send.close,
        "s?": lambda: send.is_closed,
        "r.recv": recv.recv,
        "r.recv_nowait": lambda: recv.recv_nowait("default"),
        "r.close": recv.close,
        "r?": lambda: recv.is_closed,
    }
    for step in row.split():
        action, _, expected = step.partition("=")
        assert str(outcome(actions[action])) == expected.replace("!", "ChannelClosedError"), step


def test_closed_channel_is_removed_with_its_last_end(channels):
    recv, send = channels.create()
    number = int(recv.id)
    send.close()
    assert outcome(channels.RecvChannel(number).recv) == "ChannelClosedError"
    assert (recv, send) not in channels.list_all()
    del recv, send
    assert outcome(channels.RecvChannel(number).recv) == "ChannelNotFoundError"


def test_closing_wakes_receivers_and_keeps_senders_blocked(channels, create):
    recv, send = create()
    receiver = Call(recv.recv)
    send.close()
    with pytest.raises(channels.ChannelClosedError):
        receiver.result()
    recv, send = create()
    sender = sending(recv, send, "late")
    send.close()
    assert sender.is_alive() and recv.recv() == "late" and recv.is_closed
    sender.result()


def test_unbounditems_are_validated_and_stored(channels, create):
    for value in (channels.UNBOUND, channels.UNBOUND_ERROR, channels.UNBOUND_REMOVE):
        recv, send = create(unbounditems=value)
        assert send.unbounditems is value
        send.send_nowait(1, unbounditems=value)
        send.send_buffer_nowait(b"", unbounditems=value)
        assert recv.recv() == 1
    assert create()[1].unbounditems is channels.UNBOUND and "UNBOUND" in repr(channels.UNBOUND)
    for call in (create, lambda **kwargs: send.send_nowait(1, **kwargs), lambda **kwargs: send.send(1, **kwargs)):
        with pytest.raises(NotImplementedError):
            call(unbounditems=5)


@pytest.mark.parametrize("buffer", [b"spam", bytearray(b"spam"), array.array("d", [1, 2]), memoryview(b"spam")[::2]])
def test_send_buffer_sends_the_content(create, buffer):
    recv, send = create()
    send.send_buffer_nowait(buffer)
    got = recv.recv()
    assert type(got) is memoryview and got is not buffer and got == memoryview(buffer)
    assert (got.format, got.shape) == (memoryview(buffer).format, memoryview(buffer).shape)
    call = Call(send.send_buffer, buffer)
    assert recv.recv() == got
    call.result()
    with pytest.raises(TypeError):
        send.send_buffer_nowait("text")
