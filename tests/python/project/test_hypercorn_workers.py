"""docs/examples/hypercorn_workers.py, as a program that serves real connections."""

import collections
import contextlib
import http.client
import importlib.util
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support import PATIENCE, Call, environment, wait_until

pytest.importorskip("concurrent.interpreters")
pytest.importorskip("hypercorn")

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
PLAIN = "support.web_apps:plain"
CONNECTIONS = 16
STARTS = 4 * PATIENCE  # seconds: workers import Hypercorn and its protocols, again at each restart and reload


def parameter(name, *requirements):
    missing = [module for module in requirements if importlib.util.find_spec(module) is None]
    marks = pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")
    return pytest.param(f"support.web_apps:{name}", marks=marks, id=name.rstrip("()"))


APPLICATIONS = [parameter("plain"), parameter("starlette()", "starlette"), parameter("flask()", "flask")]


class Program:
    """The server as a process, which has printed where it serves. The values of `config` go to its TOML file."""

    def __init__(self, folder, application, *options, workers=2, bind="127.0.0.1:0", ready=True, **config):
        self.folder = folder
        self.log = ""
        (folder / "hypercorn.toml").write_text("".join(f"{name} = {json.dumps(x)}\n" for name, x in config.items()))
        options = ["--workers", workers, "--bind", bind, "--config", folder / "hypercorn.toml", *options, application]
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", EXAMPLES / "hypercorn_workers.py", *map(str, options)],
            cwd=folder,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if ready:
            self.wait_for("workers serve")
            self.port = int((re.search(r"serve 127.0.0.1:(\d+)", self.log) or [0, 0])[1])

    def _read(self):
        for line in self.process.stderr:
            self.log += line

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is not None:  # dumps the stacks
                self.process.send_signal(signal.SIGABRT)
                self.reader.join(PATIENCE)
            self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        if kind is not None:
            print(self.log)

    def wait_for(self, text, count=1):
        """Wait until the log has a text so many times."""
        wait_until(lambda: self.log.count(text) >= count or self.process.poll() is not None, STARTS)
        assert self.log.count(text) >= count, self.log

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self, path):
        """Return (status, text) of a response over a connection of its own."""
        with contextlib.closing(self.connect()) as connection:
            return request(connection, path)

    def reload(self):
        count = self.log.count("workers serve")
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("workers serve", count + 1)

    def threads(self):
        """Return the names of the threads of the program."""
        names = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # it has ended
                names.append((task / "comm").read_text())
        return names

    def refuses(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return True
        return False

    def stop(self, number=signal.SIGTERM):
        """Stop the program and check that this was in order."""
        self.process.send_signal(number)
        assert self.process.wait(PATIENCE) == 0, self.log
        self.reader.join(PATIENCE)
        assert "ERROR" not in self.log and "CRITICAL" not in self.log, self.log


def request(connection, path):
    """Return (status, text) of a response."""
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


@contextlib.contextmanager
def connections(program, count=CONNECTIONS):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(program.connect())) for _ in range(count)]


@contextlib.contextmanager
def held_request(program, name="one"):
    """A request that the application has received and that waits for the file NAME.released."""
    with contextlib.closing(program.connect()) as connection:
        connection.request("GET", f"/hold/{name}")
        wait_until((program.folder / f"{name}.held").exists)
        yield connection


@pytest.mark.parametrize("application", APPLICATIONS)
def test_connections_are_spread_evenly_and_stay_open(application, tmp_path):
    with Program(tmp_path, application) as program, connections(program) as opened:
        first = [request(connection, "/worker") for connection in opened]
        assert [request(connection, "/worker") for connection in opened] == first
        assert collections.Counter(first) == {(200, "web1_0 0"): 8, (200, "web1_1 0"): 8}
        program.stop()


def test_short_connections_go_to_all_workers_in_turn(tmp_path):
    with Program(tmp_path, PLAIN, workers=3) as program:
        found = {program.get("/worker") for _ in range(30)}
        assert found == {(200, f"web1_{index} 0") for index in range(3)}
        program.stop()


@pytest.mark.parametrize("application", APPLICATIONS)
def test_request_in_flight_is_completed_before_the_program_ends(application, tmp_path):
    limits = {"graceful_timeout": PATIENCE, "keep_alive_timeout": PATIENCE}
    with Program(tmp_path, application, workers=1, **limits) as program, held_request(program) as connection:
        with connections(program, 1) as (idle,):
            request(idle, "/worker")
            program.process.send_signal(signal.SIGTERM)
            assert idle.sock.recv(1) == b""  # closed because the worker stops
        assert program.refuses()
        (tmp_path / "one.released").touch()
        response = connection.getresponse()
        assert response.status == 200 and response.read().startswith(b"web1_")
        assert response.getheader("connection") == "close"
        assert program.process.wait(PATIENCE) == 0


def test_stop_closes_idle_connections(tmp_path):
    with Program(tmp_path, PLAIN, graceful_timeout=PATIENCE) as program, connections(program) as opened:
        for connection in opened:
            request(connection, "/worker")
        program.stop(signal.SIGINT)
        assert [connection.sock.recv(1) for connection in opened] == [b""] * len(opened)


def test_request_beyond_the_grace_is_cancelled(tmp_path):
    with Program(tmp_path, PLAIN, graceful_timeout=0.1) as program, held_request(program) as connection:
        program.stop()
        assert connection.getresponse().status == 500


def test_program_ends_although_a_thread_of_a_worker_does_not(tmp_path):
    pytest.importorskip("flask")
    limits = {"graceful_timeout": 0.1, "shutdown_timeout": 0.1}
    with Program(tmp_path, "support.web_apps:flask()", **limits) as program, held_request(program):
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 1
        program.wait_for("exiting, although workers have not stopped")


class Clients:
    """Threads that send requests over connections that stay open, until the end of the block, and note failures."""

    def __init__(self, program, count=4):
        self.over = False
        self.versions = set()
        self.failures = []
        self.calls = [Call(self._run, program.connect()) for _ in range(count)]

    def _run(self, connection):
        while not self.over:
            try:
                status, text = request(connection, "/")
            except Exception as error:
                status, text = None, repr(error)
            if status == 200:
                self.versions.add(text)
            else:
                self.failures.append((status, text))
                connection.close()
        connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        for call in self.calls:
            call.result()


VERSIONED = """
VERSION = "{}"

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send(dict(type="http.response.start", status=200, headers=[(b"content-length", b"%d" % len(VERSION))]))
        await send(dict(type="http.response.body", body=VERSION.encode()))
"""


def test_reload_under_load_fails_no_request(tmp_path):
    source = tmp_path / "versioned.py"
    source.write_text(VERSIONED.format("1"))
    with Program(tmp_path, "versioned:app", keep_alive_timeout=PATIENCE) as program:
        with Clients(program) as clients:
            for length in range(2, 5):
                wait_until(lambda version="1" * (length - 1): version in clients.versions)
                source.write_text(VERSIONED.format("1" * length))  # of another size, for the cache of bytecode
                program.reload()
            wait_until(lambda: "1" * 4 in clients.versions)
        assert clients.failures == []
        assert program.get("/") == (200, "1" * 4)
        program.stop()


SLOW = """
import time
from support.web_apps import is_released, plain as app

while not is_released("import"):
    time.sleep(0.001)
"""


def test_reload_during_a_reload_follows_it(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "import.released").touch()
    with Program(tmp_path, "slow:app") as program:
        (tmp_path / "import.released").unlink()
        (tmp_path / "import.held").unlink()
        program.process.send_signal(signal.SIGHUP)
        wait_until((tmp_path / "import.held").exists, STARTS)
        program.process.send_signal(signal.SIGHUP)
        program.wait_for("reloading again")
        assert program.get("/worker")[1].startswith("web1_")
        (tmp_path / "import.released").touch()
        program.wait_for("workers serve", 3)
        assert program.get("/worker")[1].startswith("web3_")
        program.stop()


def test_stop_during_the_start(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    with Program(tmp_path, "slow:app", ready=False) as program:
        wait_until((tmp_path / "import.held").exists, STARTS)
        program.process.send_signal(signal.SIGTERM)
        (tmp_path / "import.released").touch()
        assert program.process.wait(STARTS) == 0
        assert "ERROR" not in program.log


def test_second_signal_ends_the_program_at_once(tmp_path):
    with Program(tmp_path, PLAIN, graceful_timeout=1000) as program, held_request(program):
        program.process.send_signal(signal.SIGTERM)
        wait_until(program.refuses)
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 1


def test_reload_ends_the_workers_before_when_their_requests_are_completed(tmp_path):
    with Program(tmp_path, PLAIN, keep_alive_timeout=PATIENCE) as program, held_request(program) as connection:
        program.reload()
        assert program.get("/worker")[1].startswith("web2_")
        (tmp_path / "one.released").touch()
        response = connection.getresponse()
        assert response.getheader("connection") == "close" and response.read().startswith(b"web1_")
        wait_until(lambda: not any(name.startswith("web1_") for name in program.threads()))
        program.stop()


def test_reload_frees_the_memory_of_the_workers_before(tmp_path):
    with Program(tmp_path, PLAIN, workers=1) as program:

        def memory():
            rollup = Path(f"/proc/{program.process.pid}/smaps_rollup").read_text()
            return int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1])  # KiB

        for _ in range(4):
            program.reload()
        before = memory()
        for _ in range(8):
            program.reload()
        assert memory() < before + 24 * 1024  # of 8 interpreters, more than 40 MiB
        program.stop()


def test_reload_without_the_application_keeps_the_workers(tmp_path):
    source = tmp_path / "versioned.py"
    source.write_text(VERSIONED.format("1"))
    with Program(tmp_path, "versioned:app") as program:
        source.write_text("import no_such_module\n")
        program.process.send_signal(signal.SIGHUP)
        program.wait_for("was not reloaded")
        assert "No module named 'no_such_module'" in program.log
        assert program.get("/") == (200, "1")
        source.write_text(VERSIONED.format("repaired"))
        program.reload()
        assert program.get("/") == (200, "repaired")
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "source, message",
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        ("app = 1 / 0", "division by zero"),
        ("other = 1", "application not found"),
        (
            "async def app(scope, receive, send):\n    await send({'type': 'lifespan.startup.failed'})",
            "Lifespan failure",
        ),
    ],
)
def test_application_that_does_not_start_is_reported(source, message, tmp_path):
    (tmp_path / "broken.py").write_text(source)
    with Program(tmp_path, "broken:app", ready=False) as program:
        assert program.process.wait(STARTS) == 1
        program.wait_for("cannot start broken:app")
        program.wait_for(message)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_worker_that_fails_is_restarted(application, tmp_path):
    with Program(tmp_path, application) as program:
        assert program.get("/exit/3")[0] == 500
        program.wait_for("failed, and starts again")
        wait_until(lambda: program.get("/worker")[1].endswith(" 1"), STARTS)
        found = {program.get("/worker")[1] for _ in range(30)}
        assert sorted(found) == ["web1_0 1", "web1_1 0"]
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE) == 0


def test_program_ends_when_a_worker_fails_too_often(tmp_path):
    with Program(tmp_path, PLAIN, workers=1) as program:

        def has_ended():
            with contextlib.suppress(http.client.HTTPException, OSError):
                program.get("/exit/3")
            return program.process.poll() is not None

        wait_until(has_ended, STARTS)
        assert program.process.wait() == 1
        program.wait_for("the workers have failed")


def test_access_log_reaches_the_logging_of_the_program(tmp_path):
    with Program(tmp_path, PLAIN, "--access-log") as program, connections(program, 2) as opened:
        for connection in opened:
            request(connection, "/worker")
        for index in range(2):
            program.wait_for(f" web1_{index} INFO 127.0.0.1:")
        assert program.log.count('"GET /worker 1.1" 200') == 2
        program.stop()


def test_error_of_the_application_is_logged(tmp_path):
    with Program(tmp_path, PLAIN) as program:
        assert program.get("/exit/none")[0] == 500
        program.wait_for("ValueError: invalid literal for int()")
        assert program.get("/worker")[0] == 200


@pytest.fixture
def example(tmp_path):
    with Program(tmp_path, "web_app:app", "--state", "web_app:create_state") as program:
        yield program


def test_rate_limit_counts_requests_of_all_workers(example):
    with connections(example) as opened:
        calls = [Call(lambda c=connection: [request(c, "/limited")[0] for _ in range(5)]) for connection in opened]
        counts = collections.Counter(status for call in calls for status in call.result())
        assert counts == {200: 5, 429: 5 * CONNECTIONS - 5}
    example.reload()
    assert example.get("/limited") == (429, "too many requests\n")
    example.stop()


def test_cache_is_shared_by_all_workers(example):
    with connections(example) as opened:
        names = {request(connection, "/") for connection in opened}
        assert len(names) == 2
        (page,) = {request(connection, "/primes/1000") for connection in opened}
    assert page[0] == 200 and page[1].startswith("168, computed by web1_")
    example.reload()
    assert example.get("/primes/1000") == page
    example.stop()


def test_unix_socket(tmp_path):
    with Program(tmp_path, PLAIN, bind="unix:server") as program, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(tmp_path / "server"))
        connection.sendall(b"GET /worker HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as replies:
            assert replies.read().endswith(b"\r\n\r\nweb1_0 0")
        program.stop()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_tls(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", cert, *subject], check=True, capture_output=True)
    with Program(tmp_path, PLAIN, certfile=str(cert), keyfile=str(key)) as program:
        with socket.create_connection(("127.0.0.1", program.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")  # not TLS
            assert b"HTTP" not in connection.recv(100)
        context = ssl.create_default_context(cafile=cert)
        secure = http.client.HTTPSConnection("127.0.0.1", program.port, timeout=PATIENCE, context=context)
        with contextlib.closing(secure):
            assert request(secure, "/worker") == request(secure, "/worker") == (200, "web1_1 0")
        program.stop()


class Http2Client:
    """A connection of HTTP/2 without TLS."""

    def __init__(self, port):
        import h2.connection

        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.connection = h2.connection.H2Connection()
        self.connection.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def send(self, path):
        stream = self.connection.get_next_available_stream_id()
        headers = [(":method", "GET"), (":path", path), (":authority", "localhost"), (":scheme", "http")]
        self.connection.send_headers(stream, headers, end_stream=True)
        self.flush()
        return stream

    def receive(self, stream):
        """Return the body of the response."""
        import h2.events

        body = b""
        while data := self.socket.recv(65536):
            for event in self.connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived) and event.stream_id == stream:
                    body += event.data
                if isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    return body
            self.flush()
        raise ConnectionResetError("closed before the response")


def test_http2_request_in_flight_is_completed_during_a_reload(tmp_path):
    with Program(tmp_path, PLAIN, keep_alive_timeout=PATIENCE) as program:
        client = Http2Client(program.port)
        with contextlib.closing(client.socket):
            assert client.receive(client.send("/worker")) == b"web1_0 0"
            stream = client.send("/hold/one")
            wait_until((tmp_path / "one.held").exists)
            program.reload()
            assert client.receive(client.send("/worker")) == b"web1_0 0"
            (tmp_path / "one.released").touch()
            assert client.receive(stream) == b"web1_0 0"
        program.stop()
