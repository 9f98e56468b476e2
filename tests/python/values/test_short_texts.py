"""Short texts arrive equal and exact, whatever was received before: the decoder keeps the last ones."""

import gc
import random
import sys

import pytest
from support import execute, interpreter

import xichan

ALPHABETS = {"ascii": "ab~\0", "latin1": "aéÿ", "ucs2": "aπ￿", "ucs4": "a𐀀🤖"}


def through(values, copy=True):
    tx, rx = xichan.channel(len(values))
    tx.send_many(values)
    return rx.recv_many(len(values), copy=copy)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_texts_of_each_length_arrive_equal(alphabet):
    rng = random.Random(1)
    texts = ["".join(rng.choices(alphabet, k=rng.randrange(16))) for _ in range(5000)]
    texts += [character * length for character in alphabet for length in range(20)]
    for sent in (texts, [(text, [text], {text: text}) for text in texts]):
        for _ in range(2):
            got = through(sent)
            assert got == sent and all(type(one) is type(other) for one, other in zip(got, sent, strict=True))
    assert all(type(text) is str for text in through(texts))


def test_equal_short_texts_need_the_memory_of_one():
    tx, rx = xichan.channel()
    kept = [None] * 20_000
    gc.collect()
    before = sys.getallocatedblocks()
    for i in range(len(kept)):
        tx.send("twelve chars")
        kept[i] = rx.recv()
    assert sys.getallocatedblocks() - before < 1000
    assert set(kept) == {"twelve chars"}


@pytest.mark.parametrize("make", [str, lambda i: {"key": str(i)}, lambda i: (str(i), i)], ids=["str", "dict", "tuple"])
def test_distinct_short_texts_are_not_kept(make):
    tx, rx = xichan.channel()
    for i in range(2000):  # so that everything that is kept is there
        tx.send(make(i))
        rx.recv()
    gc.collect()
    before = sys.getallocatedblocks()
    for i in range(10_000, 30_000):
        tx.send(make(i))
        assert rx.recv() == make(i)
    gc.collect()
    assert sys.getallocatedblocks() - before < 1000


def test_text_that_is_appended_to_stays_what_it_was():
    tx, rx = xichan.channel()
    for _ in range(3):
        tx.send("short")
        text = rx.recv()
        text += " and then"
        assert text == "short and then"
        tx.send({"short": 1})
        (key,) = rx.recv()
        assert sys.intern(key) == "short"


class Named(str):
    """Not shareable as it is, so it is pickled."""


def test_subclass_of_str_does_not_stand_for_its_text():
    tx, rx = xichan.channel(pickle=True)
    for sent in (Named("name"), "name", Named("name"), {"name": "name"}):
        tx.send(sent)
        got = rx.recv()
        assert got == sent and type(got) is type(sent)
    assert all(type(text) is str for pair in got.items() for text in pair)


def test_fields_and_keys_and_values_arrive_equal_when_texts_collide():
    words = [f"w{i:05}" for i in range(3000)]
    values = [{a: b, b: a} for a, b in zip(words, words[1:], strict=False)]
    assert through(values) == values
    assert [dict(view) for view in through(values, copy=False)] == values


def test_an_interpreter_that_ends_releases_its_texts():
    tx, rx = xichan.channel(4)
    for _ in range(3):
        with interpreter(rx=rx, tx=tx) as interp:
            ran = execute(
                interp,
                """
                import xichan
                for i in range(2000):
                    tx.send(f"text {i}")
                    assert rx.recv() == f"text {i}"
                kept = rx, [f"text {i}" for i in range(9)]
                tx.send("left")
            """,
            )
            ran.result()
        assert rx.recv() == "left"
    tx.send("after")
    assert rx.recv() == "after"
