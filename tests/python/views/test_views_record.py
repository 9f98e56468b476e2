"""xichan.RecordView: reads the fields of an object in place, without its class."""

import copy
import datetime
import enum
import pickle
import sys
import types
import weakref
from dataclasses import dataclass, make_dataclass

import pytest
from support import execute, interpreter, viewed
from support import record_types as kinds

import xichan

LONG = "x" * 1000


@dataclass
class Value:
    value: object
    __len__: object = None
    _private: object = 1
    a_name_of_more_than_fourteen_characters: object = 2
    über: object = 3


WIDE = make_dataclass("WIDE", [f"field_number_{i}" for i in range(400)], module=__name__)


def test_record_view_type_and_protocols():
    view = viewed(kinds.Point(1, [2]))
    assert type(view) is xichan.RecordView and weakref.ref(view)() is view
    for make in (
        lambda: xichan.RecordView(),
        lambda: xichan.RecordView(kinds.Point(1)),
        lambda: type("T", (xichan.RecordView,), {}),
        lambda: iter(view),
        lambda: len(view),
        lambda: view[0],
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(AttributeError):
        view.x = 1
    with pytest.raises(AttributeError, match="'xichan.RecordView' object has no attribute 'z'"):
        view.z  # noqa: B018
    assert bool(view) and getattr(view, "z", 5) == 5 and hasattr(view, "x")


def test_record_view_reads_fields_as_attributes():
    view = viewed(kinds.Point({"k": LONG}, [LONG.encode(), (1,), kinds.Frozen("n")]))
    assert type(view.x) is xichan.DictView and type(view.x["k"]) is xichan.StrView
    assert [type(item) for item in view.y] == [xichan.BytesView, xichan.TupleView, xichan.RecordView]
    assert view.y[2].name == "n" and view.y[2].items == ()
    assert view.__record_type__ == "support.record_types.Point" and {"x", "y", "value"} <= set(dir(view))
    for value in (kinds.Slotted(1, [2]), kinds.SlottedDerived(1, 2, 3), kinds.DictOverSlots(1, 2, 3)):
        view = viewed(value)
        assert all(getattr(view, name) == getattr(value, name) for name in "ab")
    assert viewed(kinds.Outer.Inner(5)).__record_type__ == "support.record_types.Outer.Inner"


def test_names_of_fields_do_not_collide():
    view = viewed(Value("field"))
    assert view.value == "field" and view._private == 1 and view.über == 3 and "value" in dir(view)
    assert view.a_name_of_more_than_fourteen_characters == 2 and view.__class__ is xichan.RecordView
    with pytest.raises(AttributeError):
        view.a_name_of_more_than_fourteen_character  # noqa: B018
    assert xichan.RecordView.value(view) == Value("field")

    class Name(str):
        __slots__ = ()

    assert getattr(view, Name("value")) == "field" and getattr(view, Name("_private")) == 1


def test_wide_record_view_finds_every_field():
    view = viewed([WIDE(*range(400)), kinds.Point(1, 2), WIDE(*range(400, 800))])
    for _ in range(2):
        for i in range(400):
            name = f"field_number_{i}"
            assert getattr(view[0], name) == i and getattr(view[2], name) == i + 400
            assert not hasattr(view[1], name) and view[1].y == 2


def test_record_view_equality():
    view = viewed(kinds.Point(1, [{"k": LONG}]))
    for other in (viewed(kinds.Point(1, [{"k": LONG}])), kinds.Point(1, [{"k": LONG}])):
        assert view == other and other == view and not view != other
    for other in (viewed(kinds.Point(1, [])), kinds.Point(1), kinds.Derived(1, [{"k": LONG}]), 1, None, (1, 2),
                  viewed(kinds.Slotted(1, [{"k": LONG}])), viewed(kinds.Derived(1, [{"k": LONG}]))):  # fmt: skip
        assert view != other and other != view
    with pytest.raises(TypeError):
        view < view  # noqa: B015
    assert viewed([kinds.Point(1)]) == [kinds.Point(1)] and kinds.Point(1) in viewed([kinds.Point(1)])
    assert viewed({"k": kinds.Color.RED}) == {"k": kinds.Color.RED} and viewed(kinds.Color.RED) == kinds.Color.RED
    assert viewed(kinds.Color.RED) != kinds.Color.TABLE


def test_record_view_hashes_like_its_object():
    for value in (kinds.Frozen("n", (1, 2)), kinds.FrozenSlotted(a=LONG), kinds.Color.RED, kinds.Pair(1, LONG),
                  kinds.Mode.READ | kinds.Mode.OTHER, kinds.Planet.EARTH):  # fmt: skip
        view = viewed([value])[0]
        assert hash(view) == hash(value) and {value: 1}[view] == 1 and view in {value}
        assert hash(viewed((value, 1))) == hash((value, 1)) and viewed({value: 5})[value] == 5
        assert value in viewed({value}) and viewed(frozenset({value})) == frozenset({value})
    for value in (kinds.Point(1), kinds.Frozen([]), kinds.Pair([], 1)):
        with pytest.raises(TypeError):
            hash(viewed(value))


def test_record_view_of_a_named_tuple_is_a_sequence():
    value = kinds.Triple(1, [2], LONG)
    view = viewed(value)
    assert type(view) is xichan.RecordView and view.a == 1 and view.b == [2] and type(view.c) is xichan.StrView
    assert view == value and value == view and view == (1, [2], LONG) and tuple(view) == value and len(view) == 3
    assert view == viewed((1, [2], LONG)) and viewed((1, [2], LONG)) == view and view != (1, 2)
    a, *rest = view
    assert a == view[0] == 1 and rest == [[2], LONG] == list(view[1:]) and view < (1, [3]) and bool(view)
    assert type(view.value()) is kinds.Triple and view.value() == value
    assert viewed(kinds.Pair(1, 2)) == viewed(kinds.Lean(1, 2)) == (1, 2)


def test_record_view_repr():
    value = kinds.Point(1, [kinds.Frozen("n", {"k": kinds.Pair(1, (2,))}), {kinds.Color.RED}])
    shown = "Point(x=1, y=[Frozen(name='n', items={'k': Pair(left=1, right=(2,))}), {Color(name='RED')}])"
    assert repr(viewed(value)) == f"xichan.RecordView({shown})"
    assert repr(viewed([value])) == f"xichan.ListView([{shown}])"
    assert repr(viewed(kinds.Outer.Inner(1))) == "xichan.RecordView(Outer.Inner(value=1))"


def test_copies_of_a_record_view_are_objects():
    for value in (kinds.Point(1, [LONG]), kinds.Pair(1, 2), kinds.Color.RED, Value(1), kinds.FrozenSlotted(a=(1,))):
        view = viewed(value)
        pickles = [pickle.loads(pickle.dumps(view, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
        for copied in (xichan.RecordView.value(view), copy.copy(view), copy.deepcopy(view), *pickles):
            assert type(copied) is type(value) and copied == value


def test_standard_types_are_not_records():
    now = datetime.datetime(2026, 1, 2, 3, 4)
    view = viewed([now, kinds.Point(now)])
    assert type(view[0]) is datetime.datetime and view[1].x == now


def test_record_view_matches_by_attributes():
    match viewed(kinds.Point(1, [2, 3])):
        case xichan.RecordView(x=1, y=[first, *_]):
            assert first == 2
        case _:
            raise AssertionError


def test_record_view_needs_no_class():
    module = types.ModuleType("vanishing")
    sys.modules["vanishing"] = module

    class Gone(enum.Enum):
        ONE = 1

    module.Gone = Gone
    Gone.__module__, Gone.__qualname__ = "vanishing", "Gone"
    try:
        view = viewed([Gone.ONE, {Gone.ONE: LONG}, frozenset({Gone.ONE})])
        sent = viewed(view)
    finally:
        del sys.modules["vanishing"]
    with interpreter(rx=None) as interp:
        tx, rx = xichan.channel()
        interp.prepare_main(rx=rx)
        tx.send(sent)
        execute(
            interp,
            """
            import xichan
            view = rx.recv(copy=False)
            assert view[0].name == "ONE" and view[0].__record_type__ == "vanishing.Gone"
            assert repr(view[0]) == "xichan.RecordView(Gone(name='ONE'))" and hash(view[0]) == hash(view[0])
            assert list(view[1]) == [view[0]] and view[1][view[0]] == "x" * 1000 and view[0] in view[2]
            assert view[0] == view[0] and view == view[:3] and view != [1] and hash(view[2])
            for make in (view[0].value, view.value):
                try:
                    make()
                except xichan.DecodeError as error:
                    assert error.record.name == "ONE", error.record
                else:
                    raise AssertionError
            """,
        ).result()


def test_record_from_bytes_stays_a_view_wherever_it_is_sent():
    data = xichan.dumps({"k": [kinds.Point(1, (2,))]})
    loaded = xichan.loads(data)
    view = loaded["k"][0]
    assert type(view) is xichan.RecordView and view.y == (2,) and view != kinds.Point(1, (2,))
    tx, rx = xichan.channel()
    for value in (view, loaded, xichan.share(loaded), viewed(loaded)):
        tx.send(value)
        received = rx.recv()
        if type(received) is xichan.Shared:
            received = received.value()
        found = received["k"][0] if isinstance(received, dict) else received
        assert type(found) is xichan.RecordView and found == view
        for make in (found.value, lambda found=found: copy.copy(found), lambda found=found: pickle.dumps(found)):
            with pytest.raises(xichan.DecodeError, match="loads") as raised:
                make()
            assert raised.value.record == view
    assert type(viewed(view)) is xichan.RecordView and hash(view.y) == hash((2,))
    again = xichan.loads(xichan.dumps(loaded), classes=[kinds.Point])
    assert again == {"k": [kinds.Point(1, (2,))]}
