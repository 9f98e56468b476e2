"""Hostile arguments at every entry point raise a clear exception or have a valid outcome."""

import math
import pickle

import pytest
from support import counts

import xichan
from xichan import _core

HOSTILE = {
    "2**63": 2**63,
    "-2**63": -(2**63),
    "2**63-1": 2**63 - 1,
    "-2**63-1": -(2**63) - 1,
    "2**64": 2**64,
    "10**100": 10**100,
    "10**5000": 10**5000,
    "-1": -1,
    "True": True,
    "1.0": 1.0,
    "nan": math.nan,
    "inf": math.inf,
    "None": None,
    "()": (),
    "str": "mpmc",
    "surrogate": "\udc80",
    "bytes": b"\xff\0",
    "list": [1],
    "object": object(),
    "type": int,
    "function": len,
}


def with_channel(use):
    """Call use(tx, rx, value) on a channel that is neither empty nor full, so that no valid call blocks."""

    def call(value):
        tx, rx = xichan.channel(8)
        tx.send("something")
        try:
            use(tx, rx, value)
        finally:
            assert counts(tx) == (1, 1)
            tx.send("still works", timeout=0)

    return call


ENTRY_POINTS = {
    "channel": xichan.channel,
    "channel(capacity=)": lambda v: xichan.channel(capacity=v),
    "channel(flavor=)": lambda v: xichan.channel(1, flavor=v),
    "is_shareable": xichan.is_shareable,
    "set_memory_limit": xichan.set_memory_limit,
    "memory_stats": lambda v: xichan.memory_stats(v),
    "_fail_after": _core._fail_after,
    "_unpickle_end": lambda v: _core._unpickle_end(v, v, v, v),
    "_unpickle_end(*)": lambda v: _core._unpickle_end(1, 2, v, v),
    "Sender.from_id": xichan.Sender.from_id,
    "Receiver.from_id": xichan.Receiver.from_id,
    "Sender()": xichan.Sender,
    "Sender[]": lambda v: xichan.Sender[v],
    "isinstance": lambda v: isinstance(v, xichan.Receiver),
    "send": with_channel(lambda tx, rx, v: tx.send(v)),
    "send(timeout=)": with_channel(lambda tx, rx, v: tx.send(1, timeout=v)),
    "send_nowait": with_channel(lambda tx, rx, v: tx.send_nowait(v)),
    "recv(timeout=)": with_channel(lambda tx, rx, v: rx.recv(timeout=v)),
    "recv": with_channel(lambda tx, rx, v: rx.recv(v)),
    "recv_nowait": with_channel(lambda tx, rx, v: rx.recv_nowait(v)),
    "close": with_channel(lambda tx, rx, v: tx.close(v)),
    "clone": with_channel(lambda tx, rx, v: rx.clone(v)),
    "==": with_channel(lambda tx, rx, v: (tx == v, rx != v, {tx: 1}.get(str(type(v))))),
    "<": with_channel(lambda tx, rx, v: tx < v),
    "+": with_channel(lambda tx, rx, v: tx + v),
    "[]": with_channel(lambda tx, rx, v: rx[v]),
    "in": with_channel(lambda tx, rx, v: v in tx),
    "id =": with_channel(lambda tx, rx, v: setattr(tx, "id", v)),
    "closed =": with_channel(lambda tx, rx, v: setattr(rx, "closed", v)),
    "__setstate__": with_channel(lambda tx, rx, v: tx.__setstate__(v)),
    "__reduce_ex__": with_channel(lambda tx, rx, v: pickle.loads(pickle.dumps(tx)).__reduce__(v)),
}


@pytest.mark.filterwarnings("ignore:integer value out of range:DeprecationWarning")
@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_hostile_values_raise_documented_errors(entry):
    for name, value in HOSTILE.items():
        try:
            ENTRY_POINTS[entry](value)
        except (TypeError, ValueError, OverflowError, AttributeError, xichan.NotFound):
            pass  # fine, if it was not a crash
        except Exception as error:
            pytest.fail(f"{entry} of {name} raised {error!r}")
        finally:
            _core._fail_after(-1)
            xichan.set_memory_limit(None)


def test_shutdown_accepts_any_truth_value():
    for value in HOSTILE.values():
        tx, rx = xichan.channel()
        tx.send(1)
        rx.shutdown(value)
        assert len(rx) == (0 if value else 1)


def test_exit_accepts_any_arguments():
    for value in HOSTILE.values():
        tx, rx = xichan.channel()
        assert not tx.__exit__(value, value, value)
        assert tx.closed


@pytest.mark.parametrize(
    "call",
    [
        lambda tx, rx: tx.send(),
        lambda tx, rx: tx.send(1, 2, 3),
        lambda tx, rx: tx.send(1, value=1),
        lambda tx, rx: tx.send(1, 2, timeout=2),
        lambda tx, rx: tx.send(1, block=True),
        lambda tx, rx: tx.send(timeout=1),
        lambda tx, rx: tx.send_nowait(),
        lambda tx, rx: tx.send_nowait(value=1),
        lambda tx, rx: rx.recv(1, 2),
        lambda tx, rx: rx.recv(1, timeout=1),
        lambda tx, rx: rx.recv(**{"\ud800": 1}),
        lambda tx, rx: rx.recv_nowait(timeout=1),
        lambda tx, rx: tx.shutdown(True, immediate=True),
        lambda tx, rx: tx.shutdown(now=True),
        lambda tx, rx: tx.from_id(),
        lambda tx, rx: xichan.channel(1, "mpmc"),
        lambda tx, rx: xichan.channel(1, capacity=1),
        lambda tx, rx: xichan.channel(size=1),
        lambda tx, rx: xichan.is_shareable(),
        lambda tx, rx: xichan.set_memory_limit(),
    ],
)
def test_wrong_signatures_raise_type_error(call):
    tx, rx = xichan.channel()
    tx.send("kept")
    with pytest.raises(TypeError):
        call(tx, rx)
    assert rx.recv_nowait() == "kept" and len(rx) == 0


def test_arguments_are_accepted_by_name():
    tx, rx = xichan.channel(capacity=2)
    tx.send(value=1)
    tx.send(timeout=1, value=2)
    assert rx.recv(timeout=None) == 1 and rx.recv(timeout=0) == 2


@pytest.mark.parametrize("capacity", [-1, 2**24 + 1, 2**63, 2**64, 10**100, -(10**100)])
def test_capacity_out_of_range_is_rejected(capacity):
    with pytest.raises(ValueError, match="capacity must be from 0 to 16777216"):
        xichan.channel(capacity)


@pytest.mark.parametrize("capacity", [True, False, 1.0, "1", b"1", (), [], 1j], ids=repr)
def test_capacity_must_be_an_int(capacity):
    with pytest.raises(TypeError, match="capacity"):
        xichan.channel(capacity)


@pytest.mark.parametrize("flavor", ["", "MPMC", "mpmc\0", "no such flavor", "mpmc" * 1000, "\udc80"])
def test_unknown_flavor_is_rejected(flavor):
    with pytest.raises(ValueError, match="flavor"):
        xichan.channel(flavor=flavor)


class Saboteur:
    """An argument whose conversion to a number or truth value has a side effect."""

    def __init__(self, act):
        self.act = act

    def __index__(self):
        self.act()
        return 1

    def __bool__(self):
        self.act()
        return True


SABOTAGE = {
    "recv": lambda tx, rx, trap: rx.recv(trap),
    "send": lambda tx, rx, trap: tx.send("text that needs a block", trap),
    "shutdown sender": lambda tx, rx, trap: tx.shutdown(trap),
    "shutdown receiver": lambda tx, rx, trap: rx.shutdown(trap),
}


@pytest.mark.parametrize("entry", SABOTAGE)
def test_argument_may_close_the_endpoints_while_it_is_converted(entry):
    tx, rx = xichan.channel(4)
    tx.send("something")

    def close_both():
        tx.close()
        rx.close()

    with pytest.raises(xichan.ChannelClosed):
        SABOTAGE[entry](tx, rx, Saboteur(close_both))


@pytest.mark.parametrize("entry", SABOTAGE)
def test_argument_that_raises_changes_nothing(entry):
    tx, rx = xichan.channel(4)
    tx.send("something")
    with pytest.raises(ZeroDivisionError):
        SABOTAGE[entry](tx, rx, Saboteur(lambda: 1 // 0))
    assert len(rx) == 1 and rx.recv() == "something" and not tx.closed


def test_error_in_capacity_or_limit_is_propagated():
    for call in (xichan.channel, xichan.set_memory_limit):
        with pytest.raises(ZeroDivisionError):
            call(Saboteur(lambda: 1 // 0))
    assert xichan.memory_stats().limit is None
