"""The C++ library of remote channels: installed, found by CMake, and in traffic with Python over one server."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, run
from test_installed import exported

import xichan

sys.path.append(str(ROOT / "tests" / "python"))
from support import wait_until  # noqa: E402
from support.nats_server import Server, free_port, unavailable  # noqa: E402
from support.refusing_server import RefusingServer  # noqa: E402

HERE = Path(__file__).parent
pytestmark = pytest.mark.timeout(900)  # compiles, perhaps on a busy machine
LONG = 60  # seconds: the timeout of calls that should succeed, on a busy machine too


@pytest.fixture(scope="module")
def library(installed):
    """The installed library."""
    found = next(installed.rglob("libxichan-nats.so"), None)
    if found is None:
        pytest.skip("no xichan::nats: it was built without libnats")
    return found


@pytest.fixture(scope="module")
def programs(build, installed, library):
    return build(HERE / "nats", "nats", CMAKE_PREFIX_PATH=installed)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if reason := unavailable():
        pytest.skip(reason)
    with Server(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def hub(server):
    import xichan.nats

    with xichan.nats.connect(server.url, timeout=LONG) as hub:
        yield hub


@pytest.fixture
def name(hub, request):
    """The name of a channel that does not exist yet, and does not exist after the test."""
    name = request.node.name.translate({ord("["): "-", ord("]"): None})
    yield name
    hub.delete(name)


class Peer:
    """The program nats/peer.cpp: `peer("send 1")` runs a command and returns what it prints."""

    def __init__(self, programs, url, env=None):
        self.process = subprocess.Popen(
            [programs / "peer", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=env
        )
        self.connected = self.finish()

    def start(self, command):
        """Begin a command that blocks."""
        self.process.stdin.write(command + "\n")

    def finish(self):
        return self.process.stdout.readline().rstrip("\n")

    def __call__(self, command):
        self.start(command)
        return self.finish()

    def figures(self, command="stats"):
        """Return the figures that a command prints, by name."""
        outcome = self(command)
        assert outcome.startswith("ok: "), outcome
        return {key: int(value) for key, _, value in (pair.partition("=") for pair in outcome[4:].split())}

    def kill(self):
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, exc_type, *error):
        if exc_type is not None:
            self.kill()
        self.process.stdin.close()
        code = self.process.wait()
        self.process.stdout.close()
        assert code in (0, -signal.SIGKILL) or exc_type is not None


@pytest.fixture
def peer(programs, server):
    with Peer(programs, server.url) as peer:
        assert peer.connected == "ok"
        yield peer


def test_library_exports_listed_symbols(library):
    """If the ABI grows on purpose, add the new symbols to public_nats_symbols.txt."""
    ((node, names),) = exported(library).items()
    assert node == "XICHAN_NATS_0.1"
    assert sorted(names) == (HERE / "public_nats_symbols.txt").read_text().splitlines()


def test_core_does_not_need_libnats(installed, library):
    core = run("readelf", "-d", next(installed.rglob("libxichan.so")))
    assert "libnats" not in core
    assert "Shared library: [libxichan.so.0]" in run("readelf", "-d", library)


def test_wheel_has_no_nats_component(toolchain, library, tmp_path):
    """The wheel contains the header without the library."""
    cmake = Path(xichan.__file__).parent / "cmake"
    output = run(
        toolchain.cmake, "-S", HERE / "nats", "-B", tmp_path, f"-Dxichan_DIR={cmake}", *toolchain.options, expect=1
    )
    assert "xichan::nats is not part of" in " ".join(output.split())


def test_cpp_sends_and_python_receives(peer, hub, name):
    assert peer(f"channel {name}") == "ok"
    rx = hub.receiver(name)
    assert [peer(f"send {value}") for value in ("1", "grüße", "-5")] == ["ok"] * 3
    assert peer("send_bytes 70000") == "ok"
    assert [rx.recv(LONG) for _ in range(4)] == [1, "grüße", -5, bytes(70000)]
    assert peer("close") == "ok"
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(LONG)


def test_python_sends_and_cpp_receives(peer, hub, name):
    tx, rx = hub.channel(name)
    rx.close()
    assert peer(f"receiver {name}") == "ok"
    for value in (7, "text", (1, (2, "x")), None):
        tx.send(value)
    assert [peer(f"recv {LONG}") for _ in range(4)] == ["ok: 7", "ok: text", "ok: (1, (2, x))", "ok: None"]
    tx.close()
    assert peer(f"recv {LONG}") == "channel is closed"
    assert peer("closed") == "ok: sender 1 receiver 1"


def test_dumps_are_the_same(peer, hub, name):
    """What Python's dumps() makes is what C++ sends, byte by byte."""
    settings = "keep=True"
    assert peer(f"channel {name} {settings}") == "ok"
    size = len(xichan.dumps(bytes(2_000_000)))
    assert f"the value takes {size} bytes" in peer("send_bytes 2000000")


@pytest.mark.parametrize("first", ["cpp", "python"])
def test_both_join_a_channel_with_the_same_settings(peer, hub, name, first):
    settings = {"capacity": 3, "ack_wait": 12.5, "max_deliver": 4, "sender_timeout": 20, "keep": True}
    text = " ".join(f"{key}={value}" for key, value in settings.items())
    for step in (["cpp", "python"], ["python", "cpp"])[first == "python"]:
        if step == "cpp":
            assert peer(f"channel {name} {text}") == "ok"
        else:
            tx, rx = hub.channel(name, **settings)
    tx.send(1)
    assert peer("recv_nowait") == "ok: 1"


def test_other_settings_are_refused_by_name(peer, hub, name):
    hub.channel(name, capacity=3)
    outcome = peer(f"channel {name} capacity=4 ack_wait=31")
    assert outcome.startswith(
        f"malformed input: channel '{name}' exists with capacity=3, not 4; ack_wait=30.0, not 31.0"
    )
    assert peer(f"channel {name}2 capacity=0").startswith("malformed input: capacity must be at least 1")
    assert peer("channel a.b").startswith("malformed input: a channel's name consists of")
    assert peer(f"sender {name}2").startswith("not found")


@pytest.mark.parametrize("blocked", ["cpp", "python"])
def test_full_channel_blocks_until_the_other_side_receives(peer, hub, name, blocked):
    tx, rx = hub.channel(name, capacity=1)
    assert peer(f"sender {name}") == "ok"
    assert peer(f"receiver {name}") == "ok"
    tx.send(1)
    assert peer("send_nowait 2") == "channel is full"
    assert peer("send 2 0.3") == "timed out"
    assert peer("send 2 0") == "timed out"
    if blocked == "cpp":
        peer.start("send 2")
        assert rx.recv(LONG) == 1
        assert peer.finish() == "ok"
        assert rx.recv(LONG) == 2
    else:
        import threading

        thread = threading.Thread(target=tx.send, args=(2,))
        thread.start()
        assert peer(f"recv {LONG}") == "ok: 1"
        thread.join()
        assert peer(f"recv {LONG}") == "ok: 2"


def test_empty_channel(peer, hub, name):
    assert peer(f"channel {name}") == "ok"
    assert peer("recv_nowait") == "channel is empty"
    assert peer("recv 0.3") == "timed out"
    assert peer("recv 0") == "timed out"
    assert peer("recv_many 3 0.3") == "timed out"
    assert peer("lease 0.3") == "timed out"
    peer.start(f"recv {LONG}")
    hub.sender(name).send(4)
    assert peer.finish() == "ok: 4"


def test_many(peer, hub, name):
    tx, rx = hub.channel(name, capacity=700)
    assert peer(f"sender {name}") == "ok"
    assert peer(f"receiver {name}") == "ok"
    assert peer("send_many 600") == "ok: 600 sent, 0 left"
    assert rx.recv_many(100, LONG)[0] == 0
    rest = rx.drain()
    assert rest == list(range(600))[-len(rest) :]
    assert peer("send_many 900 1") == "timed out: 700 sent, 200 left"
    rx.drain()
    tx.send_many(range(5))
    received = peer(f"recv_many 3 {LONG}").removeprefix("ok: ").split()
    received += peer(f"recv_many 9 {LONG}").removeprefix("ok: ").split()
    assert received == ["0", "1", "2", "3", "4"]


def test_killed_cpp_sender_is_noticed_by_its_lease(programs, server, hub, name):
    with Peer(programs, server.url) as peer:
        assert peer(f"channel {name} sender_timeout=5") == "ok"
        rx = hub.receiver(name)
        assert peer("send 1") == "ok"
        peer.kill()
        assert rx.recv(LONG) == 1
        with pytest.raises(xichan.ChannelClosed):
            rx.recv(LONG)


def test_killed_python_sender_is_noticed_by_cpp(peer, server, hub, name):
    code = (
        "import os, signal, sys, xichan.nats\n"
        f"tx, rx = xichan.nats.connect({server.url!r}).channel({name!r}, sender_timeout=5)\n"
        "tx.send(1)\n"
        "print('sent', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as sender:
        assert sender.stdout.readline() == "sent\n"
        assert peer(f"receiver {name}") == "ok"
        sender.kill()
    assert peer(f"recv {LONG}") == "ok: 1"
    assert peer(f"recv {LONG}") == "channel is closed"


def test_exiting_process_gives_up_its_leases(programs, server, hub, name):
    """The peer ends without closing its endpoints."""
    with Peer(programs, server.url) as peer:
        assert peer(f"channel {name} sender_timeout=1000") == "ok"
        rx = hub.receiver(name)
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(LONG)
    assert rx.stats().senders == 0


def test_exit_closes_the_hub(programs, server, hub, name):
    """As if its destructor had run: the channel ends long before the lease of its Sender does."""
    with Peer(programs, server.url) as peer:
        assert peer(f"channel {name} sender_timeout=600") == "ok"
        rx = hub.receiver(name)
        peer.start("exit")
        with pytest.raises(xichan.ChannelClosed):
            rx.recv(LONG)


@pytest.mark.parametrize("last", ["close_hub", "exit", "close_hub_and_exit", "end"])
def test_no_thread_uses_openssl_when_the_process_exits(programs, server, name, last):
    """OpenSSL is cleaned up by exit(): a thread that frees a connection meanwhile crashes."""
    env = {**os.environ, "LD_PRELOAD": str(programs / "liblate_callback.so")}
    with Peer(programs, server.url, env) as peer:
        assert peer(f"channel {name}") == "ok"
        if last != "end":
            peer.start(last)


def test_lease_of_a_killed_receiver_is_delivered_again(programs, server, hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=2)
    with Peer(programs, server.url) as peer:
        assert peer(f"receiver {name}") == "ok"
        tx.send("job")
        assert peer(f"lease {LONG}") == "ok: job delivery 1"
        peer.kill()
    with rx.lease(LONG) as value:
        assert value == "job"
        assert rx.stats().unacknowledged == 1
    wait_until(lambda: rx.stats().depth == 0)


def test_lease_outcomes(peer, hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=LONG)
    assert peer(f"receiver {name}") == "ok"
    assert peer("recv").startswith("malformed input: the channel")
    tx.send("job")
    assert peer(f"lease {LONG}") == "ok: job delivery 1"
    assert peer("extend") == "ok"
    assert peer("nak") == "ok"
    assert peer("ack") == "this endpoint is closed"
    assert peer(f"lease {LONG}") == "ok: job delivery 2"
    assert peer("drop") == "ok"
    assert peer(f"throw {LONG}") == "threw refused"
    lease = rx.lease(LONG)
    assert (lease.value, lease.delivery) == ("job", 4)
    lease.nak()
    assert peer(f"process {LONG}") == "ok: job"
    wait_until(lambda: rx.stats().depth == 0)
    tx.send("next")
    assert peer(f"lease {LONG}") == "ok: next delivery 1"
    assert peer("ack") == "ok"
    wait_until(lambda: rx.stats().depth == 0)


def test_dead_letters(peer, hub, name):
    tx, rx = hub.channel(name, ack="lease", ack_wait=LONG, max_deliver=2)
    assert peer(f"receiver {name}") == "ok"
    tx.send("poison")
    for delivery in (1, 2):
        assert peer(f"lease {LONG}") == f"ok: poison delivery {delivery}"
        assert peer("nak") == "ok"
    assert peer.figures()["dead_letters"] == 1
    assert hub.receiver(name, dead=True).recv(LONG) == "poison"
    assert peer("recv_nowait").startswith("malformed input")
    tx.send("poison")
    for _ in range(2):
        with pytest.raises(OSError), rx.lease(LONG):
            raise OSError
    assert peer(f"dead {name}") == "ok"
    assert peer(f"recv {LONG}") == "ok: poison"


def test_what_is_not_a_value_becomes_a_dead_letter(peer, hub, name):
    from xichan.nats._steps import run as run_steps

    tx, rx = hub.channel(name)
    assert peer(f"receiver {name}") == "ok"
    run_steps(hub._calls.request(tx._names.values, b"nonsense"))
    assert peer(f"recv {LONG}").startswith(f"malformed input: the channel '{name}' held what is not a value")
    assert rx.stats().dead_letters == 1


def test_shutdown_by_cpp(peer, hub, name):
    tx, rx = hub.channel(name)
    assert peer(f"sender {name}") == "ok"
    tx.send(1)
    assert peer("shutdown") == "ok"
    with pytest.raises(xichan.ChannelClosed):
        tx.send(2)
    assert rx.recv(LONG) == 1
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(LONG)
    assert peer("send 3") == "channel is closed"
    assert peer(f"wait_closed {LONG}") == "ok"


def test_shutdown_by_python_wakes_cpp(peer, hub, name):
    tx, _ = hub.channel(name)
    assert peer(f"receiver {name}") == "ok"
    assert peer("wait_closed 0.3") == "timed out"
    peer.start("wait_closed")
    tx.shutdown()
    assert peer.finish() == "ok"
    assert peer("recv") == "channel is closed"


def test_deleted_channel(peer, hub, name):
    tx, rx = hub.channel(name)
    assert peer(f"sender {name}") == "ok"
    tx.send(1)
    assert peer("shutdown_now") == "ok"
    with pytest.raises(xichan.ChannelClosed):
        rx.recv(LONG)
    assert peer("send 1") == "channel is closed"
    assert peer(f"remove {name}") == "not found"


def test_error_of_cpp_reaches_python(peer, hub, name):
    _, rx = hub.channel(name)
    assert peer(f"sender {name}") == "ok"
    assert peer("shutdown broken") == "ok"
    with pytest.raises(xichan.ChannelFailed, match="broken") as failed:
        rx.recv(LONG)
    assert isinstance(failed.value.__cause__, xichan.RemoteError)
    assert failed.value.__cause__.type_name == "C++ error"
    assert peer("send 1") == "the channel failed"
    assert peer("error") == "ok: broken"


def test_error_other_than_text_reaches_both(peer, hub, name):
    assert peer(f"channel {name}") == "ok"
    rx = hub.receiver(name)
    assert peer("close 42") == "ok"
    with pytest.raises(xichan.ChannelFailed, match="42"):
        rx.recv(LONG)
    assert peer(f"recv {LONG}") == "error 42: the channel failed"


def test_error_of_python_reaches_cpp(peer, hub, name):
    tx, _ = hub.channel(name)
    assert peer(f"receiver {name}") == "ok"
    tx.send(1)
    tx.close(error=ZeroDivisionError("by nothing"))
    assert peer(f"recv {LONG}") == "ok: 1"
    outcome = peer(f"recv {LONG}")
    assert outcome.startswith("error (ZeroDivisionError, by nothing, ")


def test_refused_values(peer, name):
    assert peer(f"channel {name} max_bytes=1000") == "ok"
    assert peer("send_endpoint").startswith("malformed input: endpoints, queues")
    assert "more than max_bytes=1000" in peer("send_bytes 1001")
    assert peer.figures()["sent"] == 0


def test_stats(peer, hub, name):
    tx, _ = hub.channel(name, ack="lease", ack_wait=LONG)
    assert peer(f"receiver {name}") == "ok"
    tx.send_many([1, 2])
    assert peer(f"lease {LONG}") == "ok: 1 delivery 1"
    found, expected = peer.figures(), hub.receiver(name).stats()
    assert found["receivers"] == expected.receivers - 1
    for key in ("depth", "sent", "received", "unacknowledged", "redelivered", "senders", "dead_letters"):
        assert found[key] == getattr(expected, key), key
    assert peer.figures("hub") == {
        "connected": 1, "closed": 0, "senders": 0, "receivers": 1, "reconnects": 0, "servers": 1
    }  # fmt: skip
    assert peer("close_hub") == "ok"
    assert peer("recv") == "this endpoint is closed"


@pytest.mark.parametrize(
    "verb", ["CONSUMER.INFO.XICHAN_some.receivers", "STREAM.INFO.KV_xichan_leases_10000", "STREAM.INFO.XICHANDEAD_some"]
)
def test_stats_fail_if_the_server_refuses_and_count_what_is_missing_as_zero(programs, tmp_path, verb):
    if reason := unavailable():
        pytest.skip(reason)
    with RefusingServer(tmp_path, verb) as server, Peer(programs, server.url) as peer:
        assert peer("channel some") == "ok"
        server.error = {"code": 503, "err_code": 10023, "description": "insufficient resources"}
        outcome = peer("stats")
        assert outcome.startswith("the server is unavailable or refused the request: ")
        assert outcome.endswith("insufficient resources")
        for missing in (10059, 10014):
            server.error = {"code": 404, "err_code": missing, "description": "not found"}
            assert peer.figures()["unacknowledged"] == 0
        assert server.refused == 3


@pytest.mark.parametrize("error", [None, {"code": 503, "err_code": 10023, "description": "insufficient resources"}])
def test_endpoint_that_was_closed_in_vain_does_not_keep_others_from_closing(programs, tmp_path, error):
    if reason := unavailable():
        pytest.skip(reason)
    with RefusingServer(tmp_path, "STREAM.PURGE.KV_xichan_leases_10000", error=error) as server:
        with Peer(programs, server.url) as peer:
            assert [peer(command) for command in ("channel vain", "close", "close_receiver")] == ["ok"] * 3
            assert peer("channel some sender_timeout=3600") == "ok"
            assert peer("close") == "ok"
            assert peer(f"recv {LONG}") == "channel is closed"


def test_channel_that_has_ended_is_made_anew(peer, hub, name):
    assert peer(f"channel {name}") == "ok"
    assert peer("send 1") == "ok"
    assert peer("close broken") == "ok"
    assert peer(f"channel {name}") == "channel is closed"  # it still holds a value
    assert hub.receiver(name).recv(LONG) == 1
    assert peer(f"channel {name}") == "ok"
    assert peer("send 2") == "ok"
    assert peer(f"recv {LONG}") == "ok: 2"
    assert peer("close") == "ok"
    assert peer(f"recv {LONG}") == "channel is closed"  # without the old error


def test_server_that_is_killed_loses_nothing(programs, tmp_path):
    if reason := unavailable():
        pytest.skip(reason)
    with Server(tmp_path) as server, Peer(programs, server.url) as peer:
        assert peer("channel kept storage=file") == "ok"
        assert peer("send 1") == "ok"
        server.kill()
        peer.start("send 2")
        time.sleep(0.5)  # so that the send has mostly begun; the outcome is the same if it has not
        server.start()
        assert peer.finish() == "ok"
        assert peer.figures("hub")["reconnects"] >= 1
        server.restart()
        assert [peer(f"recv {LONG}") for _ in range(2)] == ["ok: 1", "ok: 2"]
        assert peer("recv_nowait") == "channel is empty"


def test_unreachable_server(programs):
    with Peer(programs, f"nats://user:secret@127.0.0.1:{free_port()}") as peer:
        assert "cannot connect to nats://127.0.0.1:" in peer.connected
        assert peer.connected.startswith("the server is unavailable or refused the request")
        assert "secret" not in peer.connected
        assert peer("channel a") == "this endpoint is closed"


@pytest.mark.parametrize(
    "servers", ["", " ", "nats://127.0.0.1,", ",nats://127.0.0.1", "http://me:secret@127.0.0.1", "ftp://me@127.0.0.1"]
)
def test_both_refuse_the_same_urls_in_the_same_words(programs, servers):
    import xichan.nats

    with pytest.raises(ValueError) as refused:
        xichan.nats.connect(servers)
    with Peer(programs, servers) as peer:
        assert peer.connected == f"malformed input: {refused.value}"
    assert "secret" not in peer.connected


def test_urls_may_have_spaces_around_them_and_letters_of_either_case(programs, server):
    port = server.url.rpartition(":")[2]
    with Peer(programs, f" nats://127.0.0.1:{free_port()} , NATS://127.0.0.1:{port}\n") as peer:
        assert peer.connected == "ok"


def test_wrong_password(programs, tmp_path):
    if reason := unavailable():
        pytest.skip(reason)
    user = {"users": [{"user": "a", "password": "right"}]}
    with Server(tmp_path, authorization=user) as server:
        address = server.url.removeprefix("nats://")
        with Peer(programs, f"nats://a:wrong@{address}") as peer:
            assert "Authorization Violation" in peer.connected or "Authentication" in peer.connected
            assert "wrong" not in peer.connected
        with Peer(programs, f"nats://a:right@{address}") as peer:
            assert peer.connected == "ok"
            assert peer("channel a") == "ok"


def test_server_without_jetstream(programs, tmp_path):
    if reason := unavailable():
        pytest.skip(reason)
    server = Server(tmp_path)
    del server.settings["jetstream"]
    with server, Peer(programs, server.url) as peer:
        assert peer.connected == "ok"
        assert "is JetStream enabled on the server?" in peer("channel a")


def test_threads_share_endpoints(programs, server):
    assert run(programs / "threads", server.url) == "done\n"


def test_child_of_a_fork_leaves_the_connection_alone(programs, server):
    assert run(programs / "fork", server.url) == "done\n"


def test_example_works_for_python(build, installed, library, server, hub):
    folder = build(ROOT / "docs" / "examples" / "cpp" / "remote", "remote", CMAKE_PREFIX_PATH=installed)
    tx, rx = hub.channel("jobs", ack="lease", ack_wait=LONG)
    rx.close()
    _, results = hub.channel("results")
    workers = [subprocess.Popen([folder / "worker", server.url]) for _ in range(2)]
    jobs = [10, 100, 1000, 10_000, 0]
    tx.send_many(jobs)
    tx.close()
    found = dict(results.recv(LONG) for _ in jobs)
    assert found == {0: 0, 10: 4, 100: 25, 1000: 168, 10_000: 1229}
    assert [worker.wait() for worker in workers] == [0, 0]
    hub.delete("jobs")
    hub.delete("results")


@pytest.mark.parametrize("closes", ["cpp", "python"])
def test_sender_whose_lease_is_missing_keeps_the_channel_open(peer, hub, name, closes):
    """An outage of the server can remove the leases of Senders that live: they renew them some time later."""
    from xichan.nats._kv import Leases
    from xichan.nats._steps import run

    tx, rx = hub.channel(name, sender_timeout=3600)
    assert peer(f"sender {name}") == "ok"
    leases = Leases(tx._names, tx._settings)
    run(leases.release(hub._calls, f"{leases.stream}.>"))
    if closes == "cpp":
        assert peer("close") == "ok"
        tx.send("still here")
    else:
        tx.close()
        assert peer("send 1") == "ok"
    assert rx.recv(LONG) in ("still here", 1) and not rx.closed
    assert closes == "cpp" or peer("close") == "ok"
    tx.close()
    assert list(rx) == []
