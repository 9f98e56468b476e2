"""Hypothesis strategies for all records."""

import collections
import datetime
import decimal
import functools
import ipaddress
import pathlib
import types
import zoneinfo

from hypothesis import strategies as st

from support import record_types as t
from support.value_strategies import leaves

ZONES = ["UTC", "Europe/Paris", "America/St_Johns"]

keys = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.binary(max_size=20))
names = st.from_regex(r"[a-z][a-z_0-9]{0,12}", fullmatch=True)
offsets = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))
timezones = st.one_of(
    st.just(datetime.UTC), offsets.map(datetime.timezone), st.builds(datetime.timezone, offsets, st.text(max_size=8))
)
zones = st.sampled_from(ZONES).map(zoneinfo.ZoneInfo)
zones_or_none = st.one_of(st.none(), timezones, zones)
folds = st.integers(0, 1)
path_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
networks = st.one_of(
    st.tuples(st.just(ipaddress.IPv4Network), st.integers(0, 2**32 - 1), st.integers(0, 32)),
    st.tuples(st.just(ipaddress.IPv6Network), st.integers(0, 2**128 - 1), st.integers(0, 128)),
).map(lambda made: made[0](made[1:], strict=False))
scopes = st.one_of(st.none(), names)


def scoped(number, scope):
    return f"{ipaddress.IPv6Address(number)}%{scope}" if scope else str(ipaddress.IPv6Address(number))


# Hashable, without parts of any type.
standard_leaves = st.one_of(
    st.dates(),
    st.builds(lambda time, fold: time.replace(fold=fold), st.times(timezones=zones_or_none), folds),
    st.builds(lambda time, fold: time.replace(fold=fold), st.datetimes(timezones=zones_or_none), folds),
    st.timedeltas(),
    timezones,
    zones,
    st.decimals(),
    st.fractions(),
    st.uuids(),
    *(path_texts.map(cls) for cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.Path)),
    st.ip_addresses(v=4),
    st.builds(scoped, st.integers(0, 2**128 - 1), scopes).map(ipaddress.IPv6Address),
    networks,
    st.builds(ipaddress.IPv4Interface, st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32))),
    st.builds(
        lambda address, length: ipaddress.IPv6Interface((address, length)),
        st.builds(scoped, st.integers(0, 2**128 - 1), scopes),
        st.integers(0, 128),
    ),
)
members = st.one_of(
    *(st.sampled_from(list(cls)) for cls in (t.Color, t.Number, t.Word, t.Planet)),
    st.integers(0, 15).map(lambda value: t.Mode(value & 11)),
    st.integers(-16, 15).map(t.Bits),
)
_hashable = st.one_of(leaves, standard_leaves, members)


@st.composite
def hashables(draw):
    """Return a strategy for plain leaves, standard ones and enum members."""
    return draw(_hashable)


def with_attributes(obj, attributes):
    """Set attributes of an object past its class."""
    for name, value in attributes.items():
        object.__setattr__(obj, name, value)
    return obj


def with_cause(error, cause, suppress, attributes):
    error.__cause__, error.__suppress_context__ = cause, suppress
    error.__dict__.update(attributes)
    return error


@st.composite
def exceptions(draw, children):
    """Return a strategy for exceptions of all kinds, with causes, notes and attributes."""
    return draw(_exceptions(children))


@functools.cache
def _exceptions(children):
    texts = st.text(max_size=10)
    plain = st.one_of(
        st.builds(
            lambda cls, args: cls(*args),
            st.sampled_from([Exception, ValueError, KeyError, LookupError, StopIteration, SystemExit, AssertionError]),
            st.lists(children, max_size=3),
        ),
        st.builds(OSError, st.integers(1, 40), texts, st.one_of(st.none(), texts, st.binary())),
        st.builds(OSError, children),
        st.builds(lambda data: UnicodeDecodeError("ascii", data, 0, 1, "bad"), st.binary(min_size=1)),
        st.builds(ImportError, texts),  # `name=None` differs from no name in the repr of CPython 3.15 only
        st.builds(lambda text, name: ImportError(text, name=name, path="p"), texts, texts),
        st.builds(lambda text, obj: AttributeError(text, name="n", obj=obj), texts, st.integers()),
        st.builds(t.Failure, children, where=children),
        st.builds(t.NewFailure, children, children),
        st.builds(t.DataFailure, children),
        st.builds(t.FileFailure, texts),
    )
    notes = st.dictionaries(st.sampled_from(["__notes__"]), st.lists(texts, max_size=3))
    attributes = st.builds(lambda one, other: one | other, st.dictionaries(names, children, max_size=2), notes)
    caused = st.recursive(
        plain, lambda more: st.builds(with_cause, more, st.one_of(st.none(), more), st.booleans(), attributes)
    )
    ordinary = plain.filter(lambda error: isinstance(error, Exception))
    groups = st.one_of(
        st.builds(ExceptionGroup, texts, st.lists(ordinary, min_size=1, max_size=3)),
        st.builds(BaseExceptionGroup, texts, st.lists(caused, min_size=1, max_size=3)),
    )
    return st.one_of(caused, groups)


@st.composite
def records(draw, children):
    """Return a strategy for records of all kinds that contain what the given strategy makes."""
    return draw(_records(children))


# Behind a composite strategy, whose repr has the children once: that of nested alternatives grows exponentially.
@functools.cache
def _records(children):
    extra = st.dictionaries(names, children, max_size=3)
    dicts = st.dictionaries(keys, children, max_size=5)
    lists = st.lists(children, max_size=5)
    return st.one_of(
        *(st.builds(cls, children, children) for cls in (t.Point, t.Frozen, t.Slotted, t.Undecorated)),
        *(
            st.builds(cls, children, children, children)
            for cls in (t.Derived, t.SlottedDerived, t.DictOverSlots, t.Triple)
        ),
        st.builds(lambda a, b: t.FrozenSlotted(a=a, _private=b), children, children),
        st.builds(lambda value: t.Generic[int](value), children),
        st.builds(t.Strict, children),
        st.builds(lambda value, more: with_attributes(t.Point(value), more), children, extra),
        st.builds(lambda value, more: with_attributes(t.Frozen(value), more), children, extra),
        *(st.builds(cls, children, children) for cls in (t.Pair, t.Lean)),
        st.builds(lambda value, more: with_attributes(t.Rich(value), more), children, extra),
        extra.map(lambda found: types.SimpleNamespace(**found)),
        st.builds(collections.deque, lists, st.one_of(st.none(), st.integers(0, 6))),
        st.dictionaries(keys, st.integers(), max_size=5).map(collections.Counter),
        dicts.map(collections.OrderedDict),
        st.builds(
            collections.defaultdict, st.sampled_from([None, int, list, dict, collections.Counter, t.Point]), dicts
        ),
        st.sampled_from(t.Body),  # not hashable
        exceptions(children),
    )


def is_hashable(item):
    return not (isinstance(item, decimal.Decimal) and item.is_snan())


def _containers(children):
    lists = st.lists(children, max_size=4)
    dicts = st.dictionaries(keys, children, max_size=4)
    sets = st.sets(hashables().filter(is_hashable), max_size=4)
    return st.one_of(lists, lists.map(tuple), dicts, sets, records(children))


values = st.recursive(hashables(), _containers, max_leaves=10)
