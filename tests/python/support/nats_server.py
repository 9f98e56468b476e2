"""Real NATS servers on loopback ports, for tests and stress programs.

A server is the child of a guard, a shell that kills it when its own input is closed. So it ends with the process that
started it, however that one ends.
"""

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from . import PATIENCE, wait_until

sys.path.append(str(Path(__file__).resolve().parents[3]))
from tools import nats  # noqa: E402

GUARD = '"$@" >>"$LOG" 2>&1 & echo $!; read line; kill -9 $! 2>/dev/null; wait $!'
PORTS = range(10_000, 32_000)  # below those that the kernel chooses: else a client could connect to itself
MIB = 1 << 20


@functools.cache
def unavailable():
    """Return why no tests with NATS can run here, or ""."""
    try:
        import xichan.nats  # noqa: F401
    except ImportError as error:
        return f"no xichan.nats: {error}".partition("\n")[0]
    return without_server()


def without_server():
    """Return why no server can be started here, or ""."""
    if nats.find_servers():
        return ""
    reason = nats.failure().read_text().strip() if nats.failure().exists() else "./dev setup fetches one on Debian"
    return f"no nats-server on PATH: {reason}"


def newest():
    """Return the version of the newest server, as three numbers."""
    return nats.find_servers()[0][0]


def free_port():
    """Return a port on which nothing listens."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def states(pid):
    """Return the states of the threads of a process, as letters; none if there is no such process."""
    found = set()
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):  # the thread has ended
                found.add(file.read_text().rpartition(")")[2].split()[0])
    return found


class Server:
    """A server with JetStream. Each start uses the same ports and the same store.

    `settings` are merged into its configuration: {"max_payload": 1000}, for example. A context manager that starts it
    and kills it.
    """

    def __init__(self, folder, name="n1", program=None, **settings):
        self.folder, self.name = Path(folder), name
        self.program = program or nats.find_servers()[0][1]
        self.port, self.monitor = free_port(), free_port()
        self.settings = {
            "server_name": name,
            "listen": f"127.0.0.1:{self.port}",
            "http": f"127.0.0.1:{self.monitor}",
            "jetstream": {
                "store_dir": str(self.folder / "store"),
                "max_memory_store": 256 * MIB,
                "max_file_store": 1024 * MIB,
            },
        }
        self.guard = self.pid = None
        self.configure(**settings)

    def configure(self, **settings):
        """Merge settings into the configuration, for the next start."""
        for key, value in settings.items():
            merged = isinstance(value, dict) and isinstance(self.settings.get(key), dict)
            self.settings[key] = {**self.settings[key], **value} if merged else value

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.folder / f"{self.name}.log"

    def start(self, wait=True):
        """Start the server, and wait until it is ready unless `wait` is False; return the server."""
        assert self.guard is None, "already started"
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / f"{self.name}.conf"
        configuration.write_text(json.dumps(self.settings))  # the format of its files includes JSON
        self.guard = subprocess.Popen(
            ["sh", "-c", GUARD, "sh", self.program, "-c", configuration],
            env={**os.environ, "LOG": str(self.log)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the shell reports the signal that ended its child
            start_new_session=True,  # Ctrl-C is for the tests alone
        )
        self.pid = int(self.guard.stdout.readline())
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=PATIENCE):
        """Wait until the server serves clients and JetStream, and has caught up with those of its cluster."""
        try:
            wait_until(lambda: self.exited() or self.healthy(), timeout)
            assert not self.exited(), "exited"
        except AssertionError as error:
            raise AssertionError(f"{self.name}: {error}\n{self.log.read_text()[-5000:]}") from None

    def exited(self):
        """Return whether the process has ended."""
        return states(self.pid) <= {"Z"}

    def healthy(self):
        """Return whether the server says that it is."""
        found = self.look("healthz", timeout=1)
        return found is not None and found.get("status") == "ok"

    def look(self, page, timeout=5):
        """Return the content of a page of its monitor, or None."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/{page}", timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except (OSError, ValueError):
            return None

    def streams(self):
        """Return what the monitor tells of each stream on this server, by name."""
        found = self.look("jsz?streams=1&accounts=1") or {}
        details = (
            detail for account in found.get("account_details", ()) for detail in account.get("stream_detail", ())
        )
        return {detail["name"]: detail for detail in details}

    def signal(self, number):
        os.kill(self.pid, number)

    def pause(self):
        """Stop all its threads: connections stay open, and nothing arrives."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: states(self.pid) == {"T"})

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """End the process by SIGKILL, if it runs, and wait until it has ended."""
        if self.guard is not None:
            self.guard.stdin.close()
            self.guard.stdout.close()
            self.guard.wait()
            self.guard = self.pid = None

    def stop(self):
        """End the process in an orderly way."""
        self.signal(signal.SIGTERM)
        wait_until(self.exited)
        self.kill()

    def restart(self, wait=True, **settings):
        """Kill the server and start it with the same store, and further settings."""
        self.kill()
        self.configure(**settings)
        return self.start(wait)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, *error):
        self.kill()


class Cluster:
    """Several servers that replicate streams. A context manager."""

    def __init__(self, folder, size=3, **settings):
        self.folder = Path(folder)
        self.servers = [Server(self.folder / f"n{i}", f"n{i}", **settings) for i in range(1, size + 1)]
        ports = [free_port() for _ in self.servers]
        for server, port in zip(self.servers, ports, strict=True):
            routes = [f"nats-route://127.0.0.1:{other}" for other in ports if other != port]
            server.configure(cluster={"name": "tests", "listen": f"127.0.0.1:{port}", "routes": routes})

    @property
    def url(self):
        return ",".join(server.url for server in self.servers)

    def wait_ready(self, timeout=PATIENCE):
        """Wait until all servers that run agree on a leader."""
        running = [server for server in self.servers if server.pid]
        for server in running:
            server.wait_ready(timeout)
        wait_until(self.leader_of_cluster)

    def leader_of_cluster(self):
        """Return the name of the server on which all that run agree as the leader of the cluster, or None."""
        found = {meta_leader(server) for server in self.servers if server.pid}
        return found.pop() if len(found) == 1 else None

    def leader(self, stream):
        """Return the server that leads a stream, or None during an election."""
        for server in self.servers:
            detail = server.streams().get(stream) if server.pid else None
            if detail and (detail.get("cluster") or {}).get("leader") == server.name:
                return server
        return None

    def streams(self, prefix):
        """Return the names of all streams that begin so."""
        return sorted({name for server in self.servers for name in server.streams() if name.startswith(prefix)})

    def __enter__(self):
        try:
            for server in self.servers:
                server.start(wait=False)
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        for server in self.servers:
            server.kill()


def meta_leader(server):
    """Return the name of the server that a server takes for the leader of the cluster, or None."""
    found = server.look("jsz")
    return ((found or {}).get("meta_cluster") or {}).get("leader")


def make_certificates(folder, names="subjectAltName=IP:127.0.0.1,DNS:localhost"):
    """Write a self-signed certificate; return (certificate, key), or None without the program openssl."""
    program = shutil.which("openssl")
    if program is None:
        return None
    certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
    command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    command += ["-addext", names, "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
