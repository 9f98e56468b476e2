"""python -m xichan.nats."""

import json

import pytest
from support import run_python
from support.nats_server import free_port

pytest.importorskip("xichan.nats")


def test_channels_of_a_server_are_listed(server, hub, name):
    tx, rx = hub.channel(name, capacity=7, ack="lease")
    tx.send_many(range(3))
    lease = rx.lease()
    shown = run_python("-m", "xichan.nats", server.url).stdout.splitlines()
    assert shown[0].split()[:3] == ["channel", "depth", "bytes"]
    (row,) = [line.split() for line in shown if line.startswith(f"{name} ")]
    assert row[1] == "3/7" and row[3] == "3" and row[-1] == "open"
    (found,) = [
        stats
        for stats in map(json.loads, run_python("-m", "xichan.nats", server.url, "--json").stdout.splitlines())
        if stats["name"] == name
    ]
    assert (found["depth"], found["unacknowledged"], found["senders"], found["receivers"]) == (3, 1, 1, 1)
    lease.ack()


def test_missing_server_is_reported(server):
    done = run_python("-m", "xichan.nats", f"nats://127.0.0.1:{free_port()}", expect=1)
    assert done.stderr.startswith("cannot connect to nats://127.0.0.1:")
