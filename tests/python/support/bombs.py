"""Dumps of less than 4 KiB that try to take much time or memory, or to make an object that cannot exist."""

import dataclasses

import xichan
from support.dump_format import DICT, INDEX, RANGE, RECORD, SET, cell, of_type, retagged, text, with_body

NONE, INTEGER, SHORT_BYTES, BYTES, BIG_INT = 1, 4, 10, 15, 16
TUPLE, LIST, FROZENSET, SLICE, BYTEARRAY, ARRAY, REPEAT = 17, 19, 23, 25, 27, 28, 35
PRIME = 2**61 - 1
GROUP = ("args", "attributes", "cause", "suppress_context", "message", "exceptions")


@dataclasses.dataclass(frozen=True)
class Frozen:
    one: object
    other: object = None


def doubled(levels, make, part=1):
    for _ in range(levels):
        part = make(part)
    return part


def standard(number, *fields):
    """Return a dump of a standard type with any fields."""
    return retagged([number, *fields], RECORD)


def array(kind, item, shape, content=b""):
    """Return a dump of an array of any shape, whose content fits in a cell."""
    lengths = b"".join(cell(INTEGER, 0, length) for length in shape)
    content = bytes([SHORT_BYTES, len(content)]) + content.ljust(14, b"\0")
    head = cell(INTEGER, 0, kind) + text(item) + cell(TUPLE, len(shape), 80 if shape else 0) + content
    return with_body(cell(ARRAY, 4, 16) + head + lengths)


def group(levels):
    """Exception groups in exception groups, each with the one inside twice."""
    found = ValueError(1)
    for _ in range(levels):
        found = ExceptionGroup("g", [found, found])
    return found


def cycle():
    found = []
    found += [found] * 200
    return found


def cycle_of_dicts():
    found = {}
    found["a"], found["b"] = [found, (found, {1: found})], found
    return found


def with_cause_in_itself():
    member = ValueError(1)
    member.__cause__ = found = ExceptionGroup("g", [member, member])
    return found


def of_values():
    """Return values that are dumped as they are."""
    return {
        "lists of lists": doubled(240, lambda part: [part]),
        "lists, doubled": doubled(75, lambda part: [part, part]),
        "tuples, doubled": doubled(75, lambda part: (part, part)),
        "dicts, doubled": doubled(40, lambda part: {1: part, 2: part}),
        "deques of lists, doubled": doubled(40, lambda part: [[part, part]]),
        "slices, doubled": doubled(50, lambda part: slice(part, part, part)),
        "frozensets, doubled": doubled(20, lambda part: frozenset({(part, 1), (part, 2)})),
        "dataclasses, doubled": doubled(40, lambda part: Frozen(part, part)),
        "a list that contains itself": cycle(),
        "dicts that contain each other": cycle_of_dicts(),
        "groups, doubled": group(7),
        "a group that contains itself": with_cause_in_itself(),
        "range": range(-(2**8000), 2**8000, 3),
        "int": 2**28_000 - 1,
        "ints of one hash": {PRIME * (1024 + i) for i in range(80)},
        "complexes of one hash": {complex(-1000003 * i, i) for i in range(80)},
        "float": {float("nan"): 1, float("inf"): 2},
    }


def of_standard_types():
    """Return dumps of standard types whose fields their constructors should refuse, or could expand."""
    numbers = (
        "9" * 3000,
        "1e999999999",
        "1e-999999999",
        "1e999999999999999999",
        "1E+425000000",
        "NaN" + "9" * 3000,
        "s",
        "",
    )
    zones = (
        "../../etc/passwd",
        "/etc/passwd",
        "UTC/../../../etc/passwd",
        "a\0b",
        "A" * 3000,
        ".",
        "..",
        "",
        "tzdata.zi",
    )
    return {
        **{f"Decimal {text[:20]!r}": standard(7, text) for text in numbers},
        **{f"ZoneInfo {text[:20]!r}": standard(6, text) for text in zones},
        "set of Decimals": with_body(
            cell(SET, 2, 16) + cell(RECORD, 2, 48) + cell(RECORD, 2, 80)
            + cell(INTEGER, 0, 7) + text("1e999999999") + cell(INTEGER, 0, 7) + text("1e999999998")
        ),
        "Fraction": standard(8, 2**12_000 - 1, 2**12_000 + 1),
        "Fraction by zero": standard(8, 2**12_000, 0),
        "date": standard(1, b"\xff\xff\x0c\x1f"),
        "datetime": standard(3, b"\0\0\0\0\xff\xff\xff\xff\xff\xff\xff", None),
        "time": standard(2, b"\xff\xff\xff\xff\xff\xff\xff", None),
        "timedelta": standard(4, 2**62, 2**62, 2**62),
        "timedelta of long ints": standard(4, 2**8000, 2**8000, 2**8000),
        "IPv4Address": standard(14, 2**24_000),
        "IPv6Address": standard(15, -1, "%" * 3000),
        "IPv4Network": standard(16, 2**31, 2**24_000),
        "IPv6Network": standard(17, 2**127, -(2**24_000), None),
        "IPv6Interface": standard(19, 1, 2**62, "/" * 3000),
        "path": standard(12, "../" * 1000),
        "path with NUL": standard(10, "\0" * 2000),
        "deque": standard(21, [1, 2], 2**62),
        "deque of a negative length": standard(21, [], -1),
        "Counter": standard(22, {1: "a", (2, 3): 2**20_000}),
        "OrderedDict": standard(23, cycle_of_dicts()),
        "defaultdict": standard(24, "defaultdict", {1: 2}),
        "defaultdict of no type": standard(24, "__import__", {}),
        "namespace": standard(20, {1: 2, "__class__": 3, "__dict__": 4}),
        "LogRecord": standard(25, {"msg": "%999999999d", "getMessage": 1, 5: 6, "exc_info": ValueError()}),
    }  # fmt: skip


def forged():
    """Return dumps that no encoder writes."""
    deep = doubled(60, lambda part: (part,), "<i4")
    slices = doubled(17, lambda part: slice(part, part))
    empty = cell(LIST, 0, 16, 1)
    return {
        "repeats of repeats": with_body(cell(TUPLE, 3, 16) + empty + cell(REPEAT, 0, 16) + cell(REPEAT, 0, 32)),
        "a repeat of itself": with_body(cell(LIST, 1, 16) + cell(REPEAT, 0, 16)),
        "a tuple in itself": with_body(cell(TUPLE, 1, 16, 1) + cell(REPEAT, 0, 0)),
        "a set in itself": with_body(cell(SET, 1, 16, 1) + cell(REPEAT, 0, 0)),
        "2**44 elements": with_body(cell(LIST, 2**44, 16) + cell(NONE)),
        "2**47 bytes": with_body(cell(BYTEARRAY, 1, 16) + cell(BYTES, 2**47, 32)),
        "an int of 2**47 bytes": with_body(cell(BIG_INT, 2**47, 16) + bytes(16)),
        "an index of 2**30": with_body(cell(SET, 34, 16) + cell(NONE) * 33 + cell(INDEX, 2**30, 0)),
        "an index alone": with_body(cell(INDEX, 2**30, 0)),
        "a dict of 2**40": with_body(cell(DICT, 2**40, 16) + cell(NONE) * 2),
        "equal keys": with_body(cell(DICT, 201, 16) + cell(NONE) * 200 + cell(INDEX)),
        "a frozenset of lists": with_body(cell(FROZENSET, 1, 16) + cell(LIST, 0, 16)),
        "a slice of slices": with_body(cell(SLICE, 3, 16, 1) + cell(REPEAT) + cell(NONE) * 2),
        "step 0": retagged([0, 2**8000, 0], RANGE),
        "dimensions": array(2, "<u1", (0,) + (2**31,) * 31),
        "strides": array(2, "<f8", (0, 2**40, 2**20)),
        "items": array(2, "<f8", (2**61,), b"12345678"),
        "items of no size": array(2, "|V0", (2**40,)),
        "a long format": array(0, "d" * 14, (1,), b"12345678"),
        "datetime64": array(2, "<M8[ns]", (1,), b"\xff" * 8),
        "an object array": array(2, "|O", (1,), b"\xff" * 8),
        "nested formats": retagged([2, deep, (1,), b"1234"], ARRAY),
        "many fields": of_type("builtins", "ValueError", "exception", ("x",) * 100, *range(100)),
        "a group of ints": of_type("builtins", "ExceptionGroup", "exception", GROUP, (), {}, None, False, "m", (1, 2)),
        "a cause of text": of_type("builtins", "OSError", "exception", GROUP[:4], (), {"errno": {}}, "text", None),
        "a key of doubled dataclasses": retagged([doubled(35, lambda part: Frozen(part, part))], SET),
        "a key of doubled tuples": retagged([doubled(60, lambda part: (part, part))], SET),
        "a key of doubled slices": retagged([doubled(50, lambda part: slice(part, part))], SET),
        "keys that share doubled slices": retagged([(i, slices) for i in range(55)], SET),
        "a class": of_type("builtins", "int", "class", ()),
    }


def bombs():
    """Return all dumps by name."""
    return {**{name: xichan.dumps(value) for name, value in of_values().items()}, **of_standard_types(), **forged()}
