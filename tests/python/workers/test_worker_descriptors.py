"""Descriptors as arguments and results of pools, workers and services."""

import gc
import socket
import threading

import pytest
from support import PATIENCE, Call, run_script, wait_until
from support.descriptors import has_peer, open_descriptors
from support.worker_targets import answer, answer_and_fail_once, greet, return_descriptor, serve_descriptor

import xichan

pytest.importorskip("concurrent.interpreters")


@pytest.fixture(autouse=True)
def no_descriptor_is_left():
    before = set(open_descriptors().values())
    yield
    gc.collect()
    wait_until(lambda: set(open_descriptors().values()) <= before)


def connect():
    """Return a Descriptor of a connected socket, and its other end."""
    one, other = socket.socketpair()
    with one:
        return xichan.descriptor(one), other


def test_pool_moves_arguments_and_results(pool):
    descriptor, end = connect()
    with end:
        returned = pool.submit(greet, descriptor, name="a").result(PATIENCE)
        assert descriptor.closed and end.recv(100) == b"hello a"
        with returned.socket() as made:
            made.sendall(b"and back")
        assert end.recv(100) == b"and back" and not has_peer(end)


def test_map_moves_arguments(pool):
    pairs = [connect() for _ in range(10)]
    results = pool.map(greet, (descriptor for descriptor, _ in pairs), range(10), chunksize=3)
    for number, (returned, (_, end)) in enumerate(zip(results, pairs, strict=True)):
        with end:
            returned.close()
            assert end.recv(100) == f"hello {number}".encode() and not has_peer(end)


@pytest.mark.filterwarnings("error")
def test_cancelled_task_closes(pool):
    ready, begun = xichan.channel(None)
    go, gate = xichan.channel()
    blockers = [pool.submit(serve_descriptor, None, ready, gate) for _ in range(2)]
    begun.recv(PATIENCE), begun.recv(PATIENCE)
    descriptor, end = connect()
    with end:
        future = pool.submit(greet, descriptor)
        assert future.cancel()
        wait_until(lambda: not has_peer(end))
    go.close()
    for blocker in blockers:
        blocker.result(PATIENCE)


@pytest.mark.filterwarnings("error")
def test_pool_that_is_shut_down_closes_what_was_not_run():
    descriptor, end = connect()
    go, gate = xichan.channel()
    ready, begun = xichan.channel()
    with end, xichan.InterpreterPoolExecutor(1) as pool:
        pool.submit(serve_descriptor, None, ready, gate)
        begun.recv(PATIENCE)
        pool.submit(greet, descriptor)
        pool.shutdown(wait=False, cancel_futures=True)
        wait_until(lambda: not has_peer(end))
        go.close()


def test_service_moves_both_ways():
    tx, rx = xichan.channel()
    server = Call(xichan.serve, rx, return_descriptor)
    descriptor, end = connect()
    with end, xichan.Client(tx) as client:
        returned = client.call(descriptor)
        assert descriptor.closed and has_peer(end)
        returned.close()
        assert not has_peer(end)
    tx.close()
    server.result()


def ask(address):
    with socket.create_connection(address, PATIENCE) as client:
        return client.recv(100)


@pytest.mark.filterwarnings("error")
def test_each_worker_has_a_listening_socket_of_its_own():
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with xichan.Workers(2, answer, {"listener": xichan.descriptor(listener)}) as workers:
        listener.close()
        workers.ready(PATIENCE)
        assert {ask(address) for _ in range(20)} <= {b"0", b"1"}
        workers.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(address)


@pytest.mark.filterwarnings("error")
def test_restarted_worker_has_it_again():
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    with xichan.Workers(1, answer_and_fail_once, xichan.descriptor(listener), restart=3) as workers:
        listener.close()
        workers.ready(PATIENCE)
        assert ask(address) == b"1"
        workers.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(address)


@pytest.mark.filterwarnings("error")
def test_workers_that_stop_while_they_start_close():
    descriptor, end = connect()
    with end:
        with xichan.Workers(1, answer, descriptor, restart=2) as workers:
            workers.stop()
        assert not has_peer(end)


def test_task_that_fails_closes(pool):
    descriptor, end = connect()
    with end:
        with pytest.raises(TypeError):
            pool.submit(greet, descriptor, no_such_parameter=1).result(PATIENCE)
        wait_until(lambda: not has_peer(end))


def test_exit_of_the_program_with_queued_descriptors():
    done = run_script("""
    import os, xichan
    from support.worker_targets import greet
    tx, rx = xichan.channel()
    tx.send([xichan.descriptor(1)])
    kept = xichan.descriptor(1)
    pool = xichan.InterpreterPoolExecutor(1)
    future = pool.submit(greet, xichan.descriptor(os.open(os.devnull, os.O_RDWR)))
    """)
    assert done.stderr == ""


def test_many_threads_pass_connections_to_workers():
    """Each connection arrives once; none is lost or closed early."""
    tx, rx = xichan.channel(4)
    ends = []

    def produce():
        for _ in range(50):
            descriptor, end = connect()
            ends.append(end)
            tx.send({"c": descriptor})

    with xichan.Workers(2, serve_descriptor, rx) as workers:
        threads = [threading.Thread(target=produce) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        rx.close()
        tx.close()
        workers.join(PATIENCE)
    assert len(ends) == 150
    for end in ends:
        with end:
            end.settimeout(PATIENCE)
            assert end.recv(100) == b"hello" and end.recv(100) == b""
