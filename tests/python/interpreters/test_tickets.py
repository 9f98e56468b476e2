"""Tickets of endpoints that no receiver claims: failed and dropped pickles, and how tickets are cancelled."""

import copy
import io
import pickle
from multiprocessing.reduction import ForkingPickler

import pytest
from support import alive, counts, interpreter

import xichan


@pytest.fixture(autouse=True)
def tickets():
    """Return a function that counts the unclaimed tickets issued since the test began."""
    before = alive()["tickets"]
    yield lambda: alive()["tickets"] - before
    assert alive()["tickets"] == before


def unpicklable():
    return lambda: None


@pytest.mark.parametrize("dumps", [pickle.dumps, ForkingPickler.dumps, copy.deepcopy], ids=lambda f: f.__qualname__)
@pytest.mark.parametrize(
    "make",
    [lambda tx, rx: (tx, open("/dev/null")), lambda tx, rx: [tx, [rx, {"x": open("/dev/null")}], tx]],
    ids=["tuple", "nested"],
)
def test_failed_pickling_releases_its_endpoints(dumps, make):
    tx, rx = xichan.channel()
    with pytest.raises(TypeError), open("/dev/null"):
        dumps(make(tx, rx))
    assert counts(tx) == (1, 1)
    assert tx.stats().tickets == 0


def test_failed_pickling_of_a_queue_releases_its_endpoints(tickets):
    queue = xichan.Queue()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps((queue, unpicklable()))
    assert tickets() == 0


def test_failure_to_write_the_pickle_releases_its_endpoints():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError("disk full")

    tx, _rx = xichan.channel()
    with pytest.raises(OSError, match="disk full"):
        pickle.dump(tx, Full())
    assert tx.stats().tickets == 0


def test_reduce_itself_issues_no_ticket():
    tx, rx = xichan.channel()
    for end in tx, rx:
        end.__reduce__()
        end.__reduce_ex__(5)
    assert counts(tx) == (1, 1)


def test_reduced_endpoint_can_be_rebuilt_without_pickle():
    tx, rx = xichan.channel()
    rebuild, args = tx.__reduce__()
    with rebuild(*args) as one, rebuild(*args) as other:
        assert counts(tx) == (3, 1)
        one.send(1), other.send(2)
    assert rx.recv_many(2) == [1, 2]


def test_reducing_a_closed_endpoint_raises():
    tx, _rx = xichan.channel()
    tx.close()
    with pytest.raises(xichan.ChannelClosed, match="this Sender is closed"):
        tx.__reduce__()


def test_failed_pickling_does_not_affect_other_pickles():
    tx, rx = xichan.channel()
    data = pickle.dumps(tx)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps((tx, unpicklable()))
    tx.close()
    with pickle.loads(data) as other:
        other.send(1)
    assert rx.recv() == 1


def test_cancel_tickets_releases_the_tickets_of_its_side():
    tx, rx = xichan.channel()
    dropped = [pickle.dumps(tx) for _ in range(100)]
    kept = pickle.dumps(rx)
    assert tx.stats().tickets == 101
    assert tx.cancel_tickets() == 100
    assert tx.cancel_tickets() == 0
    assert counts(tx) == (1, 2)
    with pickle.loads(dropped[0]) as other:  # this side is open, so the pickle still opens another endpoint
        assert other.id == tx.id
    tx.close()
    assert rx.closed
    assert rx.cancel_tickets() == 1
    with pytest.raises(xichan.NotFound):
        pickle.loads(dropped[1])
    with pickle.loads(kept):
        pass
    rx.close()
    with pytest.raises(xichan.ChannelClosed):
        rx.cancel_tickets()


def test_cancel_tickets_includes_those_of_other_interpreters():
    pytest.importorskip("concurrent.interpreters")
    tx, _rx = xichan.channel()
    other_tx, _other_rx = xichan.channel()
    data = pickle.dumps(other_tx)
    with interpreter(tx=tx) as other:
        other.exec("import pickle\npickle.dumps(tx)\ntx.close()")
        assert counts(tx) == (2, 1)
        assert tx.cancel_tickets() == 1
    assert other_tx.stats().tickets == 1, "of another channel"
    pickle.loads(data).close()
