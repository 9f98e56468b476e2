"""The proxy of these tests injects the faults that it is told to, and nothing else."""

import contextlib
import socket
import threading

import pytest
from support import Call, wait_until
from support.fault_proxy import Direction, FaultProxy


@pytest.fixture
def echo():
    """The port of a server that returns what it receives."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                thread = threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True)
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in [accepting, *threads]:
        thread.join()


@pytest.fixture
def proxy(echo):
    with FaultProxy(echo) as proxy:
        yield proxy


def connect(proxy):
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=30)


def receive(connection, size):
    """Return the next `size` bytes, or fewer if the connection ends before."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while len(data) < size and (piece := connection.recv(size - len(data))):
            data += piece
    return data


def exchange(connection, data=b"a message"):
    connection.sendall(data)
    assert receive(connection, len(data)) == data


def test_proxy_forwards_both_directions(proxy):
    with connect(proxy) as one, connect(proxy) as other:
        exchange(one)
        exchange(other, b"x" * 1_000_000)
        exchange(one)
    assert proxy.connections == 2
    assert proxy.up.bytes == proxy.down.bytes == 1_000_018


def test_proxy_forwards_the_end_of_a_connection(proxy):
    with connect(proxy) as one:
        one.sendall(b"last")
        one.shutdown(socket.SHUT_WR)
        assert receive(one, 100) in (b"", b"last")  # both directions end at once
    wait_until(lambda: not proxy.pairs)


def test_cut_ends_all_connections_and_new_ones_work(proxy):
    with connect(proxy) as one, connect(proxy) as other:
        exchange(one)
        exchange(other)
        proxy.cut()
        assert receive(one, 1) == receive(other, 1) == b""
    with connect(proxy) as again:
        exchange(again)


def test_proxy_refuses_connections(proxy):
    proxy.accepting = False
    with connect(proxy) as one:
        assert receive(one, 1) == b""
    proxy.release()
    with connect(proxy) as again:
        exchange(again)


def test_cut_after_a_number_of_bytes_ends_in_the_middle_of_a_message(proxy):
    with connect(proxy) as one:
        exchange(one)
        proxy.up.cut_after = 4
        one.sendall(b"a message")
        assert receive(one, 100) in (b"", b"a me")  # the reply may be lost with the connection
    assert proxy.up.bytes == 13 and proxy.up.cut_after is None
    with connect(proxy) as again:
        exchange(again)


@pytest.mark.parametrize("held", ["up", "down"])
def test_held_direction_forwards_nothing_and_loses_nothing(proxy, held):
    direction = getattr(proxy, held)
    with connect(proxy) as one:
        exchange(one)
        proxy.hold(direction)
        before = direction.bytes
        one.sendall(b"a message")
        reply = Call(receive, one, 9)
        if held == "down":
            wait_until(lambda: proxy.up.bytes == 18)
        assert direction.bytes == before and reply.is_alive()
        proxy.release()
        assert reply.result() == b"a message"


def test_halved_and_delayed_pieces_arrive_complete(proxy):
    proxy.up.halve, proxy.down.halve, proxy.up.size, proxy.down.delay = True, True, 7, 0.001
    assert proxy.up.pieces(b"12345") == [b"123", b"45"] and proxy.up.pieces(b"1") == [b"1"]
    with connect(proxy) as one:
        exchange(one, bytes(range(100)))


def test_close_ends_held_connections(echo):
    proxy = FaultProxy(echo)
    with connect(proxy) as one:
        exchange(one)
        proxy.hold()
        one.sendall(b"never seen")
        proxy.close()
        receive(one, 100)
    assert not any(thread.is_alive() for thread in proxy.threads)


def test_only_the_connection_whose_piece_is_cut_ends():
    direction = Direction()
    direction.cut_after = 3
    assert direction.take(b"ab") == (b"ab", False)
    assert direction.take(b"cd") == (b"c", True)
    assert direction.take(b"ef") == (b"ef", False)  # of another connection, before the first one has ended
