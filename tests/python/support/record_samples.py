"""Objects that are sent as records. Interpreters import this module too."""

import collections
import datetime
import decimal
import ipaddress
import json
import logging
import pathlib
import subprocess
import types
import uuid
import zoneinfo
from fractions import Fraction

import xichan
from support import record_types as t


def objects():
    """Return an object of each kind of class, alone and with parts."""
    return {
        "dataclass": t.Point(1, ["x"]),
        "frozen": t.Frozen("name", (1, {2: 3})),
        "slots": t.Slotted(1),
        "frozen slots": t.FrozenSlotted(a=t.Point(1), _private=[None]),
        "derived": t.Derived(1, 2, 3),
        "slots derived": t.SlottedDerived(1, 2, 3),
        "dict over slots": t.DictOverSlots(1, 2, 3),
        "undecorated": t.Undecorated(1, 2),
        "unset field": t.Unusual(3),
        "mangled name": t.Mangled([1]),
        "generic": t.Generic(1),
        "nested class": t.Outer.Inner((1, 2)),
        "descriptor": t.Described("text"),
        "property": t.ReadOnly(1, 2),
        "namedtuple": t.Pair(1, [2]),
        "NamedTuple": t.Triple(1),
        "derived from namedtuple": t.Rich([1]),
        "slots derived from namedtuple": t.Lean(1, 2),
        "enum": t.Color.RED,
        "alias": t.Color.CRIMSON,
        "unhashable value": t.Color.TABLE,
        "IntEnum": t.Number.BIG,
        "StrEnum": t.Word.HELLO,
        "Flag": t.Mode.READ,
        "named combination": t.Mode.READ | t.Mode.WRITE,
        "unnamed combination": t.Mode.READ | t.Mode.OTHER,
        "no flag": t.Mode(0),
        "IntFlag": t.Bits(-1),
        "IntFlag with unknown bits": t.Bits(13),
        "mixed enum": t.Planet.EARTH,
        "dataclass enum": t.Body.MARS,
    }


def raised(function, *args):
    """Return the exception that a call raises."""
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def with_notes(error, *notes):
    for note in notes:
        error.add_note(note)
    return error


EXCEPTIONS = {
    "no arguments": lambda: ValueError(),
    "arguments": lambda: ValueError("text", [1, {"a": 2}]),
    "KeyError": lambda: raised({}.__getitem__, ("a", 1)),
    "OSError": lambda: OSError(2, "missing", "one", None, b"other"),
    "OSError by the system": lambda: raised(open, "/no/such/file"),
    "OSError of one argument": lambda: OSError("text"),
    "bytes written": lambda: BlockingIOError(11, "full", 5),
    "UnicodeDecodeError": lambda: raised(b"a\xff".decode, "ascii"),
    "UnicodeEncodeError": lambda: raised("\u20ac\ud800".encode, "latin1"),
    "UnicodeTranslateError": lambda: UnicodeTranslateError("text", 1, 2, "bad"),
    "ImportError": lambda: raised(__import__, "no_such_module"),
    "path": lambda: ImportError("text", name="module", path="/path"),
    "AttributeError": lambda: raised(getattr, 5, "missing"),
    "NameError": lambda: raised(eval, "missing", {}),
    "SyntaxError": lambda: raised(compile, "a b", "file", "exec"),
    "IndentationError": lambda: raised(compile, "if x:\na", "file", "exec"),
    "SystemExit": lambda: SystemExit(3),
    "SystemExit without a code": lambda: SystemExit(),
    "StopIteration": lambda: StopIteration([1]),
    "KeyboardInterrupt": lambda: KeyboardInterrupt(),
    "RecursionError": lambda: RecursionError("deep"),
    "notes": lambda: with_notes(ValueError(1), "one", "two"),
    "other init": lambda: t.Failure(3, where="here"),
    "other new": lambda: t.NewFailure(3, "here"),
    "derived from OSError": lambda: t.FileFailure("path"),
    "dataclass": lambda: t.DataFailure([1]),
    "decimal": lambda: raised(lambda: decimal.Decimal(1) / 0),
    "json": lambda: raised(json.loads, "{"),
    "subprocess": lambda: subprocess.CalledProcessError(1, ["a"], b"out", b"err"),
    "of xichan": lambda: xichan.RemoteError("a.B", "text", "traceback"),
    "group": lambda: ExceptionGroup("text", [ValueError(1), OSError(2, "missing", "path")]),
    "nested group": lambda: BaseExceptionGroup("one", [ExceptionGroup("two", (KeyError(1),)), SystemExit(2)]),
    "derived group": lambda: with_notes(t.Failures([ValueError(1)], 5), "note"),
}
# By their number in records.h.
STANDARD = {
    6: [zoneinfo.ZoneInfo("UTC"), zoneinfo.ZoneInfo("Europe/Paris")],
    8: [Fraction(0), Fraction(-1, 3), Fraction(10**100, 7)],
    10: [pathlib.PurePosixPath(), pathlib.PurePosixPath("//a/../b"), pathlib.PurePosixPath("\udcff/ä")],
    11: [pathlib.PureWindowsPath(r"C:\a\b"), pathlib.PureWindowsPath("c:a"), pathlib.PureWindowsPath("./c:a")],
    12: [pathlib.Path("a/b.txt"), pathlib.Path("/"), pathlib.Path()],
    14: [ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("255.255.255.255")],
    15: [ipaddress.ip_address("::"), ipaddress.ip_address("::ffff:1.2.3.4"), ipaddress.ip_address("fe80::1%eth0")],
    16: [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("1.2.3.4/32")],
    17: [ipaddress.ip_network("fe80::/64"), ipaddress.ip_network("::/0"), ipaddress.ip_network("fe80::%eth0/64")],
    18: [ipaddress.ip_interface("10.0.0.1/8"), ipaddress.ip_interface("1.2.3.4")],
    19: [ipaddress.ip_interface("fe80::1/64"), ipaddress.ip_interface("fe80::1%eth0/64")],
    20: [types.SimpleNamespace(), types.SimpleNamespace(a=1, b=[2])],
    21: [collections.deque(), collections.deque("abc", 3), collections.deque([[1]], 0), collections.deque([1, [2]])],
    22: [collections.Counter(), collections.Counter("abca"), collections.Counter(b=-1, a=2.5)],
    23: [collections.OrderedDict(), collections.OrderedDict(b=1, a=[2])],
    24: [
        collections.defaultdict(None, a=1),
        *(collections.defaultdict(cls, {1: [2]}) for cls in (list, dict, set, int, str, tuple, frozenset, bytes)),
        *(collections.defaultdict(cls) for cls in (collections.Counter, collections.deque, collections.OrderedDict)),
    ],
    25: [logging.makeLogRecord(dict.fromkeys(vars(logging.makeLogRecord({})), 1) | {"msg": "text", "exc_info": None})],
}


# Made by the extension, from these fields.
NATIVE = [
    (datetime.date(1, 2, 3), (1, b"\0\1\2\3")),
    (datetime.time(1, 2, 3, 70000, fold=1), (2, b"\1\2\3\1\x11\x70\1", None)),
    (datetime.datetime(2025, 12, 31, 23, 59, 58, 999999), (3, b"\x07\xe9\x0c\x1f\x17\x3b\x3a\x0f\x42\x3f\0", None)),
    (datetime.timedelta(-1, 2, 3), (4, -1, 2, 3)),
    (datetime.UTC, (5, datetime.timedelta(), None)),
    (datetime.timezone(datetime.timedelta(hours=1), "X"), (5, datetime.timedelta(hours=1), "X")),
    (decimal.Decimal("-0E+5"), (7, "-0E+5")),
    (decimal.Decimal("sNaN7"), (7, "sNaN7")),
    (uuid.UUID(int=5), (9, b"\0" * 15 + b"\5", None)),
    (uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe), (9, b"\0" * 15 + b"\5", 0)),
]


def all_samples():
    """Return all objects, by name."""
    return {
        **objects(),
        **{name: make() for name, make in EXCEPTIONS.items()},
        **{f"standard {number}, {i}": value for number, values in STANDARD.items() for i, value in enumerate(values)},
        **{f"native {fields[0]}, {i}": value for i, (value, fields) in enumerate(NATIVE)},
    }


# What loads() must be given to make all samples.
CLASSES = [
    *(value for value in vars(t).values() if isinstance(value, type) and value.__module__ == t.__name__),
    t.Outer.Inner, decimal.DivisionByZero, json.JSONDecodeError, subprocess.CalledProcessError, xichan.RemoteError,
]  # fmt: skip
