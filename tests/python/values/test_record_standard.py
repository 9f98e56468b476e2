"""The standard types of records.h arrive unchanged."""

import collections
import datetime
import decimal
import logging
import types
import uuid
import zoneinfo

import pytest
from support import record_types as t
from support.record_samples import NATIVE, STANDARD
from support.reference_records import Encoder, alike, round_trip, types_in

import xichan
from xichan import _records


@pytest.mark.parametrize("number, value", [(n, value) for n, values in STANDARD.items() for value in values], ids=repr)
def test_object_arrives_as_it_was(number, value):
    encoded = Encoder().encode(value)
    assert encoded.type == number
    back = round_trip([value])[0]
    assert type(back) is type(value) and alike(back, value)
    if number != 25:
        assert back == value and repr(back) == repr(value)
    if number == 21:
        assert back.maxlen == value.maxlen
    if number == 24:
        assert back.default_factory is value.default_factory


@pytest.mark.parametrize("value, fields", NATIVE, ids=repr)
def test_native_type_is_made_from_its_fields(value, fields):
    kind, cls, create, _ = _records.resolve_standard(fields[0])
    assert kind == _records.MAKE and cls is type(value)
    made = create(*fields[1:])
    assert type(made) is cls and repr(made) == repr(value)
    if cls is uuid.UUID:
        assert made.is_safe is value.is_safe
    if cls is datetime.time:
        assert made.fold == value.fold


def test_containers_may_contain_themselves():
    queue = collections.deque(maxlen=5)
    queue.append(queue)
    ordered = collections.OrderedDict(a=queue)
    ordered["self"] = ordered
    found = collections.defaultdict(list, a=ordered)
    found["self"] = types.SimpleNamespace(found=found)
    back = round_trip(found)
    assert back["self"].found is back and back["a"]["self"] is back["a"]
    assert back["a"]["a"][0] is back["a"]["a"] and back["a"]["a"].maxlen == 5


def test_factory_of_another_class_travels_with_the_type():
    """loads() makes the object only if its class is listed."""
    value = collections.defaultdict(t.Point, a=1)
    assert types_in(Encoder().encode(value)) == [(t.__name__, "Point", "default_dict", ("items",))]
    back = round_trip(value)
    assert back == value and back.default_factory is t.Point


@pytest.mark.parametrize("factory", [lambda: 1, [].copy, type("Local", (), {})], ids=["lambda", "method", "local"])
def test_factory_without_a_name_is_refused(factory):
    with pytest.raises(xichan.NotShareableError) as caught:
        Encoder().encode(collections.defaultdict(factory))
    assert caught.value.item is factory


def test_factory_from_outside_the_list_is_refused():
    """A dump from a foreign source must not choose what a dict calls."""
    _, cls, create, fill = _records.resolve_standard(24)
    for name in ("print", "object", "os.system", "namedtuple", ""):
        with pytest.raises(LookupError):
            fill(create(cls), name, {})


@pytest.mark.parametrize("number", [0, -1, 26, 10**9])
def test_unknown_number_is_refused(number):
    with pytest.raises(LookupError, match="standard type"):
        _records.resolve_standard(number)


def zone_of_a_file():
    with open(f"{zoneinfo.TZPATH[0]}/UTC", "rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key="UTC")


def test_zones_that_are_not_found_by_their_key_are_refused():
    for zone, remedy in (
        (zoneinfo.ZoneInfo.no_cache("UTC"), r"send ZoneInfo\(zone.key\)"),
        (zone_of_a_file(), "send the content of the file"),
    ):
        with pytest.raises(xichan.NotShareableError, match=remedy):
            Encoder().encode(zone)


@pytest.mark.parametrize("value", [collections.Counter(), collections.OrderedDict()], ids=["Counter", "OrderedDict"])
def test_attributes_of_a_dict_are_not_lost(value):
    value.more = 1
    with pytest.raises(xichan.NotShareableError, match="with attributes is not shareable"):
        Encoder().encode(value)


class Moment(datetime.datetime):
    pass


class Money(decimal.Decimal):
    pass


class Tags(collections.OrderedDict):
    pass


@pytest.mark.parametrize("cls", [Moment, Money, Tags])
def test_derived_classes_are_refused(cls):
    assert _records.plan(cls)[0] == _records.REFUSED


def test_class_that_only_has_the_name_is_refused():
    false = type("Fraction", (), {"__module__": "fractions"})
    assert _records.plan(false)[0] == _records.REFUSED


def test_log_record_keeps_its_exception_and_the_text_of_its_traceback():
    try:
        {}["key"]
    except KeyError as error:
        record = logging.LogRecord("n", 40, "p", 1, "failed %s", (t.Point(1),), (KeyError, error, error.__traceback__))
    record.extra, record.stack_info = {"a": [1]}, "Stack"
    back = round_trip(record)
    assert back.exc_info[0] is KeyError and repr(back.exc_info[1]) == "KeyError('key')" and back.exc_info[2] is None
    assert record.exc_text is None  # the original is unchanged
    expected = logging.Formatter().format(record)
    assert "in test_log_record" in expected and logging.Formatter().format(back) == expected
    changed = {"exc_info", "exc_text", "message"}
    assert {k: v for k, v in vars(back).items() if k not in changed} == {
        k: v for k, v in vars(record).items() if k not in changed
    }


def test_log_record_without_an_exception_is_unchanged():
    record = logging.LogRecord("n", 40, "p", 1, "%(a)s", ({"a": 1},), (None, None, None), "function", "stack")
    assert vars(round_trip(record)) == vars(record)


@pytest.mark.parametrize(
    "number, fields",
    [
        (8, ("1e999999999", 1)),
        (8, (decimal.Decimal("1e999999999"), 1)),
        (21, (range(10**12), None)),
        (22, ([(1, 2)],)),
        (20, ([("a", 1)],)),
        (12, (b"a",)),
        (12, ("a", "b")),
        (24, ("list",)),
    ],
    ids=repr,
)
def test_fields_of_other_types_are_refused(number, fields):
    """A foreign dump must not start a computation that never ends."""
    kind, cls, create, fill = _records.resolve_standard(number)
    with pytest.raises(TypeError, match="the fields of a .* cannot be"):
        fill(create(cls), *fields) if kind == _records.FILL else create(*fields)
