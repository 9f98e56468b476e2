"""Sender and Receiver as types, and channel ids."""

import pickle
import random
import types

import pytest
from support import counts, run_script

import xichan

ENDS = [xichan.Sender, xichan.Receiver]


@pytest.mark.parametrize("end", ENDS)
def test_endpoints_cannot_be_constructed(end):
    for make in (end, lambda: end(1), lambda: end.__new__(end), lambda: object.__new__(end)):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        type("Derived", (end,), {})
    with pytest.raises(TypeError):
        end.send = None
    with pytest.raises((TypeError, AttributeError)):
        xichan.channel()[0].attribute = 1
    with pytest.raises(TypeError):
        xichan.channel()[ENDS.index(end)].__class__ = ENDS[1 - ENDS.index(end)]


@pytest.mark.parametrize("end", ENDS)
def test_endpoint_types_are_generic(end):
    alias = end[int]
    assert isinstance(alias, types.GenericAlias)
    assert alias.__origin__ is end and alias.__args__ == (int,)
    assert repr(alias) == f"xichan.{end.__name__}[int]"
    assert end.__module__ == "xichan" and end.__qualname__ == end.__name__


def test_public_types_are_named_as_they_are_imported():
    types_of = [getattr(xichan, name) for name in xichan.__all__ if isinstance(getattr(xichan, name), type)]
    assert [cls.__name__ for cls in types_of if cls.__module__ != "xichan"] == []


def test_methods_refuse_other_objects():
    tx, rx = xichan.channel()
    for method, other in [
        (xichan.Sender.send, rx), (xichan.Receiver.recv, tx), (xichan.Sender.close, object()),
        (xichan.Sender.clone, 1), (xichan.Receiver.__next__, tx), (xichan.Sender.__len__, None),
        (xichan.Sender.id.__get__, object()), (xichan.Receiver.closed.__get__, "x"), (xichan.Sender.__reduce__, ()),
    ]:  # fmt: skip
        with pytest.raises(TypeError):
            method(other)


def test_common_base_cannot_be_used_directly():
    """Runs in its own process: a mistake here crashes."""
    run_script("""
        import xichan

        base = xichan.Sender.__base__
        tx, rx = xichan.channel()

        def refused(call, *args):
            try:
                made = call(*args)
            except TypeError:
                return
            raise AssertionError(f"{call} made {made}")

        class Derived(base):
            pass

        for kind in (base, Derived):
            refused(kind)
            refused(kind.__new__, kind)
            refused(object.__new__, kind)
            refused(kind.from_id, tx.id)
            refused(kind.from_id, 1)
            refused(kind.close, object())
    """)


def test_endpoints_of_a_channel_share_one_id():
    tx, rx = xichan.channel()
    assert type(tx.id) is int and tx.id > 0
    assert tx.id == rx.id == tx.clone().id == rx.clone().id
    assert xichan.channel()[0].id != tx.id
    before = tx.id
    tx.close()
    assert tx.id == before
    with pytest.raises(AttributeError):
        tx.id = 1


def test_from_id_opens_another_endpoint():
    tx, rx = xichan.channel()
    second_tx, second_rx = xichan.Sender.from_id(rx.id), xichan.Receiver.from_id(tx.id)
    assert type(second_tx) is xichan.Sender and type(second_rx) is xichan.Receiver
    assert counts(tx) == (2, 2)
    second_tx.send("hello")
    assert rx.recv() == "hello"
    tx.close()
    second_tx.close()
    with pytest.raises(xichan.NotFound):
        xichan.Sender.from_id(rx.id)
    assert xichan.Receiver.from_id(rx.id).closed


def test_stale_id_raises_not_found():
    tx, rx = xichan.channel()
    stale = tx.id
    del tx, rx
    for end in ENDS:
        with pytest.raises(xichan.NotFound):
            end.from_id(stale)
    successors = [xichan.channel() for _ in range(10)]  # one of them where the old one was
    for end in ENDS:
        with pytest.raises(xichan.NotFound):
            end.from_id(stale)
    assert stale not in {tx.id for tx, rx in successors}


def test_ids_of_10_000_channels_are_unique_and_become_stale():
    kept_tx, kept_rx = xichan.channel()
    seen = {kept_tx.id}
    for _ in range(10_000):
        tx, rx = xichan.channel(1)
        assert tx.id not in seen
        seen.add(tx.id)
    del tx, rx
    for stale in seen - {kept_tx.id}:
        with pytest.raises(xichan.NotFound):
            xichan.Receiver.from_id(stale)
    assert counts(kept_tx) == (1, 1)


def found(end, number):
    try:
        end.from_id(number)
    except xichan.NotFound:
        return False
    return True


def test_guessed_ids_raise_not_found():
    channels = [xichan.channel() for _ in range(100)]
    ids = [tx.id for tx, rx in channels]
    rng = random.Random(7)
    guesses = {rng.getrandbits(128) for _ in range(100_000)}
    guesses |= {n ^ 1 << bit for n in ids for bit in range(128)}  # near misses: one bit wrong
    guesses |= {n + off for n in ids for off in (-1, 1, 2**64, -(2**64), 2**128, -(2**128))}
    guesses |= {-n for n in ids} | {n & 2**64 - 1 for n in ids} | {n >> 64 for n in ids} | {n << 64 for n in ids}
    guesses |= set(range(-100, 1000)) | {10**k for k in range(5000, 5003)} | {-(10**5000), 2**128, 2**129, -(2**127)}
    assert not guesses & set(ids)
    assert [n for n in guesses if found(xichan.Sender, n) or found(xichan.Receiver, n)] == []
    assert all(counts(tx) == (1, 1) for tx, rx in channels)
    assert all(found(xichan.Sender, n) for n in ids)


@pytest.mark.parametrize("wrong", [None, 1.0, "1", b"1", (), True, [], 1j, ...], ids=repr)
@pytest.mark.parametrize("end", ENDS)
def test_id_must_be_an_int(end, wrong):
    with pytest.raises(TypeError):
        end.from_id(wrong)


def test_public_names_are_attributes():
    assert set(xichan.__all__) <= set(dir(xichan))
    assert all(getattr(xichan, name) is not None for name in xichan.__all__)
    assert not any(hasattr(xichan, name) for name in ("Stats", "lookup_sender", "lookup_receiver"))
    for name in ("channel", "is_shareable", "set_memory_limit", "memory_stats", "__version__", "Sender", "Receiver"):
        assert name in xichan.__all__
    assert isinstance(xichan.__version__, str)


def test_forged_pickles_are_refused():
    tx, rx = xichan.channel()
    function, arguments = tx.__reduce__()
    number, nonce, ticket, end = arguments
    for forged in [(number, nonce ^ 1, ticket, end), (number ^ 1, nonce, ticket + 1000, end), (-1, nonce, 0, end)]:
        with pytest.raises(xichan.NotFound):
            function(*forged)
    for forged in [(), (None, nonce, ticket, end), (number, None, ticket, end), (number, nonce, "x", end)]:
        with pytest.raises(TypeError):
            function(*forged)
    function(*arguments)  # the ticket is still good
    assert pickle.loads(pickle.dumps(rx)).id == rx.id
