"""The standard types with a number, and the fields of their objects. The extension itself sends those in `_NATIVE`.

A class is recognized by its name: no module is imported to see that an object is not of its types.
"""

from __future__ import annotations

from .._errors import NotShareableError
from . import REDUCE, find_loaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from . import _Plan

NUMBERS = {
    ("datetime", "date"): 1,
    ("datetime", "time"): 2,
    ("datetime", "datetime"): 3,
    ("datetime", "timedelta"): 4,
    ("datetime", "timezone"): 5,
    ("zoneinfo", "ZoneInfo"): 6,
    ("decimal", "Decimal"): 7,
    ("fractions", "Fraction"): 8,
    ("uuid", "UUID"): 9,
    ("pathlib", "PurePosixPath"): 10,
    ("pathlib", "PureWindowsPath"): 11,
    ("pathlib", "PosixPath"): 12,
    ("pathlib", "WindowsPath"): 13,
    ("ipaddress", "IPv4Address"): 14,
    ("ipaddress", "IPv6Address"): 15,
    ("ipaddress", "IPv4Network"): 16,
    ("ipaddress", "IPv6Network"): 17,
    ("ipaddress", "IPv4Interface"): 18,
    ("ipaddress", "IPv6Interface"): 19,
    ("types", "SimpleNamespace"): 20,
    ("collections", "deque"): 21,
    ("collections", "Counter"): 22,
    ("collections", "OrderedDict"): 23,
    ("collections", "defaultdict"): 24,
    ("logging", "LogRecord"): 25,
}
# What the extension sends without a plan.
_NATIVE = {1, 2, 3, 4, 5, 7, 9}
_NATIVE_NAMES = {
    "builtins": {
        "NoneType", "bool", "bytearray", "bytes", "complex", "dict", "ellipsis", "float", "frozendict", "frozenset",
        "int", "list", "memoryview", "range", "set", "slice", "str", "tuple",
    },
    "array": {"array"},
    "numpy": {"ndarray"},
    "xichan": {
        "ArrayView", "Buffer", "BytesView", "Descriptor", "DictView", "ListView", "Queue", "Receiver", "RecordView",
        "Sender", "SetView", "Shared", "StrView", "TupleView",
    },
}  # fmt: skip
# The factories that every reader of a dump may call. They make empty values.
FACTORIES = {
    "builtins": {
        "bool", "bytearray", "bytes", "complex", "dict", "float", "frozendict", "frozenset", "int", "list", "set",
        "str", "tuple",
    },
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
}  # fmt: skip


def is_native(cls: type) -> bool:
    """Return whether the extension sends objects of this class without a plan."""
    module: object = cls.__module__  # of any type
    names = _NATIVE_NAMES.get(module, ()) if isinstance(module, str) else ()
    return _number_of(cls) in _NATIVE or cls.__qualname__ in names


def plan(cls: type) -> _Plan | None:
    """Return the plan of a standard type, else None."""
    number = _number_of(cls)
    if number not in _FIELDS:
        return None
    fields_of = _FIELDS[number]

    def reduce(obj: object) -> tuple[Any, ...]:
        return number, *fields_of(obj)

    return REDUCE, None, _reduce_default_dict if number == 24 else reduce


def _number_of(cls: type) -> int:
    name = cls.__module__, cls.__qualname__
    number = NUMBERS.get(name, 0) if isinstance(name[0], str) else 0
    return number if number and find_loaded(*name) is cls else 0


def _zone(zone: Any) -> tuple[Any, ...]:
    try:
        key, is_cached = zone.__reduce__()[1]
    except Exception:  # PicklingError: the zone is from a file
        key = None
    if key is None:
        raise NotShareableError("a ZoneInfo from from_file() is not shareable; send the content of the file")
    if not is_cached:
        raise NotShareableError("a ZoneInfo from no_cache() is not shareable; send ZoneInfo(zone.key)")
    return (key,)


def _network(network: Any) -> tuple[Any, ...]:
    address = network.network_address
    return int(address), network.prefixlen, *_scope(address)


def _interface(interface: Any) -> tuple[Any, ...]:
    return int(interface), interface.network.prefixlen, *_scope(interface)


def _scope(address: Any) -> tuple[Any, ...]:
    return (address.scope_id,) if address.version == 6 else ()


def _plain_dict(obj: Any) -> tuple[Any, ...]:
    if obj.__dict__:
        raise NotShareableError(f"a {type(obj).__name__} with attributes is not shareable; send them beside it")
    return (dict(obj),)


def _reduce_default_dict(obj: Any) -> tuple[Any, ...]:
    factory, items = obj.default_factory, dict(obj)
    if isinstance(factory, type):
        module, name = factory.__module__, factory.__qualname__
        if find_loaded(module, name) is factory:
            if name in FACTORIES.get(module, ()):
                return 24, name, items
            return (module, name, "default_dict", ("items",)), items
    return 24, factory, items  # None; anything else is refused when it is encoded


def _log_record(record: Any) -> tuple[Any, ...]:
    found = dict(record.__dict__)
    info = found.get("exc_info")
    if type(info) is tuple and len(info) == 3 and isinstance(info[1], BaseException):
        if info[2] is not None and not found.get("exc_text"):  # tracebacks cannot be sent
            from logging import Formatter

            found["exc_text"] = Formatter().formatException(info)
        found["exc_info"] = info[1]
    return (found,)


_FIELDS: dict[int, Callable[[Any], tuple[Any, ...]]] = {
    6: _zone,
    8: lambda fraction: (fraction.numerator, fraction.denominator),
    **dict.fromkeys((10, 11, 12, 13), lambda path: (str(path),)),
    14: lambda address: (int(address),),
    15: lambda address: (int(address), address.scope_id),
    **dict.fromkeys((16, 17), _network),
    **dict.fromkeys((18, 19), _interface),
    20: lambda namespace: (dict(namespace.__dict__),),
    21: lambda items: (list(items), items.maxlen),
    **dict.fromkeys((22, 23), _plain_dict),
    24: _reduce_default_dict,
    25: _log_record,
}
