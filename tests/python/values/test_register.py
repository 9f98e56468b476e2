"""Classes that the program registers."""

import datetime
import enum
import pathlib

import pytest
from support import Call, execute, interpreter
from support import record_types as t
from support.reference_records import Encoder, round_trip

import xichan
from xichan._records import registry


@pytest.fixture(autouse=True)
def unregister():
    """Forget what a test registers."""
    before = set(registry._registered)
    yield
    for cls in set(registry._registered) - before:
        del registry._registered[cls]
        xichan._core._forget_plan(cls)


def test_registered_object_is_made_by_decode():
    xichan.register(t.Plain, lambda obj: [obj.value], lambda value: t.Plain(value[0]))
    value = t.Plain([1, t.Point(2)])
    back = round_trip((value, value))
    assert type(back[0]) is t.Plain and back[0] == value and back[0] is back[1]
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send((value, value))
        back = rx.recv()
    assert back[0] == value and back[0] is back[1]


def test_registration_takes_effect_after_a_refusal_and_replaces_functions():
    tx, rx = xichan.channel(1)
    with tx, rx:
        with pytest.raises(xichan.NotShareableError):
            tx.send(t.Plain(1))
        xichan.register(t.Plain, lambda obj: obj.value, t.Plain)
        tx.send(t.Plain(1))
        assert rx.recv() == t.Plain(1)
        xichan.register(t.Plain, lambda obj: obj.value + 1, t.Plain)
        tx.send(t.Plain(1))
        assert rx.recv() == t.Plain(2)


@pytest.mark.parametrize("value", [t.Point(1), t.Color.RED, t.Failure(1, where=2)], ids=repr)
def test_registration_takes_precedence(value):
    cls = type(value)
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send(value)
        rx.recv()
        made = []
        xichan.register(cls, lambda obj: "encoded", lambda text: made.append(text) or value)
        tx.send(value)
        assert rx.recv() is value and made == ["encoded"]


def test_subclass_is_registered_separately():
    xichan.register(t.Plain, lambda obj: obj.value, t.Plain)

    class Derived(t.Plain):
        pass

    with pytest.raises(xichan.NotShareableError):
        Encoder().encode(Derived())


def test_encoded_value_may_contain_records_and_the_same_objects():
    xichan.register(t.Plain, lambda obj: {"value": obj.value}, lambda value: t.Plain(value["value"]))
    shared = [t.Color.RED]
    tx, rx = xichan.channel(1)
    with tx, rx:
        tx.send([t.Plain(shared), shared, t.Plain(t.Plain(shared))])
        one, two, three = rx.recv()
    assert one.value is two and three.value.value is two and two == [t.Color.RED]


def test_exception_of_encode_is_raised_by_send():
    xichan.register(t.Plain, lambda obj: 1 / 0, t.Plain)
    tx, rx = xichan.channel(1)
    with tx, rx:
        with pytest.raises(ZeroDivisionError):
            tx.send([t.Plain()])
        assert len(rx) == 0


def test_part_of_an_encoded_value_that_cannot_be_sent_is_named():
    part = object()
    xichan.register(t.Plain, lambda obj: {"part": part}, t.Plain)
    tx, rx = xichan.channel(1)
    with tx, rx, pytest.raises(xichan.NotShareableError) as caught:
        tx.send([t.Plain()])
    assert caught.value.item is part and caught.value.path == "value[0].encoded['part']"


def fail(value):
    raise OSError("no")


@pytest.mark.parametrize("decode, cause", [(fail, OSError), (lambda value: None, TypeError)], ids=["raises", "None"])
def test_failure_of_decode_raises_decode_error(decode, cause):
    xichan.register(t.Plain, lambda obj: [obj.value], decode)
    tx, rx = xichan.channel(2)
    with tx, rx:
        tx.send((1, t.Plain([5])))
        tx.send("next")
        with pytest.raises(xichan.DecodeError) as caught:
            rx.recv()
        assert type(caught.value.__cause__) is cause
        assert caught.value.record.encoded == [[5]]
        assert rx.recv() == "next"


def test_receiver_imports_the_module_that_registers():
    """Each interpreter registers its own classes."""
    pytest.importorskip("concurrent.interpreters")
    xichan.register(t.Plain, lambda obj: obj.value, t.Plain)
    tx, rx = xichan.channel(4)
    with tx, rx, interpreter(rx=rx) as interp:
        tx.send(t.Plain(1))
        tx.send(t.Plain(2))
        execute(
            interp,
            """
            import xichan

            try:
                rx.recv()
            except xichan.DecodeError as error:
                assert "not registered in this interpreter" in str(error.__cause__), error.__cause__
                assert xichan.RecordView.__dict__["value"]
            else:
                raise AssertionError
            from support import record_types as t
            xichan.register(t.Plain, lambda obj: obj.value, t.Plain)
            assert rx.recv() == t.Plain(2)
        """,
        ).result()


def test_value_that_changes_while_it_is_reduced_is_sent_or_refused():
    """An encoder may change the containers around its object. Never a crash."""
    tx, rx = xichan.channel(100)
    value = []

    def encode(obj):
        if len(value) < 50:
            value.append(t.Plain(len(value)))
        return obj.value

    xichan.register(t.Plain, encode, t.Plain)
    value.append(t.Plain(0))
    with tx, rx:
        for _ in range(20):
            try:
                Call(tx.send, value).result()
            except RuntimeError as error:
                assert "changes" in str(error)
            else:
                assert all(type(item) is t.Plain for item in rx.recv())


@pytest.mark.parametrize(
    "cls", [int, str, dict, type(None), type(...), memoryview, datetime.date, xichan.Sender, xichan.TupleView], ids=repr
)
def test_class_that_is_sent_natively_is_refused(cls):
    with pytest.raises(ValueError, match="needs no registration"):
        xichan.register(cls, str, str)


@pytest.mark.parametrize("cls", [pathlib.PurePosixPath, enum.Enum, ValueError], ids=repr)
def test_other_classes_can_be_registered(cls):
    xichan.register(cls, str, cls)


@pytest.mark.parametrize(
    "arguments", [(1, str, str), ("Plain", str, str), (t.Plain, None, str), (t.Plain, str, 1)], ids=repr
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(TypeError, match="expected a class|must be callable"):
        xichan.register(*arguments)
