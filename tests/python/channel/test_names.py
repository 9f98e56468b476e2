"""Names of channels and published values: lookup, publish, unpublish."""

import contextlib
import math
import random
import time

import pytest
from support import (
    PATIENCE,
    Call,
    alive,
    counts,
    execute,
    interpreter,
    left_over,
    random_value,
    run_script,
    same,
    wait_until,
)

import xichan

TEXT = "text that needs a block"
LOOKUPS = [xichan.lookup, xichan.Sender.lookup, xichan.Receiver.lookup]


def names_in_use():
    return {found.name for found in xichan.channels()} - {None}


@pytest.fixture
def published():
    """Publish values until the end of the test."""
    names = []

    def publish(name, value):
        xichan.publish(name, value)
        names.append(name)

    yield publish
    for name in names:
        with contextlib.suppress(xichan.NotFound):
            xichan.unpublish(name)


def test_lookup_opens_a_named_channel():
    tx, rx = xichan.channel(3, name="quotes")
    assert tx.name == rx.name == tx.stats().name == "quotes" and "'quotes'" in repr(rx)
    sender = xichan.Sender.lookup("quotes")
    receiver = xichan.Receiver.lookup("quotes")
    pair = xichan.lookup("quotes")
    assert type(sender) is type(pair[0]) is xichan.Sender and type(receiver) is type(pair[1]) is xichan.Receiver
    assert {sender.id, receiver.id, pair[0].id, pair[1].id} == {tx.id} and counts(tx) == (3, 3)
    sender.send(TEXT)
    assert pair[1].recv() == TEXT
    tx.close()
    assert tx.name is None and sender.name == "quotes"


def test_channels_have_no_name_by_default():
    for tx, _ in (xichan.channel(), xichan.channel(name=None)):
        assert tx.name is None and tx.stats().name is None
    assert names_in_use() == set()


def test_a_name_is_free_once_its_channel_is_gone():
    for _ in range(3):
        tx, rx = xichan.channel(name="weak")
        with pytest.raises(xichan.Error, match="'weak' is in use"):
            xichan.channel(name="weak")
        tx.send(TEXT)
        tx.close()
        with pytest.raises(xichan.Error, match="in use"):
            xichan.channel(name="weak")  # it still has a receiver
        rx.close()
        for lookup, wanted in zip(LOOKUPS, ("channel, value or object", "Sender", "Receiver"), strict=True):
            with pytest.raises(xichan.NotFound, match=f"^no {wanted} is registered under the name 'weak'$"):
                lookup("weak")
    assert alive()["channels"] == len(xichan.channels())


def test_lookup_does_not_open_a_finished_side():
    tx, rx = xichan.channel(name="half")
    tx.close()
    for lookup in (xichan.lookup, xichan.Sender.lookup):
        with pytest.raises(xichan.NotFound):
            lookup("half", timeout=0.01)
    assert xichan.Receiver.lookup("half").id == rx.id
    assert counts(rx) == (0, 1)


def test_an_endpoint_in_flight_keeps_the_name():
    carrier, arrived = xichan.channel()
    carrier.send(xichan.channel(name="in flight")[1])
    with pytest.raises(xichan.NotFound):
        xichan.Sender.lookup("in flight")
    assert xichan.Receiver.lookup("in flight").id == arrived.recv().id


@pytest.mark.parametrize(
    "name", ["x", "a name with spaces", "ü€😀", "nul\0inside", "nul\0another", "{}%s", "x" * 10_000, "\u202e", " "]
)
def test_any_text_is_a_valid_name(name):
    tx, rx = xichan.channel(name=name)
    assert tx.name == name and xichan.Sender.lookup(name).id == tx.id
    assert names_in_use() == {name}
    xichan.publish(name + "!", name)
    assert xichan.lookup(name + "!") == name
    xichan.unpublish(name + "!")
    with pytest.raises(xichan.NotFound):
        xichan.lookup(name[:-1] or "y")


USES = {
    "channel": lambda name: xichan.channel(name=name),
    "lookup": xichan.lookup,
    "Sender.lookup": lambda name: xichan.Sender.lookup(name, timeout=5),
    "Receiver.lookup": lambda name: xichan.Receiver.lookup(name=name),
    "publish": lambda name: xichan.publish(name, TEXT),
    "unpublish": xichan.unpublish,
}


@pytest.mark.parametrize("use", USES)
def test_invalid_names_raise(use):
    for wrong in (1, b"x", ("x",), object(), True, *([] if use == "channel" else [None])):
        with pytest.raises(TypeError, match="name"):
            USES[use](wrong)
    with pytest.raises(ValueError, match="empty"):
        USES[use]("")
    with pytest.raises(UnicodeEncodeError):
        USES[use]("\udc80")
    assert xichan.channels() == [] or names_in_use() == set()


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_lookup_raises_not_found_after_the_timeout(lookup):
    for timeout in (0, 0.03):
        start = time.monotonic()
        with pytest.raises(xichan.NotFound):
            lookup("nothing", timeout)
        assert time.monotonic() - start >= timeout
    for timeout, error in ((-1, ValueError), (math.nan, ValueError), ("1", TypeError), (True, TypeError)):
        with pytest.raises(error):
            lookup("nothing", timeout)
    for wrong in (lambda: lookup(), lambda: lookup("a", 1, 2), lambda: lookup("a", wait=1)):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("timeout", [None, 1000, math.inf])
def test_lookup_blocks_until_the_name_is_registered(timeout):
    calls = [Call(lookup, "soon", timeout) for lookup in LOOKUPS * 4]
    other = xichan.channel(name="another")
    xichan.publish("a third", 1)
    xichan.unpublish("a third")
    assert all(call.is_alive() for call in calls) and other[0].name == "another"
    tx, rx = xichan.channel(name="soon")
    ends = [call.result() for call in calls]
    assert {end.id for one in ends for end in (one if type(one) is tuple else (one,))} == {tx.id}
    assert counts(tx) == (9, 9)
    assert all((type(one) is tuple) == (lookup is xichan.lookup) for one, lookup in zip(ends, LOOKUPS * 4))


def test_lookup_of_an_endpoint_ignores_published_values(published):
    calls = [Call(lookup, "kind", PATIENCE) for lookup in LOOKUPS[1:]]
    published("kind", TEXT)
    assert xichan.lookup("kind") == TEXT
    for lookup in LOOKUPS[1:]:
        with pytest.raises(xichan.NotFound):
            lookup("kind", 0.01)
    xichan.unpublish("kind")
    tx, rx = xichan.channel(name="kind")
    assert [call.result().id for call in calls] == [tx.id] * 2
    with pytest.raises(xichan.NotFound):
        xichan.unpublish("kind")
    with pytest.raises(xichan.Error, match="in use"):
        xichan.publish("kind", 1)


def test_a_published_value_stays_until_unpublish(published):
    rng = random.Random(7)
    before = alive()
    values = {f"value {i}": random_value(rng) for i in range(100)}
    for name, value in values.items():
        published(name, value)
    for name, value in values.items():
        with pytest.raises(xichan.Error, match="in use"):
            xichan.publish(name, 1)
        with pytest.raises(xichan.Error, match="in use"):
            xichan.channel(name=name)
        assert same(xichan.lookup(name), value) and same(xichan.lookup(name), value)
    with pytest.raises(xichan.NotShareableError):
        xichan.publish("never", [object()])
    with pytest.raises(xichan.NotFound):
        xichan.unpublish("never")
    assert alive()["blocks"] > before["blocks"]


def test_published_endpoints_are_held_and_copied():
    tx, rx = xichan.channel()
    xichan.publish("service", (1, tx, TEXT))
    assert counts(rx) == (2, 1)
    tx.close()
    for i in range(3):
        number, end, text = xichan.lookup("service")
        assert counts(rx) == (2, 1) and (number, text) == (1, TEXT)
        end.send(i)
        end.close()
    assert rx.drain() == [0, 1, 2] and not rx.closed
    xichan.unpublish("service")
    assert rx.closed
    with pytest.raises(xichan.NotFound):
        xichan.unpublish("service")


def test_names_are_shared_by_all_interpreters(published):
    pytest.importorskip("concurrent.interpreters")
    tx, rx = xichan.channel(name="ours")
    waiting = Call(xichan.Receiver.lookup, "theirs", PATIENCE)
    before = alive()
    with interpreter() as interp:
        other = execute(
            interp,
            """
            import xichan
            with xichan.Sender.lookup("ours") as end:
                end.send("text that needs a block")
            tx, rx = xichan.channel(name="theirs")
            xichan.publish("constant", (1, "text that needs a block"))
            assert xichan.lookup("later", 30) == "published by main"
            tx.send("from there")
            tx.close()
            del rx
        """,
        )
        assert rx.recv(PATIENCE) == TEXT
        with waiting.result() as theirs:
            published("later", "published by main")
            other.result()
            assert list(theirs) == ["from there"]
        wait_until(lambda: counts(tx) == (1, 1))
    assert xichan.lookup("constant") == (1, TEXT), "outlives the interpreter that published it"
    for name in ("constant", "later"):
        xichan.unpublish(name)
    del theirs, waiting
    assert left_over(before) == {}


def test_one_of_several_interpreters_gets_a_name():
    pytest.importorskip("concurrent.interpreters")
    source = """
        import xichan
        made = found = 0
        for i in range(1500):
            name = f"name {i % 3}"
            try:
                ends = xichan.channel(1, name=name)
                made += 1
                assert ends[0].name == name
                ends[0].send_nowait((name, ends[1]))
                ends[0].shutdown(immediate=True)
            except xichan.NotFound:
                raise AssertionError
            except xichan.ChannelClosed:
                pass
            except xichan.Error:
                try:
                    with xichan.Sender.lookup(name) as end:
                        found += 1
                        end.send_nowait("x" * 100)
                except (xichan.NotFound, xichan.ChannelClosed, xichan.ChannelFull):
                    pass
        assert made
    """
    before = alive()
    with interpreter() as one, interpreter() as other:
        calls = [execute(one, source), execute(other, source)]
        for call in calls:
            call.result()
    assert left_over(before) == {} and names_in_use() == set()


def test_ctrl_c_interrupts_lookup():
    run_script("""
        import os, signal, threading, time, xichan
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for _ in range(3):
            try:
                threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
                xichan.lookup("nothing", None)
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError
    """)
