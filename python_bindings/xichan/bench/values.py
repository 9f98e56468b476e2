"""The payloads, equal in every interpreter, and the comparison of a received value with the one sent."""

import functools
import struct

RECORD = (12345, "AAPL", 187.25, True, b"0123456789abcdef", ("nested", (1, 2.5, None)))
MIB = 1 << 20

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
    "str64k": (lambda: "0123456789abcdef" * 4096, 65536),
    "bytes1m": (lambda: _some_bytes(MIB), MIB),
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
    if type(one) is tuple:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is float:
        return struct.pack("<d", one) == struct.pack("<d", other)
    return one == other


# The types that a receive without a copy may return, and the conversion to the plain value.
_PLAIN = {
    "BytesView": bytes,
    "StrView": str,
    "TupleView": lambda view: tuple(map(plain, view)),
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
