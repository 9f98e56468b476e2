"""The payloads, each the same in every interpreter, and how one that arrived is compared with what was sent."""

import functools
import struct

RECORD = (12345, "AAPL", 187.25, True, b"0123456789abcdef", ("nested", (1, 2.5, None)))
MIB = 1 << 20

# name: (how it is made, bytes of its content, for which memory is copied)
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
    "str64k": (lambda: "0123456789abcdef" * 4096, 65536),
    "bytes1m": (lambda: _some_bytes(MIB), MIB),
}


def _some_bytes(n):
    return (bytes(range(256)) * (n // 256 + 1))[:n]


@functools.cache
def make(name):
    """The value of a name: one of those above, or ``bytes:N`` for N bytes."""
    if name.startswith("bytes:"):
        return _some_bytes(int(name[6:]))
    return _MAKERS[name][0]()


def size(name):
    """Bytes of content."""
    return int(name[6:]) if name.startswith("bytes:") else _MAKERS[name][1]


def same(one, other):
    """Whether two values are equal in every type and bit."""
    if type(one) is not type(other):
        return False
    if type(one) is tuple:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is float:
        return struct.pack("<d", one) == struct.pack("<d", other)
    return one == other


# The types that a receiver may hand out where nothing is copied, and how the value itself is got from them.
_PLAIN = {
    "BytesView": bytes,
    "StrView": str,
    "TupleView": lambda view: tuple(map(plain, view)),
    "Shared": lambda shared: shared.value(),
}


def plain(value):
    """The value behind a view or a Shared of xichan's; anything else as it is."""
    if type(value).__module__.partition(".")[0] != "xichan" or type(value).__name__ not in _PLAIN:
        return value
    return _PLAIN[type(value).__name__](value)


def difference(received, name, views=False):
    """What is wrong with a value that arrived; None if it is what was sent. `views`: it may be a view or a Shared."""
    expected = make(name)
    if same(plain(received) if views else received, expected):
        return None
    return f"sent {_short(expected)}, received {_short(received)}"


def _short(value):
    text = repr(value) if not hasattr(value, "__len__") or len(value) < 100 else f"of length {len(value)}"
    return f"{type(value).__name__} {text[:200]}"
