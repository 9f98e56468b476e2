"""Servers, connections and consumers fail while processes send and receive over a remote channel: nothing is lost.

Producers and consumers are processes of their own, which record what they do; support/remote_history.py has the rules
that the records must obey. A fault begins when the consumers have received more values since the previous one, so that
each meets traffic. The number is that of the faults of each kind, and of 500 duplicates.

Exits with status 77 if there is no server or no xichan.nats.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import feed_watchdog, rng, size
from support import wait_until
from support.fault_proxy import FaultProxy
from support.nats_server import Cluster, Server, newest, unavailable
from support.remote_history import History, check

import xichan

SKIPPED = 77
CHANNEL = "faults"
PADDING = "x" * 100
PAUSE = 3.0  # seconds of a SIGSTOP, as long as the interval of a heartbeat or longer
MOVED = 40  # values to receive between two faults
DUPLICATES = 500


# The processes.


def at_end_of_input(function, *arguments):
    """Call a function in a thread when standard input ends: on request, or because the main process has ended."""
    threading.Thread(target=lambda: (sys.stdin.read(), function(*arguments)), daemon=True).start()


def produce(hub, who, history):
    """Send numbered values until standard input ends."""
    stop, number = threading.Event(), 0
    at_end_of_input(stop.set)
    with hub.sender(CHANNEL) as tx:
        print("ready", flush=True)
        while not stop.is_set():
            feed_watchdog()
            history.add("send", who, number)
            try:
                tx.send((who, number, PADDING), timeout=30)
            except (xichan.Error, OSError) as error:
                history.add("failed", who, number, type(error).__name__)
            else:
                history.add("ok", who, number)
            number += 1


def consume(hub, who, history):
    """Receive until the channel is shut down and empty."""
    at_end_of_input(os._exit, 3)
    with hub.receiver(CHANNEL) as rx:
        print("ready", flush=True)
        while True:
            feed_watchdog()
            try:
                lease = rx.lease(timeout=20)
                with lease as (producer, number, _):
                    history.add("got", producer, number, lease.delivery)
                history.add("done", producer, number)
            except xichan.ChannelClosed:
                return
            except TimeoutError:
                continue


def hold(hub, who, history):
    """Receive one value, and keep it until the process is killed."""
    with hub.receiver(CHANNEL) as rx:
        lease = rx.lease()
        producer, number, _ = lease.value
        history.add("got", producer, number, lease.delivery)
        print("ready", flush=True)
        sys.stdin.read()


ROLES = {"produce": produce, "consume": consume, "hold": hold}


class Process:
    """A process with a role. Its standard output and its watchdog's dump go to ours."""

    def __init__(self, role, who, url, folder):
        command = [sys.executable, __file__, role, who, url, str(folder / f"{who}.history")]
        self.who = who
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", f"{who} did not start"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self, stop):
        """Wait for the end, of a producer after it was told to stop."""
        if stop:
            self.process.stdin.close()
        while self.process.poll() is None:  # the watchdog bounds it
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
        assert self.process.returncode in (0, -signal.SIGKILL), f"{self.who}: status {self.process.returncode}"


class Run:
    """Two producers and some consumers on one channel, and a folder with their histories."""

    def __init__(self, server, proxy=None, producers=2, consumers=2, storage="file", capacity=1000, **options):
        self.folder = server.folder / "histories"
        self.folder.mkdir()
        self.url = proxy.url if proxy else server.url
        self.hub = xichan.nats.connect(server.url)
        self.tx, self.rx = self.hub.channel(CHANNEL, capacity=capacity, storage=storage, ack="lease", **options)
        self.number = 0
        self.consumers = [self.start("consume") for _ in range(consumers)]
        self.producers = [self.start("produce") for _ in range(producers)]

    def start(self, role):
        feed_watchdog()
        self.number += 1
        return Process(role, f"{role}{self.number}", self.url, self.folder)

    def received(self):
        """Return how many bytes the consumers have recorded."""
        return sum(file.stat().st_size for file in self.folder.glob("consume*"))

    def wait_for_traffic(self):
        before = self.received()
        try:
            wait_until(lambda: self.received() > before + MOVED * 30, timeout=50)
        except AssertionError as error:
            raise AssertionError(f"no traffic: {error}\n{self.state()}") from None
        feed_watchdog()

    def state(self):
        """Return what is known about the channel and the processes, as text."""
        lines = []
        for look in (self.hub.stats, self.rx.stats):
            try:
                lines.append(str(look()))
            except xichan.Error as error:
                lines.append(repr(error))
        for process in self.producers + self.consumers:
            last = (self.folder / f"{process.who}.history").read_text().splitlines()[-1:]
            lines.append(f"{process.who}: status {process.process.poll()}, last {last}")
        return "\n".join(lines)

    def finish(self, **rules):
        """End the traffic in an orderly way; check the histories and return their figures."""
        for process in self.producers:
            process.finish(stop=True)
            feed_watchdog()
        self.tx.shutdown()
        for process in self.consumers:
            process.finish(stop=False)
            feed_watchdog()
        self.tx.close()
        self.rx.close()
        self.hub.close()
        return check(self.folder, **rules)


# The faults. Each function takes the number of rounds and a folder, and returns what the histories contain.


def servers_killed(rounds, folder):
    """The server is killed and restarted on its files."""
    with Server(folder) as server:
        run = Run(server)
        for _ in range(rounds):
            run.wait_for_traffic()
            server.restart()
        run.wait_for_traffic()
        return run.finish(forgets=True)


def servers_stopped(rounds, folder):
    """The server is stopped for a while; connections stay open."""
    with Server(folder) as server:
        run = Run(server)
        for _ in range(rounds):
            run.wait_for_traffic()
            server.pause()
            time.sleep(PAUSE)
            server.resume()
        run.wait_for_traffic()
        return run.finish()


def connections_disturbed(rounds, folder):
    """The network cuts connections, also in the middle of a message, holds, delays and divides what they carry."""

    def cut_in_the_middle(proxy):
        rng.choice((proxy.up, proxy.down)).cut_after = rng.randrange(1, 2000)

    def hold(proxy):
        proxy.hold(*rng.sample((proxy.up, proxy.down), rng.randrange(1, 3)))
        time.sleep(1.5)  # longer than a sender waits before it repeats a message
        proxy.release()

    def slow_down(proxy):
        proxy.up.delay, proxy.down.delay, proxy.up.halve, proxy.down.halve = 0.005, 0.002, True, True

    faults = (FaultProxy.cut, cut_in_the_middle, hold, slow_down, FaultProxy.release)
    with Server(folder) as server, FaultProxy(server.port) as proxy:
        run = Run(server, proxy)
        for number in range(rounds * len(faults)):
            run.wait_for_traffic()
            faults[number % len(faults)](proxy)
        proxy.release()
        run.wait_for_traffic()
        return run.finish()


def consumers_killed(rounds, folder):
    """A consumer is killed while it holds a value, another at any moment. Other consumers receive the values again."""
    with Server(folder) as server:
        run = Run(server, ack_wait=1.0)
        for _ in range(rounds):
            run.wait_for_traffic()
            run.start("hold").kill()
            run.consumers.pop(0).kill()
            run.consumers.append(run.start("consume"))
        found = run.finish()
    assert found.redelivered >= rounds, f"{rounds} values were held: {found}"
    return found


def streams_filled(rounds, folder):
    """The channel is full again and again: senders wait until values are acknowledged."""
    with Server(folder) as server:
        run = Run(server, consumers=0, capacity=50, ack_wait=1.0)
        for _ in range(rounds):
            wait_until(lambda: len(run.rx) == 50)
            feed_watchdog()
            consumer = run.start("consume")
            run.wait_for_traffic()
            consumer.kill()
        run.consumers.append(run.start("consume"))
        return run.finish()


def duplicates_sent(rounds, folder):
    """Each message is published hundreds of times with the same id, as a sender does that gets no confirmation."""
    times = 100
    with Server(folder) as server:
        run = Run(server, consumers=1, producers=0, capacity=None)
        history = History(run.folder / "storm.history")
        messages = []
        for number in range(rounds * DUPLICATES // times):
            history.add("send", "storm", number)
            messages.append((f"storm-{number}", xichan.dumps(("storm", number, PADDING))))
        rng.shuffle(messages)
        publish(server, f"xichan.{CHANNEL}.values", messages * times)
        for number in range(len(messages)):
            history.add("ok", "storm", number)
        found = run.finish()
    assert found.received == len(messages), found
    return found


def publish(server, subject, messages):
    """Publish (id, content) pairs by the text protocol of NATS, and wait until the server has processed them."""
    with socket.create_connection(("127.0.0.1", server.port)) as client, client.makefile("rb") as replies:
        client.sendall(b'CONNECT {"verbose": false, "headers": true}\r\n')
        for name, content in messages:
            header = f"NATS/1.0\r\nNats-Msg-Id: {name}\r\n\r\n".encode()
            sizes = f"HPUB {subject} {len(header)} {len(header) + len(content)}\r\n"
            client.sendall(sizes.encode() + header + content + b"\r\n")
        client.sendall(b"PING\r\n")
        while (reply := replies.readline()) != b"PONG\r\n":
            assert reply.startswith((b"INFO", b"PING")), reply


def order_kept(rounds, folder):
    """One consumer, no fault: the values of each producer are received in order."""
    with Server(folder) as server:
        run = Run(server, consumers=1)
        for _ in range(rounds):
            run.wait_for_traffic()
        return run.finish(in_order=True)


def leaders_killed(rounds, folder):
    """The leader of the stream in a cluster of three servers is killed and restarted."""
    with Cluster(folder) as cluster:
        run = Run(cluster, storage="durable")
        for _ in range(rounds):
            run.wait_for_traffic()
            wait_until(lambda: cluster.leader(f"XICHAN_{CHANNEL}"), timeout=50)
            feed_watchdog()
            leader = cluster.leader(f"XICHAN_{CHANNEL}")
            leader.kill()
            run.wait_for_traffic()  # the others go on
            leader.start(wait=False)
            cluster.wait_ready(timeout=50)  # the server has caught up
            feed_watchdog()
        return run.finish(forgets=True)


SCENARIOS = (
    order_kept, duplicates_sent, servers_killed, servers_stopped, connections_disturbed, consumers_killed,
    streams_filled, leaders_killed,
)  # fmt: skip


def main():
    reason = unavailable()
    if sys.argv[1:2] and sys.argv[1] in ROLES:
        _, role, who, url, history = sys.argv
        feed_watchdog()
        with xichan.nats.connect(url) as hub:
            ROLES[role](hub, who, History(history))
        return
    rounds = size()
    if reason:
        print(f"remote_faults: skipped, {reason}")
        sys.exit(SKIPPED)
    print(f"remote_faults: nats-server {'.'.join(map(str, newest()))}", flush=True)
    for scenario in SCENARIOS:
        folder = Path(tempfile.mkdtemp(prefix=f"{scenario.__name__}-"))  # stays if the check fails
        found = scenario(rounds, folder)
        shutil.rmtree(folder)
        print(f"{scenario.__name__} {rounds} times: {found}", flush=True)
        feed_watchdog()
    print(f"remote_faults: {rounds} times each of {len(SCENARIOS)} faults, nothing lost")


if __name__ == "__main__":
    main()
