"""Makes objects of the standard types from the fields that records.h lists.

The fields may come from a foreign dump. Their types are checked: Fraction("1e999999999") would take years.
"""

from __future__ import annotations

from . import FILL, MAKE, find
from .standard import FACTORIES, NUMBERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from . import _Resolved


def resolve(number: int) -> _Resolved:
    """Return how objects of a standard type are made."""
    name = next((name for name, known in NUMBERS.items() if known == number), None)
    if name is None:
        raise LookupError(f"this version of xichan has no standard type {number}")
    cls = find(*name)
    types, build = _MAKES.get(number) or _FILLS[number]

    def checked(target: Any, *fields: Any) -> Any:
        if len(fields) != len(types) or not all(map(isinstance, fields, types)):
            found = ", ".join(type(field).__name__ for field in fields)
            raise TypeError(f"the fields of a {cls.__qualname__} cannot be ({found})")
        return build(target, *fields)

    if number in _FILLS:
        return FILL, cls, cls.__new__, checked
    return MAKE, cls, lambda *fields: checked(cls, *fields), None


def resolve_default_dict(factory: type) -> _Resolved:
    """Return how a defaultdict is made whose factory is named by the type reference."""
    from collections import defaultdict

    return FILL, defaultdict, lambda cls: cls(factory), dict.update


def _date(cls: Any, data: bytes) -> Any:
    return cls(int.from_bytes(data[:2]), data[2], data[3])


def _time(cls: Any, data: bytes, zone: Any) -> Any:
    hour, minute, second, *microsecond, fold = data
    return cls(hour, minute, second, int.from_bytes(microsecond), zone, fold=fold)


def _datetime(cls: Any, data: bytes, zone: Any) -> Any:
    year, *rest = int.from_bytes(data[:2]), *data[2:7], int.from_bytes(data[7:10])
    return cls(year, *rest, zone, fold=data[10])


def _timezone(cls: Any, offset: Any, name: str | None) -> Any:
    return cls(offset) if name is None else cls(offset, name)


def _uuid(cls: Any, data: bytes, safe: int | None) -> Any:
    return cls(bytes=data, is_safe=find("uuid", "SafeUUID")(safe))


def _make(cls: Any, *fields: Any) -> Any:
    return cls(*fields)


def _ipv6(cls: Any, address: int, scope: str | None) -> Any:
    return cls(_with_scope(address, scope))


def _ipv4_network(cls: Any, address: int, length: int) -> Any:
    return cls((address, length))


def _ipv6_network(cls: Any, address: int, length: int, scope: str | None) -> Any:
    return cls((_with_scope(address, scope), length))


def _with_scope(address: int, scope: str | None) -> int | str:
    return address if scope is None else f"{find('ipaddress', 'IPv6Address')(address)}%{scope}"


def _fill_default_dict(obj: Any, factory: str | None, items: dict[Any, Any]) -> None:
    for module, names in FACTORIES.items():
        if factory in names:
            obj.default_factory = find(module, factory)
            break
    else:
        if factory is not None:
            raise LookupError(f"{factory!r} is not a factory of a standard type")
    obj.update(items)


def _fill_log_record(obj: Any, attributes: dict[str, Any]) -> None:
    obj.__dict__.update(attributes)
    error = attributes.get("exc_info")
    if isinstance(error, BaseException):
        obj.exc_info = type(error), error, None


_text: Any = str | None
_number: Any = int | None
# The types of the fields, and a function of the class and them.
_MAKES: dict[int, tuple[tuple[Any, ...], Callable[..., Any]]] = {
    1: ((bytes,), _date),
    2: ((bytes, object), _time),
    3: ((bytes, object), _datetime),
    4: ((int, int, int), _make),
    5: ((object, _text), _timezone),
    6: ((str,), _make),
    7: ((str,), _make),
    8: ((int, int), _make),
    9: ((bytes, _number), _uuid),
    **dict.fromkeys((10, 11, 12, 13), ((str,), _make)),
    14: ((int,), _make),
    15: ((int, _text), _ipv6),
    **dict.fromkeys((16, 18), ((int, int), _ipv4_network)),
    **dict.fromkeys((17, 19), ((int, int, _text), _ipv6_network)),
}
# The types of the fields, and a function of an empty object and them.
_FILLS: dict[int, tuple[tuple[Any, ...], Callable[..., Any]]] = {
    20: ((dict,), lambda obj, attributes: obj.__dict__.update(attributes)),
    21: ((list, _number), lambda obj, items, length: obj.__init__(items, length)),
    22: ((dict,), dict.update),
    23: ((dict,), lambda obj, items: obj.update(items)),
    24: ((_text, dict), _fill_default_dict),
    25: ((dict,), _fill_log_record),
}
