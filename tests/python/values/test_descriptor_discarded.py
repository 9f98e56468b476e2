"""Descriptors in messages that no call receives are closed."""

import contextlib
import warnings

import pytest
from support.descriptors import Held, Line

import xichan

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def close_last_receiver(tx, rx):
    rx.close()


def shut_down(tx, rx):
    tx.shutdown(immediate=True)


def fail_receiver(tx, rx):
    rx.close(error=ValueError("failed"))


def drain(tx, rx):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rx.drain()


def drain_views(tx, rx):
    rx.drain(copy=False)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("end", [close_last_receiver, shut_down, fail_receiver, drain, drain_views])
def test_discarded_message_closes(line, end):
    tx, rx = xichan.channel()
    tx.send([line.descriptor])
    assert line.is_open()
    end(tx, rx)
    assert not line.is_open()
    line.check_sent()


@pytest.mark.filterwarnings("error")
def test_channel_that_ends_closes_what_is_queued(line):
    tx, rx = xichan.channel()
    inner_tx, inner_rx = xichan.channel()
    inner_tx.send({"nested": line.descriptor})
    tx.send(inner_rx)
    del inner_tx, inner_rx
    assert line.is_open()
    with pytest.warns(ResourceWarning, match="1 queued value is lost"):
        del tx, rx
    assert not line.is_open()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("overflow", ["drop_oldest", "drop_newest"])
def test_overflow_closes_what_is_dropped(line, overflow):
    tx, rx = xichan.channel(1, overflow=overflow)
    first = Line()
    with first.end:
        tx.send(first.descriptor)
        tx.send(line.descriptor)
        line.check_sent()
        kept, dropped = (line, first) if overflow == "drop_oldest" else (first, line)
        assert kept.is_open() and not dropped.is_open()
        kept.check(rx.recv())


@pytest.mark.filterwarnings("error")
def test_message_that_cannot_be_decoded_keeps_it_in_its_record(line, register_held):
    def decode(descriptor):
        raise ValueError("not today")

    register_held(decode)
    tx, rx = xichan.channel()
    tx.send([Held(line.descriptor)])
    with pytest.raises(xichan.DecodeError, match="not today") as caught:
        rx.recv()
    assert line.is_open()
    line.check(caught.value.record.encoded)
    other = Line()
    with other.end:
        tx.send([Held(other.descriptor)])
        with contextlib.suppress(xichan.DecodeError):
            rx.recv()
        assert not other.is_open()


def test_descriptor_kept_by_a_failing_decode_is_unusable(line, register_held):
    kept = []

    def decode(descriptor):
        kept.append(descriptor)
        raise ValueError("not today")

    register_held(decode)
    tx, rx = xichan.channel()
    tx.send([Held(line.descriptor)])
    with pytest.raises(xichan.DecodeError) as caught:
        rx.recv()
    text = "^the descriptor is unusable: the message that it arrived in could not be decoded$"
    with pytest.raises(ValueError, match=text):
        kept[0].fileno()
    assert repr(kept[0]) == "<xichan.Descriptor unusable>" and kept[0].closed
    line.check(caught.value.record.encoded)
