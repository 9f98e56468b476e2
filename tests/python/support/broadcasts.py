"""Helpers of the tests of broadcast()."""

import pytest

import xichan
from xichan import Lagged, _core

MODES = pytest.mark.parametrize("overflow", ["block", "drop_oldest"])
TEXT = "text that needs a block of its own"


def waiting(subscribe):
    """Return the number of calls that wait for room or for a message."""
    return _core._waiting(subscribe)


def drain(rx):
    """Return all messages that can be received now, and a ("lagged", n) for each Lagged."""
    received = []
    while True:
        try:
            received.append(rx.recv_nowait())
        except Lagged as error:
            received.append(("lagged", error.missed))
        except xichan.ChannelEmpty:
            return received
