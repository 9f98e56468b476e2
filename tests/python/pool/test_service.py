"""xichan.serve and xichan.Client."""

import re

import pytest
from support import PATIENCE, Call, counts, execute, interpreter, wait_for_blocked
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")


def start(handler):
    """Start a server in a thread. Returns (client, call)."""
    tx, rx = xichan.channel(8)

    def work():
        with rx:
            return xichan.serve(rx, handler)

    return xichan.Client(tx), Call(work)


def test_client_calls_server_in_another_interpreter():
    tx, rx = xichan.channel(8)
    with interpreter(rx=rx) as interp, xichan.Client(tx) as client:
        rx.close()
        server = execute(
            interp, "import xichan\nfrom support import pool_tasks\nwith rx: xichan.serve(rx, pool_tasks.square)"
        )
        assert [client.call(n, timeout=PATIENCE) for n in range(100)] == [n * n for n in range(100)]
        with pytest.raises(TypeError, match="can't multiply") as caught:
            client.call("text")
        assert "in square" in str(caught.value.__cause__)
        client.close()
        server.result()


def test_servers_and_clients_share_a_channel():
    tx, rx = xichan.channel(8)
    servers = [Call(xichan.serve, rx.clone(), tasks.square) for _ in range(3)]
    rx.close()
    with xichan.Client(tx) as client:
        clients = [Call(lambda k=k: [client.call(n, PATIENCE) for n in range(k, k + 50)]) for k in range(4)]
        for k, each in enumerate(clients):
            assert each.result() == [n * n for n in range(k, k + 50)]
    assert sum(server.result() for server in servers) == 200


@pytest.mark.parametrize("message", [1, "ab", (1,), (1, 2), (1, 2, 3), None])
def test_serve_rejects_messages_that_are_not_requests(message):
    tx, rx = xichan.channel(2)
    with tx, rx:
        tx.send(message)
        tx.send("next")
        with pytest.raises(TypeError, match=rf"expected a request \(value, Sender\) .*, got {type(message).__name__}$"):
            xichan.serve(rx, tasks.square)
        assert rx.recv(PATIENCE) == "next"


def test_client_raises_what_the_handler_raised():
    client, server = start(tasks.raise_unpicklable)
    with client, pytest.raises(xichan.RemoteError, match="1 and 2"):
        client.call(1, PATIENCE)
    assert server.result() == 1
    client, server = start(tasks.raise_with_parts)
    with client, pytest.raises(tasks.NeedsPlace) as caught:
        client.call(3, PATIENCE)
    tasks.assert_has_parts(caught.value, 3)
    client, server = start(tasks.make_pattern)
    with client:
        with pytest.raises(xichan.NotShareableError, match=r"result: re\.Pattern is not shareable"):
            client.call(3, PATIENCE)
        with pytest.raises(xichan.NotShareableError):
            client.call(re.compile("x"))
    assert server.result() == 1


def test_client_and_server_pickle_on_request():
    tx, rx = xichan.channel(8)
    server = Call(lambda: xichan.serve(rx, tasks.identity, pickle=True))
    with xichan.Client(tx, pickle=True) as client:
        pattern = re.compile("x")
        assert client.call(pattern, PATIENCE) == pattern
        reply_tx, reply_rx = xichan.channel()
        assert client.call([pattern, reply_tx], PATIENCE)[1].id == reply_rx.id
        with pytest.raises(xichan.NotShareableError, match="function is not shareable; pickling it failed"):
            client.call(lambda: 0, PATIENCE)
        with pytest.raises(KeyError, match="broken"):
            client.call(tasks.FailsToLoad(), PATIENCE)
        assert client.call(5, PATIENCE) == 5
    assert server.result() == 4
    rx.close()


def test_system_exit_of_the_handler_ends_the_server():
    client, server = start(tasks.leave)
    with client, pytest.raises(SystemExit):
        client.call(3, PATIENCE)
    with pytest.raises(SystemExit):
        server.result()
    with pytest.raises(xichan.ChannelClosed):
        client.call(1, PATIENCE)


def test_call_times_out():
    gate, release = xichan.channel(4)[::-1]
    client, server = start(lambda value: gate.recv() if value else value)
    with client:
        with pytest.raises(xichan.ChannelTimeout):
            client.call(True, 0.02)
        release.send("late")  # for the call that timed out
        assert client.call(0, PATIENCE) == 0
        with pytest.raises(ValueError):
            client.call(1, -1)
    release.close()
    assert server.result() == 2


@pytest.mark.parametrize("immediate", [False, True])
def test_channel_shutdown_stops_the_server(immediate):
    tx, rx = xichan.channel(8)
    server = Call(xichan.serve, rx, tasks.square)
    wait_for_blocked(rx, receivers=1)
    tx.shutdown(immediate)
    assert server.result() == 0
    with pytest.raises(xichan.ChannelClosed):
        xichan.Client(tx).call(1)


def test_queued_call_raises_when_the_last_server_closes():
    tx, rx = xichan.channel(8)
    client = xichan.Client(tx)
    call = Call(client.call, 1)
    while not len(rx):
        pass
    assert counts(tx) == (1, 1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()


def test_endpoints_in_a_request_are_closed_after_it():
    back_tx, back_rx = xichan.channel(4)
    client, server = start(lambda tx: tx.send("here"))
    with client:
        assert client.call(back_tx, PATIENCE) is None
        back_tx.close()
        assert back_rx.recv(PATIENCE) == "here"
        with pytest.raises(xichan.ChannelClosed):
            back_rx.recv(PATIENCE)
    server.result()


@pytest.mark.parametrize("error", [ValueError, SystemExit])
@pytest.mark.parametrize("pickle", [False, True])
def test_endpoints_in_a_request_fail_with_the_handler(error, pickle):
    back_tx, back_rx = xichan.channel(4)

    def handler(value):
        value["back"].send("before")
        raise error("no")

    client, server = start(handler)
    with client:
        request = {"back": back_tx, "unshareable": re.compile} if pickle else {"back": back_tx}
        client = xichan.Client(client._tx, pickle=True) if pickle else client
        with pytest.raises(error):
            client.call(request, PATIENCE)
        back_tx.close()
        assert back_rx.recv(PATIENCE) == "before"
        with pytest.raises(xichan.ChannelFailed) as caught:
            back_rx.recv(PATIENCE)
        assert type(caught.value.__cause__) is error and str(caught.value.__cause__) == "no"
    if error is SystemExit:
        with pytest.raises(SystemExit):
            server.result()
    else:
        server.result()


def test_error_of_a_handler_may_carry_an_endpoint_of_the_request():
    back_tx, back_rx = xichan.channel(4)

    def handler(tx):
        raise ValueError("no", tx)

    client, server = start(handler)
    with client:
        with pytest.raises(ValueError) as caught:
            client.call(back_tx, PATIENCE)
        text, carried = caught.value.args
        assert text == "no" and type(carried) is xichan.Sender
        carried.send("from the client")
        assert back_rx.recv(PATIENCE) == "from the client"
    server.result()


def test_closed_endpoint_in_a_result_raises_in_the_client():
    client, server = start(tasks.closed_endpoint_if)
    with client:
        with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
            client.call(1, PATIENCE)
        assert client.call(0, PATIENCE) == 0
    assert server.result() == 2


def test_server_survives_a_client_that_has_gone():
    tx, rx = xichan.channel(8)
    reply, replies = xichan.channel(1)
    tx.send((1, reply))
    reply.close()
    replies.close()
    server = Call(xichan.serve, rx, tasks.pattern_if)
    with xichan.Client(tx) as client:
        assert client.call(0, PATIENCE) == 0
    assert server.result() == 2


def test_client_rejects_anything_but_a_sender():
    for bad in (None, 1, xichan.channel()[1]):
        with pytest.raises(TypeError):
            xichan.Client(bad)
