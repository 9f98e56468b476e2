"""copy=False in every receiving call."""

import gc

import pytest
from support import Call, alive, run_loop, same, wait_for_blocked

import xichan

VALUE = (1, "text" * 1000, b"x" * 1000)
SMALL = (5, 1.5, None, "short", b"short", (), "x" * 512, b"x" * 512, 2**100)


def one(result):
    (value,) = result
    return value


WAYS = {
    "recv": lambda rx, **how: rx.recv(**how),
    "recv with timeout": lambda rx, **how: rx.recv(30, **how),
    "recv_nowait": lambda rx, **how: rx.recv_nowait(**how),
    "recv_many": lambda rx, **how: one(rx.recv_many(1, **how)),
    "drain": lambda rx, **how: one(rx.drain(**how)),
    "arecv": lambda rx, **how: run_loop(rx.arecv(**how)),
    "arecv_many": lambda rx, **how: one(run_loop(rx.arecv_many(1, **how))),
    "select": lambda rx, **how: xichan.select([rx], **how)[1],
    "select with timeout": lambda rx, **how: xichan.select([rx], 30, **how)[1],
    "aselect": lambda rx, **how: run_loop(xichan.aselect([rx], **how))[1],
}


@pytest.fixture(params=WAYS)
def receive(request):
    return WAYS[request.param]


def test_copy_argument_selects_views(receive):
    tx, rx = xichan.channel()
    for how, type_ in [({}, tuple), ({"copy": True}, tuple), ({"copy": 1}, tuple), ({"copy": "no"}, tuple),
                       ({"copy": False}, xichan.TupleView), ({"copy": 0}, xichan.TupleView),
                       ({"copy": None}, xichan.TupleView),
                       ({"copy": []}, xichan.TupleView)]:  # fmt: skip
        tx.send(VALUE)
        value = receive(rx, **how)
        assert type(value) is type_ and value == VALUE
    for small in SMALL:
        tx.send(small)
        assert same(receive(rx, copy=False), small)
    for large, type_ in (("x" * 513, xichan.StrView), (b"x" * 513, xichan.BytesView)):
        tx.send(large)
        value = receive(rx, copy=False)
        assert type(value) is type_ and value == large


def test_error_in_the_copy_argument_is_propagated(receive):
    class Undecided:
        def __bool__(self):
            raise KeyError("undecided")

    tx, rx = xichan.channel()
    tx.send(VALUE)
    with pytest.raises(KeyError):
        receive(rx, copy=Undecided())
    assert len(rx) == 1 and rx.recv() == VALUE


def test_copy_is_keyword_only():
    tx, rx = xichan.channel()
    tx.send(VALUE)
    for call in (lambda: rx.recv(None, False), lambda: rx.recv_nowait(False), lambda: rx.recv_many(1, None, False),
                 lambda: rx.drain(False), lambda: xichan.select([rx], None, False), lambda: run_loop(rx.arecv(False)),
                 lambda: run_loop(xichan.aselect([rx], False)), lambda: rx.recv_nowait(kopy=False)):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    assert len(rx) == 1


def test_recv_many_returns_views():
    tx, rx = xichan.channel()
    for taken in (
        lambda: rx.recv_many(10, copy=False),
        lambda: rx.drain(copy=False),
        lambda: run_loop(rx.arecv_many(9, copy=False)),
    ):
        tx.send_many([VALUE, 1, VALUE])
        assert [type(value) for value in taken()] == [xichan.TupleView, int, xichan.TupleView]


def test_blocked_recv_returns_a_view():
    tx, rx = xichan.channel(0)
    for wait in (lambda: rx.recv(copy=False), lambda: xichan.select([rx], copy=False)[1], lambda: next(rx.views())):
        call = Call(wait)
        wait_for_blocked(rx, receivers=1)
        tx.send(VALUE)
        assert type(call.result()) is xichan.TupleView
        del call


def test_views_iterates_until_the_channel_closes():
    tx, rx = xichan.channel()
    tx.send_many([VALUE, 1, VALUE])
    views = rx.views()
    assert iter(views) is views
    first = next(views)
    tx.close()
    assert [type(value) for value in (first, *views)] == [xichan.TupleView, int, xichan.TupleView]
    assert list(views) == [] and list(rx.views()) == []
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        next(views)
    with pytest.raises(xichan.ChannelClosed):
        rx.views()
    with pytest.raises(TypeError):
        type(views)()


def test_views_keeps_its_receiver_alive():
    tx, rx = xichan.channel()
    tx.send(VALUE)
    views = rx.views()
    del rx
    gc.collect()
    assert next(views) == VALUE
    del views
    gc.collect()
    with pytest.raises(xichan.ChannelClosed):
        tx.send(1)


def test_views_supports_async_for():
    async def main():
        tx, rx = xichan.channel()
        await tx.asend_many([VALUE, 1, VALUE])
        tx.close()
        kinds = [type(value) async for value in rx.views()]
        assert kinds == [xichan.TupleView, int, xichan.TupleView]

    run_loop(main())


def test_view_outlives_the_channel():
    before = alive()
    tx, rx = xichan.channel()
    tx.send(VALUE)
    view = rx.recv(copy=False)
    tx.close()
    rx.close()
    del tx, rx
    gc.collect()
    text, data = view[1], view[2]
    assert alive()["channels"] == before["channels"] and alive()["blocks"] == before["blocks"] + 1
    assert view == VALUE
    del view
    assert text == VALUE[1] and data == VALUE[2] and alive()["blocks"] == before["blocks"] + 1
    inner = memoryview(data)[5:10]
    del text, data
    assert inner == b"xxxxx" and alive()["blocks"] == before["blocks"] + 1
    del inner
    assert alive() == before


def test_endpoint_in_a_view_opens_on_each_access():
    tx, rx = xichan.channel(2)
    carrier, away = xichan.channel(1)
    carrier.send((tx, "and more"))
    view = away.recv(copy=False)
    assert tx.stats().senders == 2
    one, other = view[0], view[0]
    assert one.id == other.id == tx.id and tx.stats().senders == 4
    with pytest.raises(TypeError, match="unhashable"):
        hash(view)
    assert view == view and view[1:] == ("and more",) and hash(view[1:]) == hash(("and more",))
    del one, other
    tx.close()
    assert not rx.closed, "the view keeps the message, and the message its end"
    del view
    assert rx.closed
