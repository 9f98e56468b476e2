"""A server for all tests of remote channels, and connections to it. Without one, these tests are skipped."""

import contextlib
import gc
import itertools
from collections import Counter

import pytest
from support import alive, left_over, wait_until
from support.fault_proxy import FaultProxy
from support.nats_server import Server, unavailable

NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def settled(nothing_left_behind):
    """The thread of a connection that was closed releases its last objects a little later."""
    before = alive()
    yield
    gc.collect()
    with contextlib.suppress(AssertionError):  # nothing_left_behind reports what is left
        wait_until(lambda: left_over(before) == {}, timeout=5)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that no test stops."""
    if reason := unavailable():
        pytest.skip(reason)
    with Server(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def hub(server):
    """A connection to the server."""
    import xichan.nats

    with xichan.nats.connect(server.url) as hub:
        yield hub


@pytest.fixture
def proxy(server):
    with FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def shaky(proxy):
    """A connection through the proxy."""
    import xichan.nats

    with xichan.nats.connect(proxy.url, timeout=30) as hub:
        yield hub
        proxy.release()


@pytest.fixture
def name(hub):
    """The name of a channel that does not exist yet, and does not exist after the test."""
    name = f"test-{next(NUMBERS)}"
    yield name
    if not hub.closed:
        hub.delete(name)


def pytest_terminal_summary(terminalreporter):
    """State how many tests were skipped because NATS is missing, and why."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
        if isinstance(report.longrepr, tuple)
    )
    for reason, number in reasons.items():
        if reason == unavailable():
            terminalreporter.write_line(f"{number} tests with NATS skipped: {reason}")
