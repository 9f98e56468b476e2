"""The servers of these tests: faults, restarts, clusters, and that none is left behind. Needs no xichan.nats."""

import os
import signal
import socket
import ssl
import sys

import pytest
from support import run_script, wait_until
from support.nats_server import Cluster, Server, make_certificates, nats, states, without_server

pytestmark = pytest.mark.skipif(bool(without_server()), reason=without_server())


@pytest.fixture(params=[".".join(map(str, version)) for version, _ in nats.find_servers()])
def server(tmp_path, request):
    """A server of each version that is available."""
    programs = {".".join(map(str, version)): path for version, path in nats.find_servers()}
    with Server(tmp_path, program=programs[request.param]) as server:
        yield server


def greeting(server):
    """Return the first line that the server sends to a client."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        return client.makefile().readline()


def runs(pid):
    """Return whether a process exists that is not a zombie."""
    return not states(pid) <= {"Z"}


def test_server_serves_clients_with_jetstream(server):
    assert greeting(server).startswith("INFO {") and '"jetstream":true' in greeting(server)
    assert server.look("varz")["server_name"] == "n1" and server.look("no-such-page") is None


def test_killed_server_restarts_on_the_same_port_and_store(server):
    pid = server.pid
    server.kill()
    assert not runs(pid) and server.pid is None
    with pytest.raises(ConnectionRefusedError):
        greeting(server)
    server.kill()  # no effect
    server.start()
    assert server.pid != pid and greeting(server).startswith("INFO {")


def test_stopped_server_ends_in_an_orderly_way(server):
    pid = server.pid
    server.stop()
    assert not runs(pid) and "Server Exiting" in server.log.read_text()


def test_paused_server_accepts_and_says_nothing(server):
    server.pause()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        server.resume()
        client.settimeout(30)
        assert client.recv(4) == b"INFO"


def test_paused_server_can_be_killed(server):
    pid = server.pid
    server.pause()
    server.kill()
    assert not runs(pid)


def test_settings_are_merged_and_restart_changes_them(tmp_path):
    with Server(tmp_path, max_payload=1000, jetstream={"max_file_store": 12345}) as server:
        assert '"max_payload":1000' in greeting(server)
        assert server.look("jsz")["config"]["max_storage"] == 12345
        server.restart(max_payload=2000)
        assert '"max_payload":2000' in greeting(server)
        assert server.look("jsz")["config"]["max_storage"] == 12345


def test_invalid_setting_is_reported_with_the_log(tmp_path):
    with pytest.raises(AssertionError, match="no_such_setting"), Server(tmp_path, jetstream={"no_such_setting": 1}):
        pytest.fail("started")


def test_password_is_required(tmp_path):
    with Server(tmp_path, authorization={"user": "me", "password": "secret"}) as server:
        assert '"auth_required":true' in greeting(server)


def test_certificate_is_accepted_by_clients_that_know_it(tmp_path):
    files = make_certificates(tmp_path)
    if files is None:
        pytest.skip("the program openssl is missing")
    certificate, key = map(str, files)
    with Server(tmp_path, tls={"cert_file": certificate, "key_file": key}) as server:
        assert '"tls_required":true' in greeting(server)
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            assert client.recv(5) == b"INFO "
            while b"\n" not in client.recv(4096):
                pass
            with context.wrap_socket(client, server_hostname="127.0.0.1") as secure:
                secure.sendall(b"PING\r\n")


def test_cluster_elects_another_leader(tmp_path):
    with Cluster(tmp_path) as cluster:
        leaders = {server.name: server for server in cluster.servers}
        first = cluster.servers[0].look("jsz")["meta_cluster"]["leader"]
        leaders[first].kill()
        wait_until(lambda: (cluster.leader_of_cluster() or first) != first)
        leaders[first].start(wait=False)
        cluster.wait_ready()
    assert all(server.pid is None for server in cluster.servers)


@pytest.mark.parametrize("end", ["return", "exit", "kill"])
def test_server_ends_with_the_process_that_started_it(tmp_path, end):
    done = run_script(
        """
        import os, signal, sys
        from support.nats_server import Server
        server = Server(sys.argv[1]).start()
        print(server.pid, server.guard.pid, flush=True)
        if sys.argv[2] == "exit":
            os._exit(0)
        if sys.argv[2] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        tmp_path,
        end,
        expect=-signal.SIGKILL if end == "kill" else 0,
    )
    for pid in map(int, done.stdout.split()):
        wait_until(lambda pid=pid: not runs(pid))


def test_chosen_server_is_the_only_one(monkeypatch):
    program = nats.find_servers()[-1][1]
    monkeypatch.setenv("XICHAN_NATS_SERVER", str(program))
    assert [path for _, path in nats.find_servers()] == [program]
    monkeypatch.setenv("XICHAN_NATS_SERVER", sys.executable)
    assert nats.find_servers() == []
    monkeypatch.setenv("XICHAN_NATS_SERVER", os.devnull)
    assert nats.find_servers() == []
