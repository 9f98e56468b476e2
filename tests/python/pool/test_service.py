"""xichan.serve and xichan.Client."""

import pytest
from support import PATIENCE, Call, counts, execute, interpreter, wait_for_blocked
from support import pool_tasks as tasks

import xichan

pytest.importorskip("concurrent.interpreters")


def start(handler):
    """A thread that serves; (client, call)."""
    tx, rx = xichan.channel(8)

    def work():
        with rx:
            return xichan.serve(rx, handler)

    return xichan.Client(tx), Call(work)


def test_calls_between_interpreters():
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


def test_several_servers_and_clients():
    tx, rx = xichan.channel(8)
    servers = [Call(xichan.serve, rx.clone(), tasks.square) for _ in range(3)]
    rx.close()
    with xichan.Client(tx) as client:
        clients = [Call(lambda k=k: [client.call(n, PATIENCE) for n in range(k, k + 50)]) for k in range(4)]
        for k, each in enumerate(clients):
            assert each.result() == [n * n for n in range(k, k + 50)]
    assert sum(server.result() for server in servers) == 200


@pytest.mark.parametrize("message", [1, "ab", (1,), (1, 2), (1, 2, 3), None])
def test_what_is_no_request(message):
    tx, rx = xichan.channel(2)
    with tx, rx:
        tx.send(message)
        tx.send("next")
        with pytest.raises(TypeError, match=f"a request is .*; the channel had {type(message).__name__}$"):
            xichan.serve(rx, tasks.square)
        assert rx.recv(PATIENCE) == "next"


def test_errors():
    client, server = start(tasks.raise_unpicklable)
    with client, pytest.raises(xichan.RemoteError, match="1 and 2"):
        client.call(1, PATIENCE)
    assert server.result() == 1
    client, server = start(tasks.make_list)
    with client:
        with pytest.raises(xichan.NotShareableError, match="result: list is not shareable"):
            client.call(3, PATIENCE)
        with pytest.raises(xichan.NotShareableError):
            client.call([3])
    assert server.result() == 1


def test_a_handler_that_leaves_ends_its_server():
    client, server = start(tasks.leave)
    with client, pytest.raises(SystemExit):
        client.call(3, PATIENCE)
    with pytest.raises(SystemExit):
        server.result()
    with pytest.raises(xichan.ChannelClosed):
        client.call(1, PATIENCE)


def test_timeouts():
    held, release = xichan.channel(4)[::-1]
    client, server = start(lambda value: held.recv() if value else value)
    with client:
        with pytest.raises(xichan.ChannelTimeout):
            client.call(True, 0.02)
        release.send("late")  # for a call that nobody waits for any more
        assert client.call(0, PATIENCE) == 0
        with pytest.raises(ValueError):
            client.call(1, -1)
    release.close()
    assert server.result() == 2


@pytest.mark.parametrize("immediate", [False, True])
def test_a_stop_through_the_channel(immediate):
    tx, rx = xichan.channel(8)
    server = Call(xichan.serve, rx, tasks.square)
    wait_for_blocked(rx, receivers=1)
    tx.shutdown(immediate)
    assert server.result() == 0
    with pytest.raises(xichan.ChannelClosed):
        xichan.Client(tx).call(1)


def test_requests_without_a_server_are_told_when_it_goes():
    tx, rx = xichan.channel(8)
    client = xichan.Client(tx)
    call = Call(client.call, 1)
    while not len(rx):
        pass
    assert counts(tx) == (1, 1)
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        call.result()


def test_ends_in_requests_are_closed_after_them():
    back_tx, back_rx = xichan.channel(4)
    client, server = start(lambda tx: tx.send("here"))
    with client:
        assert client.call(back_tx, PATIENCE) is None
        back_tx.close()
        assert back_rx.recv(PATIENCE) == "here"
        with pytest.raises(xichan.ChannelClosed):
            back_rx.recv(PATIENCE)
    server.result()


def test_a_closed_end_in_a_result_is_told():
    client, server = start(tasks.closed_end_if)
    with client:
        with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
            client.call(1, PATIENCE)
        assert client.call(0, PATIENCE) == 0
    assert server.result() == 2


def test_a_client_that_is_gone_when_its_answer_comes():
    tx, rx = xichan.channel(8)
    reply, answers = xichan.channel(1)
    tx.send((1, reply))
    reply.close()
    answers.close()
    server = Call(xichan.serve, rx, tasks.list_if)
    with xichan.Client(tx) as client:
        assert client.call(0, PATIENCE) == 0
    assert server.result() == 2


def test_bad_arguments():
    for bad in (None, 1, xichan.channel()[1]):
        with pytest.raises(TypeError):
            xichan.Client(bad)
