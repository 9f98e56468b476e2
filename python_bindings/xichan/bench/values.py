"""The payloads, equal in every interpreter, and the comparison of a received value with the one sent."""

import dataclasses
import datetime
import decimal
import functools
import json
import struct

from xichan.bench.contenders import Unavailable

RECORD = (12345, "AAPL", 187.25, True, b"0123456789abcdef", ("nested", (1, 2.5, None)))
MIB = 1 << 20
DATABASE_ROWS = 30_000


@dataclasses.dataclass
class Order:
    number: int
    symbol: str
    price: float
    amount: int
    is_open: bool
    note: str | None


@dataclasses.dataclass
class Report:
    title: str
    body: bytes
    pages: list


def _dict20(first=0):
    return {f"field_{i}": (first + i, f"text {first + i}", i / 4, i % 2 == 0)[i % 4] for i in range(20)}


def _documents():
    """Return ten documents as ``json.loads`` makes them."""
    documents = [
        {
            "id": i,
            "name": f"user {i}",
            "active": i % 3 > 0,
            "address": {"city": f"city {i % 4}", "position": [i * 0.5, -i / 3]},
            "tags": ["new", f"group {i % 5}", None],
            "orders": [{"number": 100 * i + k, "total": k * 9.95, "items": list(range(k))} for k in range(5)],
        }
        for i in range(10)
    ]
    return json.loads(json.dumps(documents))


def _rows():
    """Return what ``fetchall()`` returns for a table of 30,000 rows."""
    return [(i, f"name {i}", i / 8, None if i % 10 == 0 else i % 7) for i in range(DATABASE_ROWS)]


def _database_row():
    moment = datetime.datetime(2026, 5, 17, 12, 30, 15, 250_000, tzinfo=datetime.UTC)
    return (4711, moment, decimal.Decimal("1234.50"), datetime.date(2026, 5, 18), datetime.timedelta(hours=3), "paid")


def _array():
    try:
        import numpy
    except ImportError as error:
        raise Unavailable(f"numpy cannot be imported: {str(error).splitlines()[0]}") from None
    return numpy.arange(MIB, dtype="float64")


# name: (function that makes it, bytes of its content that a message copies)
_MAKERS = {
    "none": (lambda: None, 0),
    "bool": (lambda: True, 0),
    "int": (lambda: 123_456_789, 0),
    "float": (lambda: 1234.5678, 0),
    "str12": (lambda: "abcdefghijkl", 12),
    "str16": (lambda: "abcdefghijklmnop", 16),
    "bytes64": (lambda: bytes(range(64)), 64),
    "record": (lambda: RECORD, 96),
    "ints1000": (lambda: tuple(range(1_000_000, 1_001_000)), 16_000),
    "ints1000000": (lambda: tuple(range(1_000_000, 2_000_000)), 16_000_000),
    "list1000": (lambda: list(range(1_000_000, 1_001_000)), 16_000),
    "dict20": (_dict20, 800),
    "dicts100": (lambda: [_dict20(i) for i in range(100)], 80_000),
    "json10": (_documents, 30_000),
    "dataclass": (lambda: Order(12345, "AAPL", 187.25, 300, True, None), 256),
    "dbrow": (_database_row, 512),
    "fetchall": (_rows, 100 * DATABASE_ROWS),
    "numpy8m": (_array, 8 * MIB),
    "dict100k": (lambda: {f"key {i}": i for i in range(100_000)}, 4_000_000),
    "list100k": (lambda: [(i, f"row {i}") for i in range(100_000)], 8_000_000),
    "record1m": (lambda: Report("a title of 24 characters", _some_bytes(MIB // 2), list(range(32_000))), MIB),
}


def _some_bytes(n):
    return (bytes(range(256)) * (n // 256 + 1))[:n]


@functools.cache
def make(name):
    """Return the payload of a name: one of those above, or ``bytes:N`` for N bytes."""
    if name.startswith("bytes:"):
        return _some_bytes(int(name[6:]))
    return _MAKERS[name][0]()


def size(name):
    """Return the content size of a payload in bytes."""
    return int(name[6:]) if name.startswith("bytes:") else _MAKERS[name][1]


def same(one, other):
    """Return whether two values are identical in type and bits, recursively."""
    if type(one) is not type(other):
        return False
    if type(one) in (tuple, list):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict:
        return same(list(one.items()), list(other.items()))
    if dataclasses.is_dataclass(one):
        return same(vars(one), vars(other))
    if type(one).__name__ == "ndarray":
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if type(one) is float:
        return struct.pack("<d", one) == struct.pack("<d", other)
    return one == other


# The types that a receive without a copy may return, and the conversion to the plain value.
_PLAIN = {
    "BytesView": bytes,
    "StrView": str,
    "TupleView": lambda view: tuple(map(plain, view)),
    "ListView": lambda view: list(map(plain, view)),
    "DictView": lambda view: view.value(),
    "RecordView": lambda view: view.value(),
    "Shared": lambda shared: shared.value(),
}


def plain(value):
    """Return the value of a xichan view or Shared; any other value unchanged."""
    if type(value).__module__.partition(".")[0] != "xichan" or type(value).__name__ not in _PLAIN:
        return value
    return _PLAIN[type(value).__name__](value)


def difference(received, name, views=False):
    """Describe how a received value differs from the payload; None if it is equal. `views`: accept views and Shared."""
    expected = make(name)
    if same(plain(received) if views else received, expected):
        return None
    return f"sent {_short(expected)}, received {_short(received)}"


def _short(value):
    text = repr(value) if not hasattr(value, "__len__") or len(value) < 100 else f"of length {len(value)}"
    return f"{type(value).__name__} {text[:200]}"
