"""Exceptions arrive with their type, arguments, notes, cause and attributes."""

import subprocess

import pytest
from support import record_types as t
from support.dump_format import of_type
from support.record_samples import EXCEPTIONS, raised
from support.reference_records import Encoder, alike, round_trip

import xichan
from xichan import _records

ATTRIBUTES = (
    "errno", "strerror", "filename", "filename2", "characters_written", "encoding", "object", "start", "end", "reason",
    "name", "path", "msg", "lineno", "offset", "text", "end_lineno", "end_offset", "code", "value",
)  # fmt: skip


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exception_arrives_as_it_was(name):
    error = EXCEPTIONS[name]()
    back = round_trip(error)
    assert type(back) is type(error) and repr(back) == repr(error) and str(back) == str(error)
    assert alike(back, error)
    for attribute in ATTRIBUTES:
        assert getattr(back, attribute, "none") == getattr(error, attribute, "none"), attribute
    assert back.__traceback__ is None and back.__context__ is None


@pytest.mark.parametrize("error", [OSError(2, "a", "b"), ImportError("a"), StopIteration(1), SystemExit(1)], ids=repr)
def test_attributes_that_were_set_later_travel(error):
    for attribute in ("filename", "name", "value", "code"):
        if hasattr(error, attribute):
            setattr(error, attribute, "later")
            assert getattr(round_trip(error), attribute) == "later"


def test_no_method_of_the_class_runs():
    t.CALLS.clear()
    error = t.Failure(3, where="here")
    assert t.CALLS == ["Failure"]
    back = round_trip(error)
    assert t.CALLS == ["Failure"] and back.where == "here" and back.args == ("code 3",)


def test_slots_travel():
    error = t.SlottedFailure("key")
    error.detail = [error]
    back = round_trip(error)
    assert back.detail[0] is back and back.args == ("key",)
    assert not hasattr(back, "_hidden")


def test_causes_travel_and_the_context_stays_behind():
    def fail():
        try:
            raise KeyError(1)
        except KeyError as error:
            raise ValueError(2) from error

    back = round_trip(raised(fail))
    assert repr(back.__cause__) == "KeyError(1)" and back.__suppress_context__ and back.__context__ is None

    def suppress():
        try:
            raise KeyError(1)
        except KeyError:
            raise ValueError(2) from None

    back = round_trip(raised(suppress))
    assert back.__cause__ is None and back.__suppress_context__
    assert not round_trip(ValueError(1)).__suppress_context__


def test_cycle_of_causes_survives():
    one, other = ValueError(1), KeyError(2)
    one.__cause__, other.__cause__ = other, one
    one.parts = [other]
    back = round_trip([one, other])
    assert back[0].__cause__ is back[1] and back[1].__cause__ is back[0] and back[0].parts[0] is back[1]


def test_derive_of_a_group_works_after_the_transfer():
    group = t.Failures([ValueError(1), KeyError(2)], 5)
    group.add_note("note")
    matched, rest = round_trip(group).split(ValueError)
    assert type(matched) is type(rest) is t.Failures and matched.code == rest.code == 5
    assert repr(matched.exceptions) == "(ValueError(1),)" and matched.__notes__ == ["note"]


def test_members_of_a_group_stay_the_same_objects():
    error = ValueError(1)
    group = ExceptionGroup("text", [error, ExceptionGroup("inner", [error])])
    back = round_trip((group, error))
    assert back[0].exceptions[0] is back[0].exceptions[1].exceptions[0] is back[1]
    assert back[0].args[1][0] is back[1]


def test_object_of_an_attribute_error_travels_if_it_is_plain():
    """It is a hint for the message, of any type and size: the exception must arrive without it."""
    assert round_trip(raised(getattr, "text", "missing")).obj == "text"
    back = round_trip(raised(getattr, subprocess, "missing"))
    assert back.obj is None and back.name == "missing" and str(back) == "module 'subprocess' has no attribute 'missing'"


def test_endpoint_of_a_case_and_refused_item_stay_behind():
    closed = xichan.ChannelClosed("text")
    closed.case = object()
    assert round_trip(closed).case is None
    refused = xichan.NotShareableError("text")
    refused.item, refused.path = object(), "value[1]"
    back = round_trip(refused)
    assert back.item is None and back.path == "value[1]"


def test_arguments_keep_their_identity_and_cycles():
    inner = [1]
    outer = [inner]
    outer.append(outer)
    tx, rx = xichan.channel(1)
    tx.send((ValueError(outer), outer))
    error, other = rx.recv()
    assert error.args[0] is other and other[1] is other and other[0] == [1]


def test_part_that_cannot_be_sent_is_refused():
    error = ValueError(object())
    with pytest.raises(xichan.NotShareableError) as caught:
        Encoder().encode(error)
    assert caught.value.item is error.args[0]


def test_fields_of_other_types_are_refused():
    """A foreign dump must not start a computation that never ends."""
    names = ("args", "attributes", "cause", "suppress_context")
    _, cls, create, fill = _records.resolve(("builtins", "ValueError", "exception", names))
    for fields in [(range(10**12), {}, None, False), ((), [], None, False), ((), {}, 1, False)]:
        with pytest.raises(TypeError):
            fill(create(cls), *fields)
    names += ("message", "exceptions")
    _, cls, create, _ = _records.resolve(("builtins", "ExceptionGroup", "exception", names))
    with pytest.raises(TypeError):
        create((), {}, None, False, "text", range(10**12))


def contained_in_itself(way):
    member = ValueError("member")
    group = t.Failures([member, KeyError(2)], 5) if way == "derived" else ExceptionGroup("group", [member, KeyError(2)])
    if way == "args":
        member.args = ([group],)
    elif way == "attribute":
        member.group = {"group": group}
    elif way == "base":
        group = BaseExceptionGroup("group", [KeyboardInterrupt(), member])
        member.__cause__ = group
    else:
        member.__cause__ = group
    return group


@pytest.mark.parametrize("way", ["cause", "derived", "args", "attribute", "base"])
def test_group_in_its_own_member_arrives_so(way):
    tx, rx = xichan.channel()
    number = 1 if way == "base" else 0
    for part in (lambda group: group, lambda group: group.exceptions[number]):
        sent = contained_in_itself(way)
        tx.send(part(sent))
        received = rx.recv()
        member = received if isinstance(received, ValueError) else received.exceptions[number]
        group = member.__cause__
        if way == "args":
            group = member.args[0][0]
        elif way == "attribute":
            group = member.group["group"]
        assert type(group) is type(sent) and group.message == sent.message and len(group.exceptions) == 2
        assert group.exceptions[number] is member and received in (group, member)
        assert getattr(group, "code", 5) == 5 and repr(group.args) == repr(sent.args)
        loaded = xichan.loads(xichan.dumps(sent), classes=[t.Failures])
        assert type(loaded) is type(sent) and len(loaded.exceptions) == 2


@pytest.mark.parametrize("members", [(), (1,), (None,), [ValueError()], (ValueError(), KeyboardInterrupt()), 5])
def test_group_of_other_members_is_refused(members):
    names = ("args", "attributes", "cause", "suppress_context", "message", "exceptions")
    fields = ((), {}, None, False, "message", members)
    with pytest.raises(xichan.DecodeError):
        xichan.loads(of_type("builtins", "ExceptionGroup", "exception", names, *fields))
